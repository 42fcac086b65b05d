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

// TestStream reads the answer while the body is still written.
func TestStream(t *testing.T) {
	t.Parallel()
	s := faults.Serve(t, faults.HTTPS2, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex()
		_ = c.Flush()
		_, _ = io.Copy(w, r.Body)
	}))
	client := &http.Client{Transport: &atmostonce.Transport{Base: faults.Plain(s)}}
	body, writer := io.Pipe()
	req := newRequest(t, http.MethodPost, s.URL, body)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	within(t, "a write to the body", func() {
		_, err := io.WriteString(writer, "hello")
		assert.NoError(t, err)
	})
	require.NoError(t, writer.Close())
	echo, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(echo))
}

// TestSwitchingProtocols keeps an answer's body that can be written to.
func TestSwitchingProtocols(t *testing.T) {
	t.Parallel()
	s := faults.Serve(t, faults.HTTP1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(limit))
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := rw.ReadString('\n')
		_, _ = io.WriteString(conn, line)
	}))
	client := &http.Client{Transport: &atmostonce.Transport{Base: faults.Plain(s)}}
	req := newRequest(t, http.MethodPost, s.URL, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Implements(t, (*io.Writer)(nil), resp.Body)
	_, err = io.WriteString(resp.Body.(io.Writer), "hello\n")
	require.NoError(t, err)
	echo, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "hello\n", string(echo))
}

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
