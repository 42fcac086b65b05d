package atmostonce

import (
	"crypto/tls"
	"net/http"
	"time"
)

// idleTimeout is less than the 60 s of common load balancers: if the other side
// is just closing the connection, the outcome of a request on it is unknown.
const idleTimeout = 45 * time.Second

// NewBase returns what a [Transport] uses if its Base is nil, for programs that
// wrap it and set the result as Base. Alone, it protects no request.
//
// It is a clone of [http.DefaultTransport], with its dialer, limits and proxy,
// that speaks HTTP/1.1, resumes TLS sessions, and keeps up to 256 idle connections
// to a host (net/http keeps 2) for 45 seconds. If the program has replaced
// http.DefaultTransport with something other than an [*http.Transport], such as a
// mock, NewBase returns that.
func NewBase() http.RoundTripper {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return tuned(t)
	}
	return http.DefaultTransport
}

// tuned returns a changed clone.
func tuned(t *http.Transport) *http.Transport {
	t = t.Clone()
	t.MaxIdleConns = 256
	t.MaxIdleConnsPerHost = 256
	t.IdleConnTimeout = idleTimeout
	// Over HTTP/2, proxies reset streams that they have processed in a way that
	// asks for another try (https://github.com/haproxy/haproxy/issues/3414), and
	// one broken connection leaves the outcome of many requests unknown.
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = nil
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	if t.TLSClientConfig.ClientSessionCache == nil {
		t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	return t
}
