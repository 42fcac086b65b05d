package atmostonce_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestReported has an http.Transport with a protocol of its own, which reports what
// net/http's protocols report, and acts on what it sends.
func TestReported(t *testing.T) {
	t.Parallel()
	resent, ok := end{sent: true, acts: 1}, end{200, true, 1}
	for name, tt := range map[string]struct {
		url    string
		name   string // of the server, in the TLS of the request's connections; "" for none
		events string
		want   end
	}{
		"HTTP/2 without TLS, resent":           {"http://example.com", "", "ask own send ask own send", resent},
		"HTTP/2, resent":                       {"https://example.com", "example.com", "ask own send ask own send", resent},
		"HTTP/3, resent":                       {"https://example.com", "", "ask udp send ask udp send", resent},
		"HTTP/2, resent through another proxy": {"http://example.com", "proxy.example", "ask own send ask other send", resent},
		// A canceled request has dialed a connection, for which nobody asks.
		"resent on what is left": {"https://example.com", "example.com", "ask own send own send", resent},

		// A dial resolves the name with requests of its own. They may end late, when the
		// request has taken another's connection.
		"lookups":                         {"https://example.com", "example.com", "ask lookup lookup own send", ok},
		"lookups, another script":         {"https://exämple.com", "xn--exmple-cua.com", "ask lookup lookup own send", ok},
		"late lookups":                    {"https://example.com", "example.com", "ask own send lookup lookup", ok},
		"late lookup, resent":             {"https://example.com", "example.com", "ask own send lookup own send", resent},
		"late lookup, resent, no TLS":     {"http://example.com", "", "ask own send lookup own send", resent},
		"lookup at the handover, resent":  {"https://example.com", "example.com", "ask own lookup send own send", resent},
		"lookup, no TLS":                  {"http://example.com", "", "ask own lookup send own send", resent},
		"lookup, trailing dot":            {"https://EXAMPLE.com.", "EXAMPLE.com", "ask own lookup send own send", resent},
		"lookup, IPv4":                    {"https://127.0.0.1", "", "ask own lookup send own send", resent},
		"lookup, IPv6":                    {"https://[fe80::1%25lo]", "", "ask own lookup send own send", resent},
		"lookup, another name configured": {"https://10.0.0.1", "configured.example", "ask own lookup send own send", resent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &ledger{}
			base := &http.Transport{}
			if tt.name == "configured.example" {
				base.TLSClientConfig = &tls.Config{ServerName: tt.name}
			}
			reporter := faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(req.Context())
				header := func(host string) {
					trace.WroteHeaderField(":authority", []string{host})
					trace.WroteHeaders()
				}
				for event := range strings.FieldsSeq(tt.events) {
					switch event {
					case "ask":
						trace.GetConn("example.com:443")
					case "own":
						trace.GotConn(httptrace.GotConnInfo{Conn: &negotiated{protocol: "h2", name: tt.name}})
					case "other":
						trace.GotConn(httptrace.GotConnInfo{Conn: &negotiated{protocol: "h2", name: "other.example"}})
					case "udp": // It is none of net's.
						trace.GotConn(httptrace.GotConnInfo{Conn: struct{ net.Conn }{}})
					case "send":
						header(req.URL.Host)
						l.act([]byte("order"))
					case "lookup":
						trace.GotConn(httptrace.GotConnInfo{Conn: &negotiated{protocol: "http/1.1", name: "names.example"}})
						if tt.want == ok {
							header("names.example")
						}
					}
					if err := req.Context().Err(); err != nil {
						return nil, err
					}
				}
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
			})
			base.RegisterProtocol("https", reporter)
			base.RegisterProtocol("http", reporter)
			got, err := post(t, &http.Client{Transport: &atmostonce.Transport{Base: base}}, l, tt.url, "order")
			assert.Equal(t, tt.want, got, "%v", err)
		})
	}
}

// TestHTTP3 has a Base that reports as one of HTTP/3 does: its handshake is not that
// of a connection with TLS, and its connection is none of net's.
func TestHTTP3(t *testing.T) {
	t.Parallel()
	base := faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		trace.GetConn(req.URL.Host)
		if trace.TLSHandshakeDone != nil {
			trace.TLSHandshakeDone(tls.ConnectionState{NegotiatedProtocol: "h3"}, nil)
		}
		trace.GotConn(httptrace.GotConnInfo{Conn: struct{ net.Conn }{}})
		trace.WroteHeaders()
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, req.Context().Err()
	})
	client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
	resp, err := client.Post("https://example.com", "text/plain", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}

// TestDeadThenSlow has a dead connection, and then a dial that hangs. The limit is not
// restarted.
func TestDeadThenSlow(t *testing.T) {
	t.Parallel()
	s := faults.Serve(t, faults.HTTP1, &ledger{})
	var calls atomic.Int32
	transport := &atmostonce.Transport{Base: faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		calls.Add(1)
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		trace := httptrace.ContextClientTrace(req.Context())
		trace.GetConn("")
		trace.GotConn(httptrace.GotConnInfo{Conn: conn, Reused: true, WasIdle: true})
		trace.GetConn("")
		trace.ConnectStart("tcp", "")
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	})}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, strings.NewReader("order"))
	require.NoError(t, err)
	_, err = transport.Once(req, time.Millisecond)
	require.ErrorContains(t, err, "no connection within 1ms")
	assert.False(t, atmostonce.MaybeSent(err))
	assert.EqualValues(t, 1, calls.Load())
}

// TestNothingReported has a Base that reports nothing, and answers without a body.
// Nothing is left of it in the request's context.
func TestNothingReported(t *testing.T) {
	t.Parallel()
	transport := &atmostonce.Transport{Base: faults.RoundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
	})}
	ctx := &waitedFor{Context: context.Background()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://example.com", strings.NewReader("order"))
	require.NoError(t, err)
	_, err = transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Zero(t, ctx.n.Load())
}

// TestDNSOverHTTPSAtOnce has requests that begin at once, over HTTP/2. Each dials, with
// a request to resolve the name, and all but one take the connection of another.
func TestDNSOverHTTPSAtOnce(t *testing.T) {
	t.Parallel()
	names := faults.Serve(t, faults.HTTP1, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	l := &ledger{}
	s := faults.Serve(t, faults.HTTPS2, l)
	resolver := names.Transport()
	base := s.Transport(func(b *http.Transport) {
		b.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			get, err := http.NewRequestWithContext(ctx, http.MethodGet, names.URL, nil)
			if err != nil {
				return nil, err
			}
			resp, err := resolver.RoundTrip(get)
			if err != nil {
				return nil, err
			}
			_ = resp.Body.Close()
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	})
	client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			got, err := post(t, client, l, s.URL, fmt.Sprint(i))
			assert.Equal(t, end{200, true, 1}, got, "%v", err)
		})
	}
	wg.Wait()
}

// TestLimitAtHandover has a limit that ends just before a connection comes. One of
// HTTP/2 is left to those who share it, and one of HTTP/1.1 is closed.
func TestLimitAtHandover(t *testing.T) {
	t.Parallel()
	for protocol, closed := range map[string]bool{"h2": false, "http/1.1": true} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			conn := &negotiated{protocol: protocol}
			base := &http.Transport{}
			base.RegisterProtocol("https", faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(req.Context())
				trace.GetConn("example.com:443")
				<-req.Context().Done()
				trace.GotConn(httptrace.GotConnInfo{Conn: conn})
				return nil, context.Cause(req.Context())
			}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://example.com", nil)
			require.NoError(t, err)
			_, err = (&atmostonce.Transport{Base: base}).Once(req, time.Millisecond)
			require.ErrorContains(t, err, "no connection within 1ms")
			assert.False(t, atmostonce.MaybeSent(err))
			assert.Equal(t, closed, conn.closed)
		})
	}
}

// A negotiated is a connection of TLS.
type negotiated struct {
	net.Conn
	protocol string
	name     string
	closed   bool
}

func (c *negotiated) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: c.protocol, ServerName: c.name}
}

func (c *negotiated) Close() error {
	c.closed = true
	return nil
}

// serveH2C starts a server of HTTP/2 without TLS, and makes a transport for it.
func serveH2C(t *testing.T, handler http.Handler) (*faults.Server, *http.Transport) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	s := faults.Serve(t, faults.HTTP1, handler, func(s *http.Server) { s.Protocols = &protocols })
	return s, s.Transport(func(t *http.Transport) { t.Protocols = &protocols })
}

// TestSharedConnection refuses to send a request again, or late, on a connection
// that another request is using, and leaves that one alone.
func TestSharedConnection(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"again": false, "late": true} {
		for _, h2c := range []bool{false, true} {
			if late && h2c {
				continue // Nothing shows what that connection speaks.
			}
			t.Run(fmt.Sprintf("%s/h2c=%v", name, h2c), func(t *testing.T) {
				t.Parallel()
				l := &ledger{fault: answer(http.StatusServiceUnavailable)}
				arrived, goOn := make(chan struct{}), make(chan struct{})
				mux := http.NewServeMux()
				mux.Handle("/", l)
				mux.HandleFunc("/other", func(_ http.ResponseWriter, r *http.Request) {
					close(arrived)
					select {
					case <-goOn:
					case <-r.Context().Done():
					}
				})
				var s *faults.Server
				var network *http.Transport
				if h2c {
					s, network = serveH2C(t, mux)
				} else {
					s = faults.Serve(t, faults.HTTPS2, mux)
					network = s.Transport()
				}
				other := make(chan error, 1)
				go func() {
					resp, err := network.RoundTrip(newRequest(t, http.MethodGet, s.URL+"/other", nil))
					if err == nil {
						_ = resp.Body.Close()
					}
					other <- err
				}()
				select {
				case <-arrived:
				case err := <-other:
					require.NoError(t, err)
				}
				var base http.RoundTripper = repeats(2, unchanged, network)
				want := end{sent: true, acts: 1}
				if late {
					asked, over := make(chan struct{}), make(chan struct{})
					defer within(t, "the late request", func() { <-over })
					base = faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
						if req.Header.Get("Again") != "" {
							return nil, errors.New("closed")
						}
						req.Header.Set("Again", "1")
						go func() {
							defer close(over)
							<-req.Context().Done()
							resp, err := network.RoundTrip(uncancelable(req))
							if err == nil {
								_ = resp.Body.Close()
							}
						}()
						close(asked)
						return nil, errors.New("circuit open")
					})
					want = end{sent: true}
				}
				got, err := post(t, &http.Client{Transport: &atmostonce.Transport{Base: base}}, l, s.URL, "order")
				require.Error(t, err)
				assert.Equal(t, want, got, "%v", err)
				close(goOn)
				within(t, "the other request", func() { assert.NoError(t, <-other) })
			})
		}
	}
}
