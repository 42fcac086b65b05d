package atmostonce_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// A ledger is a server that acts on each request. It counts how often, by the
// request's body: the count is the truth that errors are held against.
type ledger struct {
	mu    sync.Mutex
	acts  map[string]int
	fault func(http.ResponseWriter, *http.Request) // after it has acted; nil: none
}

func (l *ledger) act(body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acts == nil {
		l.acts = map[string]int{}
	}
	l.acts[string(body)]++
}

func (l *ledger) of(body string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acts[body]
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, "a body")
		return
	}
	l.act(body)
	if l.fault != nil {
		l.fault(w, r)
	}
}

// process is act for a server that has only a request's body.
func (l *ledger) process(body []byte) []byte {
	l.act(body)
	return []byte("{}")
}

// once returns a function that is true once for each body.
func once() func(body []byte) bool {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(body []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		first := !seen[string(body)]
		seen[string(body)] = true
		return first
	}
}

// end is what a request came to.
type end struct {
	status int // of the answer; 0: none came
	sent   bool
	acts   int
}

// post makes a POST through base and returns what came of it.
func post(t *testing.T, client *http.Client, l *ledger, url, body string) (end, error) {
	return do(client, l, newRequest(t, http.MethodPost, url, strings.NewReader(body)), body)
}

func do(client *http.Client, l *ledger, req *http.Request, body string) (end, error) {
	resp, err := client.Do(req)
	if err != nil {
		return end{sent: atmostonce.MaybeSent(err), acts: l.of(body)}, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return end{status: resp.StatusCode, sent: true, acts: l.of(body)}, err
}

// first meets the network in a request's first try only.
func first(network, next http.RoundTripper) http.RoundTripper {
	isFirst := once()
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		if isFirst(nil) {
			return network.RoundTrip(req)
		}
		return next.RoundTrip(req)
	})
}

func answer(status int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}

func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// TestFaults meets each fault in the first try.
func TestFaults(t *testing.T) {
	t.Parallel()
	ok := end{status: 200, sent: true, acts: 1}
	notSent := end{}
	lost := end{sent: true, acts: 1}
	inVain := end{sent: true} // nothing was sent, and nobody can know
	overTLS := []faults.Protocol{faults.HTTPS1, faults.HTTPS2}
	overHTTP1 := []faults.Protocol{faults.HTTP1, faults.HTTPS1}
	http2 := []faults.Protocol{faults.HTTPS2}
	raw := func(h faults.HTTP2) func(*faults.Server, *ledger) http.RoundTripper {
		return func(s *faults.Server, l *ledger) http.RoundTripper {
			mine := h
			mine.Meets, mine.Process = once(), l.process
			return mine.Network(s)
		}
	}
	on := func(network faults.Network) func(*faults.Server, *ledger) http.RoundTripper {
		return func(s *faults.Server, _ *ledger) http.RoundTripper { return network(s) }
	}
	at := func(fault func(http.ResponseWriter, *http.Request)) func(*faults.Server, *ledger) http.RoundTripper {
		return func(s *faults.Server, l *ledger) http.RoundTripper {
			l.fault = fault
			return faults.Plain(s)
		}
	}
	for _, tt := range []struct {
		name    string
		only    []faults.Protocol
		network func(*faults.Server, *ledger) http.RoundTripper
		want    end
	}{
		{name: "none", network: on(faults.Plain), want: ok},
		{name: "refused dial", network: on(faults.RefusedDial), want: ok},
		{name: "DNS failure", network: on(faults.DNSFailure), want: ok},
		{name: "connect timeout", network: on(faults.ConnectTimeout), want: ok},
		{name: "proxy refuses CONNECT", only: overTLS, network: on(faults.ProxyRefuses), want: ok},
		{name: "TLS handshake failure", only: overTLS, network: on(faults.HandshakeFailure), want: ok},
		{name: "unknown certificate authority", only: overTLS, network: on(faults.UnknownAuthority), want: notSent},
		{name: "returns before it dials", network: on(faults.ReturnsEarly), want: ok},
		{name: "buffers, and returns before it dials", network: on(faults.ReturnsEarlyBuffered), want: ok},
		{name: "GOAWAY before", only: http2, network: raw(faults.HTTP2{GoAway: true}), want: inVain},
		{name: "GOAWAY after", only: http2, network: raw(faults.HTTP2{GoAway: true, Processed: true}), want: lost},
		{name: "REFUSED_STREAM before", only: http2, network: raw(faults.HTTP2{Code: 7}), want: inVain},
		{name: "REFUSED_STREAM after", only: http2, network: raw(faults.HTTP2{Code: 7, Processed: true}), want: lost},
		{name: "PROTOCOL_ERROR after", only: http2, network: raw(faults.HTTP2{Code: 1, Processed: true}), want: lost},
		{name: "closed keep-alive connection", only: overHTTP1, network: on(faults.ClosedKeepAlive), want: ok},
		{name: "reset after", network: at(breakOff), want: lost},
		{name: "503 after", network: at(answer(503)), want: end{503, true, 1}},
		{name: "429 after", network: at(answer(429, "Retry-After", "0")), want: end{429, true, 1}},
		{name: "408 after", network: at(answer(408)), want: end{408, true, 1}},
	} {
		for _, proto := range faults.Protocols {
			if len(tt.only) > 0 && !slices.Contains(tt.only, proto) {
				continue
			}
			if tt.name == "closed keep-alive connection" && runtime.GOOS == "windows" {
				continue // It cannot be seen there.
			}
			t.Run(fmt.Sprintf("%s/%s", tt.name, proto), func(t *testing.T) {
				t.Parallel()
				l := &ledger{}
				s := faults.Serve(t, proto, l)
				client := &http.Client{Transport: &atmostonce.Transport{
					Base: first(tt.network(s, l), faults.Plain(s)),
				}}
				got, err := post(t, client, l, s.URL, "order 1")
				assert.Equal(t, tt.want, got, "%v", err)
			})
		}
	}
}

// TestHeaderActs has servers that act on a header alone, as for POST
// /charges/1/capture, and then fail.
func TestHeaderActs(t *testing.T) {
	t.Parallel()
	for name, network := range map[string]func(*faults.Server, *ledger) http.RoundTripper{
		"HTTP/2, REFUSED_STREAM": func(s *faults.Server, l *ledger) http.RoundTripper {
			return faults.HTTP2{OnHeader: true, Processed: true, Code: 7, Meets: func([]byte) bool { return true }, Process: l.process}.Network(s)
		},
		"HTTP/2, GOAWAY": func(s *faults.Server, l *ledger) http.RoundTripper {
			return faults.HTTP2{OnHeader: true, Processed: true, GoAway: true, Meets: func([]byte) bool { return true }, Process: l.process}.Network(s)
		},
	} {
		for kind, body := range map[string]io.Reader{
			"no body":   nil,
			"body":      strings.NewReader("order"),
			"slow body": iotest.OneByteReader(strings.NewReader("order")),
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				l := &ledger{}
				s := faults.Serve(t, faults.HTTPS2, l)
				client := &http.Client{Transport: &atmostonce.Transport{Base: network(s, l)}}
				got, err := do(client, l, newRequest(t, http.MethodPost, s.URL, body), "")
				require.Error(t, err)
				assert.Equal(t, end{sent: true, acts: 1}, got, "%v", err)
			})
		}
	}
}

// TestBody tries again with bodies of all kinds.
func TestBody(t *testing.T) {
	t.Parallel()
	type bodyCase struct {
		body    func() io.Reader
		change  func(*http.Request)
		buffers bool // the first try reads the body before it has a connection
		want    end
	}
	text := func() io.Reader { return strings.NewReader("order") }
	stream := func() io.Reader { return io.MultiReader(strings.NewReader("or"), strings.NewReader("der")) }
	ok := end{status: 200, sent: true, acts: 1}
	for name, tt := range map[string]bodyCase{
		"with GetBody":             {body: text, want: ok},
		"with GetBody, buffered":   {body: text, buffers: true, want: ok},
		"stream":                   {body: stream, want: ok},
		"stream, buffered":         {body: stream, buffers: true, want: end{}}, // It is gone.
		"none":                     {body: func() io.Reader { return http.NoBody }, want: ok},
		"Expect: 100-continue":     {body: text, change: func(r *http.Request) { r.Header.Set("Expect", "100-continue") }, want: ok},
		"GetBody fails":            {body: text, change: getBodyFails, want: ok},
		"GetBody fails, buffered":  {body: text, change: getBodyFails, buffers: true, want: end{}},
		"with an unknown length":   {body: text, change: func(r *http.Request) { r.ContentLength = -1 }, want: ok},
		"the program's own method": {body: text, change: func(r *http.Request) { r.Method = "CHARGE" }, want: ok},
	} {
		for _, proto := range faults.Protocols {
			for _, direct := range []bool{false, true} {
				if direct && tt.buffers {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/direct=%v", name, proto, direct), func(t *testing.T) {
					t.Parallel()
					l := &ledger{}
					s := faults.Serve(t, proto, l)
					var network faults.Network = faults.RefusedDial
					if tt.buffers {
						network = faults.ReturnsEarlyBuffered
					}
					plain := s.Transport(func(t *http.Transport) { t.ExpectContinueTimeout = limit })
					var base http.RoundTripper = first(network(s), plain)
					wanted := tt.want
					if direct {
						isFirst := once()
						plain.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
							if isFirst(nil) {
								address = faults.Nobody
							}
							return new(net.Dialer).DialContext(ctx, network, address)
						}
						base = plain
						if strings.HasPrefix(name, "GetBody fails") {
							wanted = end{} // net/http has closed the only one.
						}
					}
					client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
					req := newRequest(t, http.MethodPost, s.URL, tt.body())
					if tt.change != nil {
						tt.change(req)
					}
					closed := &closeCounter{ReadCloser: req.Body}
					if req.Body != http.NoBody {
						req.Body = closed
					}
					want := "order"
					if name == "none" {
						want = ""
					}
					got, err := do(client, l, req, want)
					assert.Equal(t, wanted, got, "%v", err)
					if req.Body != http.NoBody && !tt.buffers {
						assert.Eventually(t, func() bool { return closed.count() == 1 }, limit, time.Millisecond, "it is closed once")
					}
				})
			}
		}
	}
}

func getBodyFails(r *http.Request) {
	r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("the file is gone") }
}

type closeCounter struct {
	io.ReadCloser
	mu sync.Mutex
	n  int
}

func (c *closeCounter) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.ReadCloser.Close()
}

func (c *closeCounter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// TestHTTPClientTimeout shows that a deadline tells more than an http.Client's
// Timeout, for which net/http may make an error of its own.
func TestHTTPClientTimeout(t *testing.T) {
	t.Parallel()
	s := faults.Serve(t, faults.HTTP1, &ledger{})
	base := s.Transport(func(t *http.Transport) {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	client := &http.Client{Transport: &atmostonce.Transport{Base: base}, Timeout: 10 * time.Millisecond}
	_, err := client.Do(newRequest(t, http.MethodPost, s.URL, strings.NewReader("order")))
	require.ErrorIs(t, err, context.DeadlineExceeded)

	client.Timeout = 0
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = client.Do(newRequest(t, http.MethodPost, s.URL, strings.NewReader("order")).WithContext(ctx))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.False(t, atmostonce.MaybeSent(err), "%v", err)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout(), "%v", err)
}

// TestRedirect shows that an http.Client sends a body again after a 307, and that
// an error after that does not deny the first request.
func TestRedirect(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	s := faults.Serve(t, faults.HTTP1, l)
	l.fault = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
		}
	}
	client := &http.Client{Transport: &atmostonce.Transport{Base: faults.Plain(s)}}
	got, err := post(t, client, l, s.URL+"/?to=/elsewhere", "twice")
	require.NoError(t, err)
	assert.Equal(t, end{200, true, 2}, got)

	got, err = post(t, client, l, s.URL+"/?to=http://"+faults.Nobody, "then nowhere")
	require.Error(t, err)
	assert.Equal(t, end{sent: true, acts: 1}, got)

	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got, err = post(t, client, l, s.URL+"/?to=/elsewhere", "once")
	require.NoError(t, err)
	assert.Equal(t, end{307, true, 1}, got)
}

// TestRepeatable passes on what may be repeated.
func TestRepeatable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, key string
		unchanged   bool
	}{
		{"", "", true}, {"GET", "", true}, {"HEAD", "", true}, {"OPTIONS", "", true}, {"TRACE", "", true},
		{"PUT", "", true}, {"DELETE", "", true},
		{"POST", "Idempotency-Key", false}, {"PATCH", "X-Idempotency-Key", false},
		{"POST", "", false}, {"PATCH", "", false}, {"CHARGE", "", false}, {"get", "", false},
	} {
		t.Run(tt.method+" "+tt.key, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequest("POST", "http://example.com", strings.NewReader("order"))
			req.Method = tt.method
			if tt.key != "" {
				req.Header[tt.key] = nil
			}
			var seen *http.Request
			failed := errors.New("failed")
			transport := &atmostonce.Transport{Base: faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
				seen = req
				return nil, failed
			})}
			_, err := transport.RoundTrip(req)
			assert.Equal(t, failed, err)
			assert.True(t, atmostonce.MaybeSent(err))
			assert.Equal(t, tt.unchanged, seen == req)
		})
	}
}

// TestWait is about when the next try comes.
func TestWait(t *testing.T) {
	t.Parallel()
	refused := func(tries *int) *atmostonce.Transport {
		return &atmostonce.Transport{Base: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			*tries++
			return nil, errors.New("connection refused")
		}}}
	}
	send := func(ctx context.Context, transport *atmostonce.Transport) error {
		body := &closeCounter{ReadCloser: io.NopCloser(strings.NewReader("order"))}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://example.com", body)
		require.NoError(t, err)
		_, err = transport.RoundTrip(req)
		require.Error(t, err)
		assert.Equal(t, 1, body.count(), "it is closed")
		assert.False(t, atmostonce.MaybeSent(err))
		return err
	}
	for name, tt := range map[string]struct {
		end         time.Duration // of the context; 0: never
		cancels     bool          // rather than a deadline
		tries       int
		least, most time.Duration
		is          error
	}{
		"as often as it may":     {tries: 3, least: 200 * time.Millisecond, most: 500 * time.Millisecond},
		"no time to wait":        {end: 50 * time.Millisecond, tries: 1},
		"canceled in the wait":   {end: 50 * time.Millisecond, cancels: true, tries: 1, least: 50 * time.Millisecond, most: 50 * time.Millisecond, is: context.Canceled},
		"canceled before it all": {end: -1, cancels: true, is: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				switch {
				case tt.cancels:
					c, cancel := context.WithCancel(ctx)
					ctx = c
					if tt.end < 0 {
						cancel()
					}
					time.AfterFunc(tt.end, cancel)
				case tt.end > 0:
					c, cancel := context.WithTimeout(ctx, tt.end)
					defer cancel()
					ctx = c
				}
				tries, start := 0, time.Now()
				err := send(ctx, refused(&tries))
				took := time.Since(start)
				assert.Equal(t, tt.tries, tries)
				assert.GreaterOrEqual(t, took, tt.least)
				assert.LessOrEqual(t, took, tt.most)
				if tt.is != nil {
					assert.ErrorIs(t, err, tt.is)
				}
				if tt.end < 0 {
					assert.EqualError(t, err, "context canceled")
				}
			})
		})
	}
}

// TestOwnBase closes the idle connections of the Transport's own Base.
func TestOwnBase(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	conns := map[string]bool{}
	l := &ledger{fault: func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		conns[r.RemoteAddr] = true
	}}
	s := faults.Serve(t, faults.HTTP1, l)
	client := &http.Client{Transport: &atmostonce.Transport{}}
	for i, want := range []int{1, 1, 2} {
		if i == 2 {
			client.CloseIdleConnections()
		}
		got, err := post(t, client, l, s.URL, fmt.Sprint(i))
		assert.Equal(t, end{200, true, 1}, got, "%v", err)
		mu.Lock()
		assert.Len(t, conns, want)
		mu.Unlock()
	}
	client.CloseIdleConnections() // Otherwise a goroutine is left.
}

func TestMaybeSent(t *testing.T) {
	t.Parallel()
	transport := &atmostonce.Transport{Base: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("connection refused")
	}}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://example.com", nil)
	require.NoError(t, err)
	_, unsent := (&http.Client{Transport: transport}).Do(req)
	require.Error(t, unsent)
	other := errors.New("other")
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"nil":                    {nil, true},
		"another error":          {other, true},
		"unsent":                 {unsent, false},
		"wrapped":                {fmt.Errorf("charging: %w", unsent), false},
		"joined with another":    {errors.Join(unsent, other), true},
		"joined with its like":   {errors.Join(unsent, fmt.Errorf("again: %w", unsent)), false},
		"wrapped with another":   {fmt.Errorf("%w: %w", other, unsent), true},
		"joined with nothing":    {wraps(nil), true},
		"the text alone":         {errors.New(unsent.Error()), true},
		"the cause without it":   {errors.Unwrap(errors.Unwrap(unsent)), true},
		"a context that is over": {context.Canceled, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, atmostonce.MaybeSent(tt.err))
		})
	}
}

type wraps []error

func (w wraps) Error() string   { return "several" }
func (w wraps) Unwrap() []error { return w }

// A request without a URL ends as with net/http.
func TestNoURL(t *testing.T) {
	t.Parallel()
	for _, base := range []http.RoundTripper{nil, &http.Transport{}, struct{ http.RoundTripper }{&http.Transport{}}} {
		_, err := (&atmostonce.Transport{Base: base}).RoundTrip(&http.Request{Method: http.MethodPost, Header: http.Header{}})
		assert.EqualError(t, err, "http: nil Request.URL", "%T", base)
	}
}
