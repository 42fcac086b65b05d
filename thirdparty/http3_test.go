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
)

// An http3Fault ends a request that has taken effect. If it is nil, there is no fault.
type http3Fault func(*quic.Conn, *http3.Stream)

type connKey struct{}

// serveHTTP3 starts an origin that speaks HTTP/3, and returns its URL. Its requests take
// effect. Then the first for each Member ends with the fault.
func (l *lab) serveHTTP3(fault http3Fault) string {
	var seen sync.Map // by Member
	server := &http3.Server{
		ConnContext: func(ctx context.Context, conn *quic.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler) // It was canceled before it arrived.
			}
			member, _ := faults.Named(body)
			if _, again := seen.LoadOrStore(member, true); fault == nil || again {
				r.Body = io.NopCloser(bytes.NewReader(body))
				l.ServeHTTP(w, r)
				return
			}
			l.Process(body)
			stream, err := w.(http3.HTTPStreamer).HTTPStream()
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			fault(r.Context().Value(connKey{}).(*quic.Conn), stream)
		}),
	}
	listener, err := quic.ListenAddrEarly("127.0.0.1:0",
		http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{faults.Certificate()}}), nil)
	require.NoError(l, err)
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
	return "https://" + listener.Addr().String()
}

func (l *lab) http3Transport() *http3.Transport {
	t := &http3.Transport{}
	l.Cleanup(func() { _ = t.Close() })
	return t
}

func TestHTTP3(t *testing.T) {
	t.Parallel()
	// onceEach gives each Send its own transport, so that contexts also end during
	// handshakes.
	onceEach := func(l *lab) http.RoundTripper {
		return faults.RoundTripper(func(req *http.Request) (*http.Response, error) { return l.http3Transport().RoundTrip(req) })
	}
	// The cancel does not reach the transport, so that requests go on when hystrix has
	// returned. quic-go's net.Conn panics when it is closed.
	uncanceled := func(l *lab) http.RoundTripper {
		return circuitBreaker(l, faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
			t := l.http3Transport()
			t.Dial = func(_ context.Context, addr string, tlsConfig *tls.Config, config *quic.Config) (*quic.Conn, error) {
				<-time.After(rand.N(2 * patience))
				return quic.DialAddrEarly(context.Background(), addr, tlsConfig, config)
			}
			return t.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
		}))
	}
	shared := func(l *lab) http.RoundTripper { return l.http3Transport() }
	for _, tt := range []struct {
		name      string
		transport func(*lab) http.RoundTripper
		canceled  bool
		sends     int
		shows     func(faults.Tally) bool
	}{
		{"no fault", shared, false, *sends, func(tally faults.Tally) bool { return tally.Well == tally.Sends }},
		{"canceled", shared, true, max(500, *sends), func(tally faults.Tally) bool { return tally.SentAndFailed > 0 }},
		{"canceled, new connections", onceEach, true, *sends, func(tally faults.Tally) bool { return tally.UnsentAndFailed > 0 && tally.Well > 0 }},
		{"hystrix, without the cancel", uncanceled, false, *sends, func(tally faults.Tally) bool { return tally.Well < tally.Sends }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			if tt.canceled {
				l.chance, l.fault = 1, slower
			}
			url := l.serveHTTP3(nil)
			results := l.Send(tt.sends, atOnce, tt.canceled, l.clients(url, &http.Client{Transport: tt.transport(l)})...)
			l.settle()
			assert.True(t, tt.shows(l.Check(results)), "the scenario shows nothing")
		})
	}
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
				url := l.serveHTTP3(fault)
				tally := l.Check(l.Send(max(12, *sends/10), 4, false, l.clients(url, &http.Client{Transport: l.http3Transport()})...))
				assert.NotZero(t, tally.SentAndFailed, "Sends that failed after their SMS")
			})
		}
	}
}
