package atmostonce_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestLate has a Base that returns while the request goes on. Nothing is sent later,
// as the error says.
func TestLate(t *testing.T) {
	t.Parallel()
	for name, network := range map[string]func(*faults.Server, *ledger) http.RoundTripper{
		"dials":                        func(s *faults.Server, _ *ledger) http.RoundTripper { return faults.ReturnsEarly(s) },
		"dials, with a copied body":    func(s *faults.Server, _ *ledger) http.RoundTripper { return faults.ReturnsEarlyBuffered(s) },
		"reports no connection to use": readsLate,
		"answers":                      answersAndSends,
	} {
		for _, proto := range faults.Protocols {
			t.Run(name+"/"+string(proto), func(t *testing.T) {
				t.Parallel()
				l := &ledger{}
				s := faults.Serve(t, proto, l)
				client := &http.Client{Transport: &atmostonce.Transport{Base: network(s, l)}}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, strings.NewReader("order"))
				require.NoError(t, err)
				got, err := do(client, l, req, "order")
				cancel()
				s.Late.Wait()
				if name == "answers" {
					assert.Equal(t, end{status: 200, sent: true}, got, "%v", err)
				} else {
					assert.Equal(t, end{}, got, "%v", err)
				}
				assert.Zero(t, l.of("order"))
			})
		}
	}
}

// readsLate asks for a connection, as a transport of HTTP/3 may, and reads the body
// when the request's context is over.
func readsLate(s *faults.Server, l *ledger) http.RoundTripper {
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		httptrace.ContextClientTrace(req.Context()).GetConn(req.URL.Host)
		s.Late.Go(func() {
			<-req.Context().Done()
			if body, err := io.ReadAll(req.Body); err == nil {
				l.act(body)
			}
		})
		return nil, errors.New("early")
	})
}

// answersAndSends answers from elsewhere, and sends the request when the answer was
// closed.
func answersAndSends(s *faults.Server, _ *ledger) http.RoundTripper {
	network := faults.Plain(s)
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		s.Late.Go(func() {
			<-req.Context().Done()
			if resp, err := network.RoundTrip(uncancelable(req)); err == nil {
				_ = resp.Body.Close()
			}
		})
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("done"))}, nil
	})
}

// TestHooks has a Base that fires some of net/http's hooks, and fails. net/http may
// return before the hook of a header that it has written.
func TestHooks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fire func(*httptrace.ClientTrace)
		sent bool
	}{
		"none":                       {func(*httptrace.ClientTrace) {}, true},
		"asks":                       {func(t *httptrace.ClientTrace) { t.GetConn("example.com:80") }, false},
		"asks, and gets":             {func(t *httptrace.ClientTrace) { t.GetConn("example.com:80"); t.GotConn(httptrace.GotConnInfo{}) }, true},
		"asks, and writes elsewhere": {func(t *httptrace.ClientTrace) { t.GetConn("example.com:80"); t.WroteHeaders() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ctx context.Context
			base := faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
				ctx = req.Context()
				tt.fire(httptrace.ContextClientTrace(req.Context()))
				return nil, errors.New("early")
			})
			client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
			got, err := post(t, client, &ledger{}, "http://example.com", "order")
			require.Error(t, err)
			assert.Equal(t, end{sent: tt.sent}, got, "%v", err)
			assert.Error(t, ctx.Err(), "the attempt has ended")
		})
	}
}
