// Package faults provides networks on which a request fails in a known way, over real
// connections to a server on loopback.
package faults

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"
)

// A Protocol is the protocol of a server.
type Protocol string

const (
	HTTP1  Protocol = "TCP, HTTP/1.1"
	HTTPS1 Protocol = "TLS, HTTP/1.1"
	HTTPS2 Protocol = "TLS, HTTP/2"
)

// Protocols lists all protocols.
var Protocols = []Protocol{HTTP1, HTTPS1, HTTPS2}

// A Server is the server that the networks lead to.
type Server struct {
	*httptest.Server
	Late   sync.WaitGroup // requests that continue after their calls end
	Proto  Protocol
	tb     testing.TB
	closed sync.Map // channels for closeAfterAnswer to close, by the request's query
}

// Serve starts a server, changed by the options. It ends with the test.
func Serve(tb testing.TB, proto Protocol, handler http.Handler, change ...func(*http.Server)) *Server {
	mux := http.NewServeMux()
	s := &Server{Server: httptest.NewUnstartedServer(mux), Proto: proto, tb: tb}
	mux.Handle("/", handler)
	mux.HandleFunc(keepAlivePath, s.closeAfterAnswer)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = proto == HTTPS2
	for _, c := range change {
		c(s.Config)
	}
	if proto == HTTP1 {
		s.Start()
	} else {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{Certificate()}}
		s.StartTLS()
	}
	tb.Cleanup(func() {
		hangs := time.AfterFunc(time.Minute, func() {
			tb.Error("a request hangs")
			s.CloseClientConnections()
		})
		defer hangs.Stop()
		s.Late.Wait()
		s.Close()
	})
	return s
}

// Certificate is the certificate of all servers here. Signing with ECDSA is much
// faster than with httptest's RSA key.
var Certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// Transport makes a transport that trusts the server, changed by the options.
func (s *Server) Transport(change ...func(*http.Transport)) *http.Transport {
	t := &http.Transport{ForceAttemptHTTP2: s.Proto == HTTPS2, MaxIdleConnsPerHost: 256}
	s.Trust(t)
	for _, c := range change {
		c(t)
	}
	s.tb.Cleanup(t.CloseIdleConnections)
	return t
}

// Trust makes a transport trust the server.
func (s *Server) Trust(t *http.Transport) {
	if s.Proto == HTTP1 {
		return
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	t.TLSClientConfig.RootCAs.AddCert(s.Certificate())
}

// TrustAll makes a transport trust any server, for processes that do not have the
// certificate.
func TrustAll(t *http.Transport) {
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.InsecureSkipVerify = true
}

// A Network carries requests to a server, or fails.
type Network func(*Server) http.RoundTripper

// Plain is a network without faults.
func Plain(s *Server) http.RoundTripper { return s.Transport() }

// dialing is a network that makes every connection with dial.
func dialing(s *Server, dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Transport {
	return s.Transport(func(t *http.Transport) { t.DialContext = dial })
}

// dialTo dials another address.
func dialTo(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

// Nobody is an address where nobody listens. A port that was free a moment ago is no
// such address: the next server may get it.
const Nobody = "127.0.0.1:1"

// RefusedDial refuses connections.
func RefusedDial(s *Server) http.RoundTripper { return dialing(s, dialTo(Nobody)) }

// DNSFailure cannot resolve the name.
func DNSFailure(s *Server) http.RoundTripper {
	dialer := net.Dialer{Resolver: &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no name server answers")
		},
	}}
	return dialing(s, func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, "server.invalid:443")
	})
}

// ConnectTimeout fails as a dialer does when its first packet is dropped.
func ConnectTimeout(s *Server) http.RoundTripper {
	return dialing(s, func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
	})
}

// ProxyRefuses uses a proxy that refuses CONNECT.
func ProxyRefuses(s *Server) http.RoundTripper {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	s.tb.Cleanup(proxy.Close)
	return s.Transport(func(t *http.Transport) {
		t.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	})
}

// HandshakeFailure leads to a server that does not speak TLS.
func HandshakeFailure(s *Server) http.RoundTripper {
	plain := httptest.NewServer(http.NotFoundHandler())
	plain.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.tb.Cleanup(plain.Close)
	return dialing(s, dialTo(plain.Listener.Addr().String()))
}

// UnknownAuthority does not trust the server's certificate.
func UnknownAuthority(s *Server) http.RoundTripper {
	return s.Transport(func(t *http.Transport) { t.TLSClientConfig.RootCAs = x509.NewCertPool() })
}

const keepAlivePath = "/internal/faults/keep-alive"

// closeAfterAnswer answers as if it kept the connection, and then closes it.
func (s *Server) closeAfterAnswer(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	_ = conn.Close()
	if closed, ok := s.closed.LoadAndDelete(r.URL.RawQuery); ok {
		close(closed.(chan struct{}))
	}
}

// ClosedKeepAlive sends each request on a kept HTTP/1.1 connection that the server
// has just closed.
func ClosedKeepAlive(s *Server) http.RoundTripper {
	return RoundTripper(func(req *http.Request) (*http.Response, error) {
		t, id, closed := s.Transport(), rand.Text(), make(chan struct{})
		s.closed.Store(id, closed)
		warm, err := http.NewRequest(http.MethodGet, s.URL+keepAlivePath+"?"+id, nil)
		if err != nil {
			return nil, err
		}
		if resp, err := t.RoundTrip(warm); err == nil {
			_ = resp.Body.Close()
			<-closed
		}
		return t.RoundTrip(req)
	})
}

// ReturnsEarly is a transport like a circuit breaker with its own timeout: it returns
// while the transport below is still dialing. That transport continues once the
// request's context is over. Any sooner, the client might not have ended the attempt,
// and the request would count as sent.
func ReturnsEarly(s *Server) http.RoundTripper { return returnsEarly(s, false) }

// ReturnsEarlyBuffered is ReturnsEarly, but it reads the body first.
func ReturnsEarlyBuffered(s *Server) http.RoundTripper { return returnsEarly(s, true) }

func returnsEarly(s *Server, buffers bool) http.RoundTripper {
	return RoundTripper(func(req *http.Request) (*http.Response, error) {
		over, dials := req.Context().Done(), make(chan struct{})
		dialed := sync.OnceFunc(func() { close(dials) })
		t := dialing(s, func(ctx context.Context, network, _ string) (net.Conn, error) {
			dialed()
			<-over
			return dialTo(s.Listener.Addr().String())(ctx, network, "")
		})
		// The cancel does not reach the transport below.
		req = req.WithContext(context.WithoutCancel(req.Context()))
		if buffers && req.Body != nil { // A redirect may have none.
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			req.Body, req.GetBody = io.NopCloser(bytes.NewReader(body)), nil
		}
		s.Late.Go(func() {
			defer dialed()
			if resp, err := t.RoundTrip(req); err == nil {
				_ = resp.Body.Close()
			}
		})
		<-dials
		return nil, errors.New("circuit open")
	})
}

// A RoundTripper is a function as an [http.RoundTripper].
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f RoundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
