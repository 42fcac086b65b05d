package atmostonce_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestForwardedBody forwards a request whose sender stalls to a server that
// answers early. Over HTTP/2, net/http waits, too.
func TestForwardedBody(t *testing.T) {
	t.Parallel()
	for _, proto := range overHTTP1 {
		t.Run(string(proto), func(t *testing.T) {
			t.Parallel()
			backend := faults.Serve(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c := http.NewResponseController(w)
				_ = c.EnableFullDuplex()
				w.WriteHeader(http.StatusAccepted)
				_ = c.Flush()
			}))
			client := &http.Client{Transport: &atmostonce.Transport{Base: faults.Plain(backend)}}
			front := faults.Serve(t, faults.HTTP1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = http.NewResponseController(w).EnableFullDuplex()
				req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, backend.URL, r.Body)
				if !assert.NoError(t, err) {
					return
				}
				resp, err := client.Do(req)
				if !assert.NoError(t, err) {
					return
				}
				within(t, "Close", func() { _ = resp.Body.Close() })
				w.WriteHeader(resp.StatusCode)
			}))
			body, stalls := io.Pipe()
			defer stalls.Close()
			req := newRequest(t, http.MethodPost, front.URL, io.MultiReader(strings.NewReader("begun"), body))
			within(t, "the request", func() {
				resp, err := faults.Plain(front).RoundTrip(req)
				if assert.NoError(t, err) {
					assert.Equal(t, http.StatusAccepted, resp.StatusCode)
					_ = resp.Body.Close()
				}
			})
		})
	}
}

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

// TestHalfClosedUpgrade has a client that closes its half of a 101 behind a
// ReverseProxy, and waits for the answer.
func TestHalfClosedUpgrade(t *testing.T) {
	t.Parallel()
	backend := faults.Serve(t, faults.HTTP1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(limit))
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		text, _ := io.ReadAll(rw)
		_, _ = conn.Write(text)
	}))
	target, err := url.Parse(backend.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = own(t, backend)
	front := faults.Serve(t, faults.HTTP1, proxy)
	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(limit)))
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 0\r\n\r\n")
	require.NoError(t, err)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	_, err = io.WriteString(conn, "hello")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	echo, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(echo))
}

// serveH2C starts a server of HTTP/2 without TLS, and makes a transport for it.
func serveH2C(t *testing.T, handler http.Handler) (*faults.Server, *http.Transport) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	s := faults.Serve(t, faults.HTTP1, handler, func(s *http.Server) { s.Protocols = &protocols })
	return s, s.Transport(func(t *http.Transport) { t.Protocols = &protocols })
}

// TestCanceledDownloads makes requests beside answers that are canceled on the same
// connection, of HTTP/2 without TLS. What is left of those is not the end of it.
func TestCanceledDownloads(t *testing.T) {
	t.Parallel()
	for _, wrapped := range []bool{false, true} {
		t.Run(fmt.Sprintf("wrapped=%v", wrapped), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			conns := map[string]bool{}
			l := &ledger{}
			s, base := serveH2C(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
					return
				}
				mu.Lock()
				conns[r.RemoteAddr] = true
				mu.Unlock()
				l.ServeHTTP(w, r)
			}))
			transport := &atmostonce.Transport{Base: base}
			if wrapped {
				transport.Base = faults.RoundTripper(base.RoundTrip)
			}
			// net/http itself leaves a request without an answer now and then.
			client, unanswered := &http.Client{Transport: transport, Timeout: 10 * time.Second}, 0
			for i := range 20 {
				ctx, cancel := context.WithCancel(limited(t))
				if resp, err := client.Do(newRequest(t, http.MethodGet, s.URL, nil).WithContext(ctx)); err == nil {
					_, _ = io.ReadFull(resp.Body, make([]byte, 1000))
					cancel()
					_ = resp.Body.Close()
				}
				cancel()
				got, err := post(t, client, l, s.URL, fmt.Sprint(i))
				if errors.Is(err, context.DeadlineExceeded) {
					assert.LessOrEqual(t, got.acts, 1)
					unanswered++
					require.LessOrEqual(t, unanswered, 2)
					continue
				}
				assert.Equal(t, end{200, true, 1}, got, "%v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			assert.LessOrEqual(t, len(conns), 1+unanswered)
		})
	}
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

// TestStreamLimit has a server of HTTP/2 that takes few streams on a connection,
// and many requests at once. net/http opens more before it knows the limit, and
// the server refuses them: other servers do so when they have acted.
func TestStreamLimit(t *testing.T) {
	t.Parallel()
	for _, wrapped := range []bool{false, true} {
		t.Run(fmt.Sprintf("wrapped=%v", wrapped), func(t *testing.T) {
			t.Parallel()
			l := &ledger{}
			s := faults.Serve(t, faults.HTTPS2, l, func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 5} })
			base := s.Transport()
			transport := &atmostonce.Transport{Base: base}
			if wrapped {
				transport.Base = faults.RoundTripper(base.RoundTrip)
			}
			client := &http.Client{Transport: transport}
			var mu sync.Mutex
			failed := 0
			var wg sync.WaitGroup
			for i := range 100 {
				wg.Go(func() {
					got, err := post(t, client, l, s.URL, fmt.Sprint(i))
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						failed++
						assert.Zero(t, got.acts, "%v", err)
					} else {
						assert.Equal(t, 1, got.acts)
					}
				})
			}
			wg.Wait()
			t.Logf("%d refused", failed)
		})
	}
}
