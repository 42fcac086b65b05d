package atmostonce_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestRefused has requests that net/http refuses before it asks for a connection.
// None is retried.
func TestRefused(t *testing.T) {
	t.Parallel()
	noProxy := errors.New("no proxy")
	for name, tt := range map[string]struct {
		url    string
		change func(*http.Request)
		proxy  error
		says   string
	}{
		"scheme":         {url: "foo://example.com", says: "unsupported protocol scheme"},
		"header":         {change: func(r *http.Request) { r.Header["X-Bad"] = []string{"a\nb"} }, says: "invalid header"},
		"trailer":        {change: func(r *http.Request) { r.Trailer = http.Header{"X Bad": nil} }, says: "invalid trailer"},
		"method":         {change: func(r *http.Request) { r.Method = "PO ST" }, says: "invalid method"},
		"no host":        {change: func(r *http.Request) { r.URL.Host = "" }, says: "no Host"},
		"no URL":         {change: func(r *http.Request) { r.URL = nil }, says: "nil Request.URL"},
		"error of Proxy": {proxy: noProxy, says: noProxy.Error()},
	} {
		for kind, body := range map[string]io.Reader{"text": strings.NewReader("order"), "stream": io.MultiReader(strings.NewReader("order"))} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					base := &http.Transport{}
					if tt.proxy != nil {
						base.Proxy = func(*http.Request) (*url.URL, error) { return nil, tt.proxy }
					}
					req := newRequest(t, http.MethodPost, cmp.Or(tt.url, "http://example.com"), body)
					if tt.change != nil {
						tt.change(req)
					}
					closed := &closeCounter{ReadCloser: req.Body}
					req.Body = closed
					start := time.Now()
					_, err := (&atmostonce.Transport{Base: base}).RoundTrip(req)
					assert.Zero(t, time.Since(start), "it is not retried")
					assert.ErrorContains(t, err, tt.says)
					assert.False(t, atmostonce.MaybeSent(err))
					assert.Equal(t, 1, closed.count())
				})
			})
		}
	}
}

// TestOtherWay has RoundTrippers inside an http.Transport that send without a word
// to httptrace.
func TestOtherWay(t *testing.T) {
	t.Parallel()
	for name, inside := range map[string]func(*http.Transport, http.RoundTripper){
		"TLSNextProto": func(t *http.Transport, other http.RoundTripper) {
			t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{
				"x": func(_ string, conn *tls.Conn) http.RoundTripper {
					_ = conn.Close()
					return other
				},
			}
			t.TLSClientConfig.NextProtos = []string{"x"}
		},
		"RegisterProtocol": func(t *http.Transport, other http.RoundTripper) { t.RegisterProtocol("https", other) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &ledger{fault: breakOff}
			s := httptest.NewUnstartedServer(l)
			s.TLS = &tls.Config{NextProtos: []string{"x", "http/1.1"}}
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
				"x": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { _, _ = io.Copy(io.Discard, conn) },
			}
			s.StartTLS()
			defer s.Close()
			other := s.Client().Transport.(*http.Transport)
			base := &http.Transport{TLSClientConfig: other.TLSClientConfig.Clone()}
			defer base.CloseIdleConnections()
			inside(base, faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
				return other.RoundTrip(req.WithContext(limited(t)))
			}))
			client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
			got, err := post(t, client, l, s.URL, "order")
			require.Error(t, err)
			assert.Equal(t, end{sent: true, acts: 1}, got, "%v", err)
		})
	}
}

// TestKey has requests with a key by which the server knows them again. They may
// be repeated, and get the same help.
func TestKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			testKey(t, key)
		})
	}
}

func testKey(t *testing.T, key string) {
	send := func(t *testing.T, base http.RoundTripper, l *ledger, url string) (end, error) {
		req := newRequest(t, http.MethodPost, url, strings.NewReader("order"))
		req.Header.Set(key, "1")
		return do(&http.Client{Transport: &atmostonce.Transport{Base: base}}, l, req, "order")
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		got, err := send(t, &http.Transport{}, &ledger{}, "http://"+faults.Nobody)
		require.Error(t, err)
		assert.False(t, got.sent)
		assert.False(t, err.(*url.Error).Timeout())
	})
	t.Run("refused dial first", func(t *testing.T) {
		t.Parallel()
		l := &ledger{}
		s := faults.Serve(t, faults.HTTP1, l)
		got, err := send(t, first(faults.RefusedDial(s), faults.Plain(s)), l, s.URL)
		assert.Equal(t, end{200, true, 1}, got, "%v", err)
	})
	t.Run("net/http repeats", func(t *testing.T) {
		t.Parallel()
		l := &ledger{}
		s := faults.Serve(t, faults.HTTPS2, l)
		network := faults.HTTP2{Processed: true, Code: 7, Meets: once(), Process: l.process}.Network(s)
		got, err := send(t, network, l, s.URL)
		assert.Equal(t, end{200, true, 2}, got, "%v", err)
	})
	t.Run("Base repeats", func(t *testing.T) {
		t.Parallel()
		l := &ledger{fault: answer(http.StatusServiceUnavailable)}
		s := faults.Serve(t, faults.HTTP1, l)
		got, err := send(t, repeats(2, unchanged, faults.Plain(s)), l, s.URL)
		assert.Equal(t, end{503, true, 2}, got, "%v", err)
	})
}

// TestOnce makes one attempt, and nothing below makes another one, whatever the
// method.
func TestOnce(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		var dials atomic.Int32
		transport := &atmostonce.Transport{Base: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			return nil, errors.New("connection refused")
		}}}
		_, err := transport.Once(newRequest(t, http.MethodPost, "http://example.com", nil), 0)
		require.ErrorContains(t, err, "connection refused")
		assert.False(t, atmostonce.MaybeSent(err))
		assert.EqualValues(t, 1, dials.Load())
	})
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodOptions} {
		for name, key := range map[string]string{"": "", ", key": "Idempotency-Key"} {
			t.Run("broken after a kept connection/"+method+name, func(t *testing.T) {
				t.Parallel()
				l := &ledger{}
				s := faults.Serve(t, faults.HTTP1, l)
				transport := &atmostonce.Transport{Base: faults.Plain(s)}
				resp, err := transport.Once(newRequest(t, method, s.URL, strings.NewReader("order")), 0)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				l.fault = breakOff
				req := newRequest(t, method, s.URL, strings.NewReader("order"))
				if key != "" {
					req.Header.Set(key, "1")
				}
				_, err = transport.Once(req, 0)
				require.Error(t, err)
				assert.True(t, atmostonce.MaybeSent(err))
				assert.Equal(t, 2, l.of("order"))
			})
		}
	}
}

// TestErrorTypes has errors that others look for by type, and not inside another
// one.
func TestErrorTypes(t *testing.T) {
	t.Parallel()
	t.Run("a server without TLS", func(t *testing.T) {
		t.Parallel()
		s := faults.Serve(t, faults.HTTP1, &ledger{})
		client := &http.Client{Transport: &atmostonce.Transport{Base: &http.Transport{}}}
		_, err := client.Do(newRequest(t, http.MethodPost, "https"+strings.TrimPrefix(s.URL, "http"), nil))
		require.ErrorIs(t, err, http.ErrSchemeMismatch)
		assert.False(t, atmostonce.MaybeSent(err))
	})
	t.Run("an unknown authority, below go-retryablehttp", func(t *testing.T) {
		t.Parallel()
		s := faults.Serve(t, faults.HTTPS1, &ledger{})
		var tries atomic.Int32
		c := retryablehttp.NewClient()
		c.Logger, c.RetryWaitMin = nil, time.Millisecond
		c.HTTPClient.Transport = &atmostonce.Transport{Base: faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
			tries.Add(1)
			return faults.UnknownAuthority(s).RoundTrip(req)
		})}
		req, err := retryablehttp.FromRequest(newRequest(t, http.MethodPost, s.URL, strings.NewReader("order")))
		require.NoError(t, err)
		_, err = c.Do(req)
		require.ErrorAs(t, err, new(x509.UnknownAuthorityError))
		assert.False(t, atmostonce.MaybeSent(err))
		assert.EqualValues(t, 1, tries.Load())
	})
}

// TestDefaultTransport changes what is global, and is not parallel: what
// http.DefaultTransport is at the time of a request decides.
func TestDefaultTransport(t *testing.T) {
	original := http.DefaultTransport
	defer func() { http.DefaultTransport = original }()
	l := &ledger{}
	s := httptest.NewServer(l)
	defer s.Close()
	mock := faults.RoundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusTeapot}, nil
	})
	transport := &atmostonce.Transport{}
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	for i, tt := range []struct {
		transport http.RoundTripper
		want      end
	}{
		{original, end{200, true, 1}},
		{mock, end{418, true, 0}},
		{original, end{200, true, 1}},
		{transport, end{200, true, 1}},
		{faults.RoundTripper(transport.RoundTrip), end{200, true, 1}},
	} {
		http.DefaultTransport = tt.transport
		order := "order " + string(rune('0'+i))
		got, err := post(t, client, l, s.URL, order)
		assert.Equal(t, tt.want, got, "%d: %v", i, err)
		got, err = do(client, l, newRequest(t, http.MethodGet, s.URL, nil), order)
		assert.Equal(t, tt.want, got, "%d: %v", i, err)
	}

	clone := original.(*http.Transport).Clone()
	clone.RegisterProtocol("mock", mock)
	http.DefaultTransport = clone
	got, err := post(t, client, l, "mock://example.com", "order")
	assert.Equal(t, end{418, true, 0}, got, "%v", err)

	// A dialer makes a request. It is none that may be repeated.
	resolving := original.(*http.Transport).Clone()
	http.DefaultTransport = overHTTPS(t, faults.Serve(t, faults.HTTP1, l), resolving)
	resolved := &atmostonce.Transport{}
	resp, err := resolved.Once(newRequest(t, http.MethodPut, s.URL, nil), 0)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	resolved.CloseIdleConnections()

	fresh := &atmostonce.Transport{}
	http.DefaultTransport = fresh // and nothing of net/http's was ever seen
	got, err = post(t, &http.Client{Transport: fresh}, l, s.URL, "fresh")
	assert.Equal(t, end{200, true, 1}, got, "%v", err)
	fresh.CloseIdleConnections()
}

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
