package atmostonce_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestBase has a Base that does more than send, or sends in its own way.
func TestBase(t *testing.T) {
	t.Parallel()
	ok := end{status: 200, sent: true, acts: 1}
	notSent := end{}
	lost := end{sent: true, acts: 1}
	http2 := []faults.Protocol{faults.HTTPS2}
	type base = func(*testing.T, *faults.Server, *ledger) http.RoundTripper
	on := func(wrap func(http.RoundTripper) http.RoundTripper, network faults.Network) base {
		return func(_ *testing.T, s *faults.Server, _ *ledger) http.RoundTripper { return wrap(network(s)) }
	}
	times := func(n int, change func(*http.Request) *http.Request, networks ...faults.Network) base {
		return func(_ *testing.T, s *faults.Server, _ *ledger) http.RoundTripper {
			var next []http.RoundTripper
			for _, network := range networks {
				next = append(next, network(s))
			}
			return repeats(n, change, next...)
		}
	}
	// resent has a server that acts, and then makes net/http send the request again.
	resent := func(h faults.HTTP2, change func(*testing.T, *faults.Server, *http.Transport) http.RoundTripper) base {
		return func(t *testing.T, s *faults.Server, l *ledger) http.RoundTripper {
			h := h
			h.Processed, h.Meets, h.Process = true, once(), l.process
			return change(t, s, h.Network(s).(*http.Transport))
		}
	}
	uncancelably := func(_ *testing.T, _ *faults.Server, network *http.Transport) http.RoundTripper {
		return repeats(2, uncancelable, network)
	}
	refuse, goAway := faults.HTTP2{Code: 7}, faults.HTTP2{GoAway: true}
	nothingTaken := faults.HTTP2{GoAway: true, Last: func(uint32) uint32 { return 0 }}
	another := func(s *faults.Server) http.RoundTripper { return &atmostonce.Transport{Base: faults.Plain(s)} }
	refused := func(s *faults.Server) http.RoundTripper { return &atmostonce.Transport{Base: faults.RefusedDial(s)} }

	for name, tt := range map[string]struct {
		only  []faults.Protocol
		base  base
		fault func(http.ResponseWriter, *http.Request)
		want  end
		says  string
	}{
		"buffers":               {base: times(1, buffered, faults.Plain), want: ok},
		"buffers, reset":        {base: times(1, buffered, faults.Plain), fault: breakOff, want: lost},
		"buffers, refused dial": {base: times(1, buffered, faults.RefusedDial), want: notSent},
		"retries after a 503":   {base: times(3, buffered, faults.Plain), fault: answer(503), want: lost},
		"retries after a reset": {base: times(3, buffered, faults.Plain), fault: breakOff, want: lost},
		"go-retryablehttp's":    {base: on(retryable, faults.Plain), fault: answer(503), want: lost},
		"sends two at once":     {base: on(sendsTwo, faults.Plain), want: end{sent: true, acts: -1}}, // one or none
		"returns both":          {base: on(returnsBoth, faults.Plain), want: lost},
		"returns neither":       {base: on(returnsNeither, faults.Plain), want: end{sent: true}, says: "neither a response nor an error"},
		// A copy of the body is not sent. Programs sign it, or log it.
		"signs":                           {base: on(signs, faults.Plain), want: ok},
		"signs, refused dial":             {base: on(signs, faults.RefusedDial), want: notSent},
		"dumps":                           {base: times(1, dumped, faults.Plain), want: ok},
		"dumps, refused dial":             {base: times(2, dumped, faults.RefusedDial), want: notSent},
		"dumps, sends twice":              {base: times(2, dumped, faults.Plain), fault: answer(503), want: lost},
		"dumps, reset, then refused dial": {base: times(2, dumped, faults.Plain, faults.RefusedDial), fault: breakOff, want: lost},
		"dumps, sends another way":        {base: times(2, dumped, silent), want: end{sent: true}},
		"dumps, and gets a token": {want: ok, base: func(t *testing.T, s *faults.Server, l *ledger) http.RoundTripper {
			next := withToken(nameServer)(t, s, l)
			return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
				if _, err := httputil.DumpRequestOut(req, false); err != nil {
					return nil, err
				}
				return next.RoundTrip(req)
			})
		}},
		"connections without an address": {base: times(2, unchanged, noRemoteAddrs), fault: answer(503), want: lost},
		// What that one says of the second request is not true of both.
		"a Transport below": {base: times(2, unchanged, another, refused), fault: breakOff, want: lost},

		"REFUSED_STREAM, uncancelable":   {only: http2, base: resent(refuse, uncancelably), want: lost},
		"GOAWAY, uncancelable":           {only: http2, base: resent(goAway, uncancelably), want: lost},
		"REFUSED_STREAM, DNS over HTTPS": {only: http2, base: resent(refuse, overHTTPS), want: lost},
		"GOAWAY, then HTTP/1.1":          {only: http2, base: resent(nothingTaken, thenHTTP1), want: lost},
		"GOAWAY, then another name":      {only: http2, base: resent(nothingTaken, anotherName), want: lost},

		"a token from elsewhere":       {base: withToken(nameServer), want: ok},
		"a token from the same server": {base: withToken(func(_ *testing.T, s *faults.Server) *faults.Server { return s }), want: end{sent: true}, says: "should use another"},
		"DNS over HTTPS": {want: ok, base: func(t *testing.T, s *faults.Server, _ *ledger) http.RoundTripper {
			return overHTTPS(t, s, s.Transport())
		}},
		"DNS over HTTPS, below a wrapper": {want: ok, base: func(t *testing.T, s *faults.Server, _ *ledger) http.RoundTripper {
			return faults.RoundTripper(overHTTPS(t, s, s.Transport()).RoundTrip)
		}},
	} {
		for _, proto := range faults.Protocols {
			if len(tt.only) > 0 && !slices.Contains(tt.only, proto) {
				continue
			}
			t.Run(name+"/"+string(proto), func(t *testing.T) {
				t.Parallel()
				l := &ledger{fault: tt.fault}
				s := faults.Serve(t, proto, l)
				got, err := post(t, &http.Client{Transport: &atmostonce.Transport{Base: tt.base(t, s, l)}}, l, s.URL, "order")
				if tt.want.acts < 0 {
					assert.LessOrEqual(t, got.acts, 1)
					got.acts = tt.want.acts
				}
				assert.Equal(t, tt.want, got, "%v", err)
				if tt.says != "" {
					assert.ErrorContains(t, err, tt.says)
				}
			})
		}
	}
}

// repeats sends a request until it is answered with 200, at most n times. Each time it
// is a copy that change has changed.
func repeats(n int, change func(*http.Request) *http.Request, networks ...http.RoundTripper) http.RoundTripper {
	return faults.RoundTripper(func(req *http.Request) (resp *http.Response, err error) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		for i := range n {
			again := req.Clone(req.Context())
			again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
			again.Body, _ = again.GetBody()
			if resp, err = networks[i%len(networks)].RoundTrip(change(again)); err == nil && resp.StatusCode == http.StatusOK {
				return resp, nil
			}
		}
		return resp, err
	})
}

func unchanged(req *http.Request) *http.Request { return req }

// buffered lets nobody below copy the body.
func buffered(req *http.Request) *http.Request {
	req.GetBody = nil
	return req
}

// uncancelable keeps the cancel from a request.
func uncancelable(req *http.Request) *http.Request {
	return req.WithContext(context.WithoutCancel(req.Context()))
}

func dumped(req *http.Request) *http.Request {
	if _, err := httputil.DumpRequestOut(req, true); err != nil {
		panic(err)
	}
	return req
}

func retryable(next http.RoundTripper) http.RoundTripper {
	c := retryablehttp.NewClient()
	c.Logger, c.RetryWaitMin, c.HTTPClient.Transport = nil, time.Millisecond, next
	return &retryablehttp.RoundTripper{Client: c}
}

func sendsTwo(next http.RoundTripper) http.RoundTripper {
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		second := req.Clone(req.Context())
		second.Body, _ = req.GetBody()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if resp, err := next.RoundTrip(second); err == nil {
				_ = resp.Body.Close()
			}
		}()
		resp, err := next.RoundTrip(req)
		<-ended
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, errors.New("both have ended")
	})
}

func returnsBoth(next http.RoundTripper) http.RoundTripper {
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		return resp, errors.Join(err, errors.New("too old"))
	})
}

func returnsNeither(http.RoundTripper) http.RoundTripper {
	return faults.RoundTripper(func(*http.Request) (*http.Response, error) { return nil, nil })
}

// silent fails, and reports nothing.
func silent(*faults.Server) http.RoundTripper {
	return faults.RoundTripper(func(*http.Request) (*http.Response, error) { return nil, io.EOF })
}

func signs(next http.RoundTripper) http.RoundTripper {
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		for range 2 {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			if _, err := io.ReadAll(body); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(req)
	})
}

func noRemoteAddrs(s *faults.Server) http.RoundTripper {
	return s.Transport(func(t *http.Transport) {
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return noRemoteAddr{conn}, err
		}
	})
}

type noRemoteAddr struct{ net.Conn }

func (noRemoteAddr) RemoteAddr() net.Addr { return nil }

// nameServer is another server, for requests before the request.
func nameServer(t *testing.T, s *faults.Server) *faults.Server {
	return faults.Serve(t, s.Proto, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// ask makes a request with the context of another one.
func ask(ctx context.Context, network http.RoundTripper, s *faults.Server) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return err
	}
	resp, err := network.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// withToken fetches a token for each request.
func withToken(from func(*testing.T, *faults.Server) *faults.Server) func(*testing.T, *faults.Server, *ledger) http.RoundTripper {
	return func(t *testing.T, s *faults.Server, _ *ledger) http.RoundTripper {
		tokens, next := from(t, s), faults.Plain(s)
		return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
			if err := ask(req.Context(), next, tokens); err != nil {
				return nil, err
			}
			return next.RoundTrip(req)
		})
	}
}

// overHTTPS makes a transport ask a name server before each dial.
func overHTTPS(t *testing.T, s *faults.Server, network *http.Transport) http.RoundTripper {
	names, resolver, dial := nameServer(t, s), s.Transport(), network.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	network.DialContext = func(ctx context.Context, proto, address string) (net.Conn, error) {
		var lookups sync.WaitGroup
		for range 2 { // A and AAAA
			lookups.Go(func() { assert.NoError(t, ask(ctx, resolver, names)) })
		}
		lookups.Wait()
		return dial(ctx, proto, address)
	}
	return network
}

// anotherName has a program's own TLS, whose name is another one for each connection.
func anotherName(_ *testing.T, _ *faults.Server, network *http.Transport) http.RoundTripper {
	var n atomic.Int32
	network.DialTLSContext = func(ctx context.Context, proto, address string) (net.Conn, error) {
		conn, err := network.DialContext(ctx, proto, address)
		if err != nil {
			return nil, err
		}
		return tls.Client(conn, &tls.Config{
			ServerName: fmt.Sprintf("server%d.example", n.Add(1)), InsecureSkipVerify: true, NextProtos: []string{"h2"},
		}), nil
	}
	return network
}

// thenHTTP1 leads to a server of HTTP/1.1 after the first dial.
func thenHTTP1(t *testing.T, s *faults.Server, network *http.Transport) http.RoundTripper {
	next := faults.Serve(t, faults.HTTPS1, s.Config.Handler)
	dial, isFirst := network.DialContext, once()
	network.DialContext = func(ctx context.Context, proto, address string) (net.Conn, error) {
		if isFirst(nil) {
			return dial(ctx, proto, address)
		}
		return new(net.Dialer).DialContext(ctx, proto, next.Listener.Addr().String())
	}
	return network
}

// TestOnlyConnections has a Base that reports its connections, and not what it writes.
// It sends each request twice.
func TestOnlyConnections(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body io.Reader
		use  func(*http.Request) (io.ReadCloser, error)
	}{
		"reads the body":  {strings.NewReader("order"), func(req *http.Request) (io.ReadCloser, error) { return req.Body, nil }},
		"copies the body": {strings.NewReader("order"), func(req *http.Request) (io.ReadCloser, error) { return req.GetBody() }},
		"has no body":     {nil, func(*http.Request) (io.ReadCloser, error) { return http.NoBody, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &ledger{}
			base := faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
				body, err := tt.use(req)
				require.NoError(t, err)
				trace := httptrace.ContextClientTrace(req.Context())
				for range 2 {
					trace.GetConn("example.com:80")
					trace.GotConn(httptrace.GotConnInfo{})
					if err := req.Context().Err(); err != nil {
						return nil, err
					}
					_, _ = io.Copy(io.Discard, body)
					l.act(nil)
				}
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
			})
			client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
			got, err := do(client, l, newRequest(t, http.MethodPost, "http://example.com", tt.body), "")
			require.Error(t, err)
			assert.Equal(t, end{sent: true, acts: 1}, got, "%v", err)
		})
	}
}

// TestResentThroughProxies has a server behind proxies that acts and asks for the order to
// be sent again. net/http asks for a connection to a proxy or, if it has kept one, to the
// server, and then for one to the same or another proxy, or to the server.
func TestResentThroughProxies(t *testing.T) {
	t.Parallel()
	refused := faults.HTTP2{Processed: true, Code: 7}
	away := faults.HTTP2{Processed: true, GoAway: true, Last: func(uint32) uint32 { return 0 }}
	for name, tt := range map[string]struct {
		proxies int32
		host    string
		kept    bool
		fault   faults.HTTP2
	}{
		"on the same connection":                     {1, "example.com", false, refused},
		"on the same connection, with an empty port": {1, "example.com:", false, refused},
		"on another connection":                      {1, "example.com", false, away},
		"on another connection than the kept one":    {1, "example.com", true, away},
		"through another proxy":                      {2, "example.com", false, away},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, isFirst := &ledger{}, once()
			s := faults.Serve(t, faults.HTTPS2, l)
			tt.fault.Meets = func(body []byte) bool { return string(body) == "order" && isFirst(body) }
			tt.fault.Process = l.process
			network := tt.fault.Network(s).(*http.Transport)
			defer network.CloseIdleConnections() // The proxies wait for it.
			var proxies []*url.URL
			for range tt.proxies {
				proxies = append(proxies, tunnel(t, network.DialContext))
			}
			var n atomic.Int32
			network.Proxy = func(*http.Request) (*url.URL, error) { return proxies[n.Add(1)%tt.proxies], nil }
			network.DialContext = nil
			network.TLSClientConfig.InsecureSkipVerify = true
			client := &http.Client{Transport: &atmostonce.Transport{Base: network}}
			send := func(body string) (end, error) {
				req := newRequest(t, http.MethodPost, s.URL, strings.NewReader(body))
				req.URL.Host, req.Host = tt.host, tt.host
				return do(client, l, req, body)
			}
			if tt.kept {
				got, err := send("first")
				require.Equal(t, end{200, true, 1}, got, "%v", err)
			}
			got, err := send("order")
			require.Error(t, err)
			assert.Equal(t, end{sent: true, acts: 1}, got, "%v", err)
		})
	}
}

// tunnel starts a proxy that takes CONNECT, and dials with dial.
func tunnel(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error)) *url.URL {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := dial(limited(t), "tcp", r.Host)
		if !assert.NoError(t, err) {
			return
		}
		defer to.Close()
		w.WriteHeader(http.StatusOK)
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		go func() { _, _ = io.Copy(to, conn) }()
		_, _ = io.Copy(conn, to)
	}))
	t.Cleanup(proxy.Close)
	u, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	return u
}
