package atmostonce_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestEarlyAnswer is answered before the body is read, and closes the answer or
// reads it to its end. The request's body is closed, as by net/http.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	for name, finish := range map[string]func(io.ReadCloser) error{
		"closed": io.ReadCloser.Close,
		"read":   func(body io.ReadCloser) error { _, err := io.Copy(io.Discard, body); return err },
	} {
		for _, proto := range faults.Protocols {
			t.Run(name+"/"+string(proto), func(t *testing.T) {
				t.Parallel()
				s := faults.Serve(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(http.StatusExpectationFailed)
					_, _ = io.WriteString(w, "no")
				}))
				client := &http.Client{Transport: &atmostonce.Transport{Base: s.Transport(func(t *http.Transport) {
					t.ExpectContinueTimeout = limit
				})}}
				body, writer := io.Pipe()
				defer writer.Close()
				req := newRequest(t, http.MethodPost, s.URL, body)
				req.Header.Set("Expect", "100-continue")
				resp, err := client.Do(req)
				require.NoError(t, err)
				assert.Equal(t, http.StatusExpectationFailed, resp.StatusCode)
				require.NoError(t, finish(resp.Body))
				within(t, "a write to the body", func() {
					_, err := io.WriteString(writer, "late")
					assert.ErrorIs(t, err, io.ErrClosedPipe)
				})
			})
		}
	}
}

// TestUploadGoesOn has a server that ends its answer and reads on.
func TestUploadGoesOn(t *testing.T) {
	t.Parallel()
	s := faults.Serve(t, faults.HTTPS2, &ledger{})
	network := faults.HTTP2{
		OnHeader: true,
		Meets:    func([]byte) bool { return false },
		Process:  func([]byte) []byte { return []byte("done") },
	}.Network(s)
	body, writer := io.Pipe()
	ctx := &waitedFor{Context: limited(t)}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, body)
	require.NoError(t, err)
	resp, err := (&atmostonce.Transport{Base: network}).RoundTrip(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	within(t, "a write", func() {
		for range 10 {
			_, err := io.WriteString(writer, "more")
			assert.NoError(t, err)
		}
	})
	assert.NotZero(t, ctx.n.Load())
	require.NoError(t, writer.Close())
	assert.Eventually(t, func() bool { return ctx.n.Load() == 0 }, limit, time.Millisecond)
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
							resp, err := network.RoundTrip(req.Clone(withTraceOf(req)))
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

func withTraceOf(req *http.Request) context.Context { return context.WithoutCancel(req.Context()) }
