package atmostonce_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestResponse has what net/http's own answers have.
func TestResponse(t *testing.T) {
	t.Parallel()
	s := faults.Serve(t, faults.HTTP1, &ledger{})
	req := newRequest(t, http.MethodPost, s.URL, strings.NewReader("order"))
	resp, err := (&atmostonce.Transport{Base: faults.Plain(s)}).RoundTrip(req)
	require.NoError(t, err)
	assert.Same(t, req, resp.Request)
	assert.Equal(t, http.NoBody, resp.Body)
	_ = resp.Body.Close()
	assert.NoError(t, resp.Request.Context().Err())
}

// TestOtherResponses has a Base that makes its responses itself.
func TestOtherResponses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err    error
		noBody bool
	}{"answers": {}, "returns both": {err: io.EOF}, "returns both, without a body": {err: io.EOF, noBody: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			order := &closeCounter{ReadCloser: io.NopCloser(strings.NewReader("order"))}
			answered := &closeCounter{ReadCloser: io.NopCloser(strings.NewReader("answer"))}
			made := &http.Response{Request: &http.Request{}, Body: answered}
			if tt.noBody {
				made.Body = nil
			}
			base := faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
				_ = req.Body.Close()
				return made, tt.err
			})
			resp, err := (&atmostonce.Transport{Base: base}).RoundTrip(newRequest(t, http.MethodPost, "http://example.com", order))
			assert.Equal(t, tt.err, err)
			assert.Equal(t, 1, order.count())
			if err == nil {
				assert.Same(t, made.Request, resp.Request)
				assert.NoError(t, resp.Body.Close())
			}
			if !tt.noBody {
				assert.Equal(t, 1, answered.count())
			}
		})
	}
}

// TestAnswerNotClosed reads answers to their end, and does not close them. As with
// net/http, nothing is left of them in the request's context.
func TestAnswerNotClosed(t *testing.T) {
	t.Parallel()
	for _, proto := range []faults.Protocol{faults.HTTP1, faults.HTTPS1} {
		for _, body := range []string{"", "done"} {
			t.Run(string(proto)+"/"+body, func(t *testing.T) {
				t.Parallel()
				s := faults.Serve(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(w, body)
				}))
				ctx := &waitedFor{Context: limited(t)}
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, strings.NewReader("order"))
				require.NoError(t, err)
				resp, err := (&atmostonce.Transport{Base: faults.Plain(s)}).RoundTrip(req)
				require.NoError(t, err)
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				assert.Eventually(t, func() bool { return ctx.n.Load() == 0 }, time.Minute, time.Millisecond)
			})
		}
	}
}

// A waitedFor is a context that counts who waits for its end.
type waitedFor struct {
	context.Context
	n atomic.Int64
}

func (c *waitedFor) Done() <-chan struct{} { return make(chan struct{}) }

func (c *waitedFor) AfterFunc(f func()) (stop func() bool) {
	c.n.Add(1)
	ended := context.AfterFunc(c.Context, f)
	return func() bool { c.n.Add(-1); return ended() }
}
