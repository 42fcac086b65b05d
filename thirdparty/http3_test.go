package thirdparty_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// http3Server is an origin that speaks HTTP/3. Its requests take effect. Then the first
// for each Member ends with the fault.
type http3Server struct {
	*lab
	url   string
	fault http3Fault
	seen  sync.Map // by Member
}

// An http3Fault ends a request that has taken effect. If it is nil, there is no fault.
type http3Fault func(*quic.Conn, *http3.Stream)

type connKey struct{}

func (l *lab) serveHTTP3(fault http3Fault) *http3Server {
	s := &http3Server{lab: l, fault: fault}
	server := &http3.Server{
		Handler: s,
		ConnContext: func(ctx context.Context, conn *quic.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
	}
	listener, err := quic.ListenAddrEarly("127.0.0.1:0",
		http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{faults.Certificate()}}), nil)
	require.NoError(l, err)
	s.url = "https://" + listener.Addr().String()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.ServeListener(listener)
	}()
	l.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close()
		<-served
	})
	return s
}

func (s *http3Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // It was canceled before it arrived.
	}
	member, _ := faults.Named(body)
	_, again := s.seen.LoadOrStore(member, true)
	if s.fault == nil || again {
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.lab.ServeHTTP(w, r)
		return
	}
	s.Process(body)
	stream, err := w.(http3.HTTPStreamer).HTTPStream()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.fault(r.Context().Value(connKey{}).(*quic.Conn), stream)
}

// http3Client makes a transport that speaks HTTP/3.
func (l *lab) http3Client() *http.Client {
	t := &http3.Transport{}
	l.Cleanup(func() { _ = t.Close() })
	return &http.Client{Transport: t}
}

func TestHTTP3(t *testing.T) {
	t.Parallel()
	t.Run("no fault", func(t *testing.T) {
		t.Parallel()
		l := newLab(t)
		s := l.serveHTTP3(nil)
		tally := l.Check(l.Send(*sends, atOnce, false, l.clients(s.url, l.http3Client())...))
		assert.Equal(t, tally.Sends, tally.Well)
	})
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		l := newLab(t)
		l.chance, l.fault = 0.5, slower
		s := l.serveHTTP3(nil)
		results := l.Send(max(500, *sends), atOnce, true, l.clients(s.url, l.http3Client())...)
		l.settle()
		tally := l.Check(results)
		assert.NotZero(t, tally.SentAndFailed)
	})
	// Each Send has its own transport, so that contexts also end during handshakes.
	t.Run("canceled, new connections", func(t *testing.T) {
		t.Parallel()
		l := newLab(t)
		l.chance, l.fault = 1, slower
		s := l.serveHTTP3(nil)
		once := &http.Client{Transport: faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
			return l.http3Client().Transport.RoundTrip(req)
		})}
		results := l.Send(*sends, atOnce, true, l.clients(s.url, once)...)
		l.settle()
		tally := l.Check(results)
		assert.NotZero(t, tally.UnsentAndFailed)
		assert.NotZero(t, tally.Well)
	})
	t.Run("retried", func(t *testing.T) {
		t.Parallel()
		l := newLab(t)
		l.chance, l.fault = 0.3, stytchtest.Fault{StatusCode: 503, Processed: true}
		s := l.serveHTTP3(nil)
		tally := l.Check(l.Send(*sends, atOnce, false, l.clients(s.url, &http.Client{Transport: retries(l, l.http3Client().Transport)})...))
		assert.NotZero(t, tally.SentAndFailed)
	})
	// The cancel does not reach the transport, so that requests go on when hystrix
	// has returned. quic-go's net.Conn panics when it is closed.
	t.Run("hystrix, without the cancel", func(t *testing.T) {
		t.Parallel()
		l := newLab(t)
		s := l.serveHTTP3(nil)
		slowDials := faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
			t := &http3.Transport{Dial: func(_ context.Context, addr string, tlsConfig *tls.Config, config *quic.Config) (*quic.Conn, error) {
				<-time.After(rand.N(2 * patience))
				return quic.DialAddrEarly(context.Background(), addr, tlsConfig, config)
			}}
			l.Cleanup(func() { _ = t.Close() })
			return t.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
		})
		results := l.Send(*sends, atOnce, false, l.clients(s.url, &http.Client{Transport: circuitBreaker(l, slowDials)})...)
		l.settle()
		tally := l.Check(results)
		assert.Less(t, tally.Well, tally.Sends)
	})
	for code := http3.ErrCodeNoError; code <= http3.ErrCodeVersionFallback; code++ {
		for name, fault := range map[string]http3Fault{
			"stream reset": func(_ *quic.Conn, stream *http3.Stream) {
				stream.CancelRead(quic.StreamErrorCode(code))
				stream.CancelWrite(quic.StreamErrorCode(code))
			},
			"connection closed": func(conn *quic.Conn, _ *http3.Stream) {
				_ = conn.CloseWithError(quic.ApplicationErrorCode(code), "")
			},
		} {
			t.Run(fmt.Sprintf("%s, %v", name, code), func(t *testing.T) {
				t.Parallel()
				l := newLab(t)
				s := l.serveHTTP3(fault)
				tally := l.Check(l.Send(max(12, *sends/10), 4, false, l.clients(s.url, l.http3Client())...))
				assert.NotZero(t, tally.SentAndFailed, "Sends that failed after their SMS")
			})
		}
	}
}
