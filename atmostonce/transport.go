package atmostonce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// A Transport is an [http.RoundTripper] that sends a request at most once. It
// retries only if nothing was sent: it makes up to three attempts, with a short
// wait between them, within the request's context. [MaybeSent] reports of its
// errors whether the request may have been sent.
//
// A request with the method GET, HEAD, OPTIONS, TRACE, PUT or DELETE may be
// repeated. It passes unchanged. One with an Idempotency-Key or X-Idempotency-Key
// in its Header may be repeated by Base, as net/http does.
//
// A dial that takes long leaves time for another one: an attempt that is not the
// last waits for its connection, from the start of a dial, for half of the time
// until the deadline of the request's context. The next one takes a connection
// that comes late. Apart from that, the limits are those of Base.
//
// The zero value is ready to use. A Transport is safe for concurrent use. It must
// not be changed or copied after its first use.
type Transport struct {
	// Base makes the requests. If it is nil, the Transport uses one of its own,
	// as NewBase makes it, or http.DefaultTransport while that is not an
	// *http.Transport, and for URLs that are neither http nor https.
	//
	// The Transport learns from Base what happens to a request, through
	// net/http/httptrace. See the package's documentation for what it assumes.
	Base http.RoundTripper

	once           sync.Once
	own            *http.Transport // used if Base is nil
	otherProtocols bool            // A protocol of Base's TLSNextProto may not report what it sends.
	sleep          sleep
}

const (
	// maxAttempts is how many attempts a Transport makes.
	maxAttempts = 3
	// enough is how much time an attempt leaves for the next one, and the wait before.
	enough = 500 * time.Millisecond
)

// RoundTrip sends the request. It implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if idempotent(req.Method) {
		base, req := t.base(req)
		return base.RoundTrip(req)
	}
	content := req.Body
	for n := 1; ; n++ {
		var connect time.Duration
		if deadline, ok := req.Context().Deadline(); ok && n < maxAttempts && time.Until(deadline) >= 2*enough {
			connect = time.Until(deadline) / 2
		}
		resp, a, err := t.attempt(req, content, connect, hasKey(req))
		if err == nil {
			return resp, nil
		}
		again := n < maxAttempts && a.verdict >= unsent && wait(req, n)
		if again {
			content, again = a.nextBody()
		}
		if !again {
			if ended := req.Context().Err(); ended != nil && a.verdict >= unsent && !errors.Is(err, ended) {
				err = fmt.Errorf("%w while waiting to retry after %w", ended, err)
			}
			return nil, a.fail(err)
		}
	}
}

// Once makes one attempt to send req, whatever its method. It never retries, and
// Base must not repeat the request, either. Use it if you decide yourself what to
// retry, because you know the API's refusals.
//
// [MaybeSent] reports of its error whether the request may have been sent. Closing
// the answer's body, or reading it to its end, ends the attempt.
//
// If connect is positive, it bounds how long Once waits for a connection from the
// start of a dial. Waiting for a busy one, under [http.Transport.MaxConnsPerHost],
// does not count. The dial goes on, for the next request.
func (t *Transport) Once(req *http.Request, connect time.Duration) (*http.Response, error) {
	resp, a, err := t.attempt(req, req.Body, connect, false)
	if err != nil {
		return nil, a.fail(err)
	}
	return resp, nil
}

// idempotent reports whether a method does no harm if a request is sent twice
// (RFC 9110, section 9.2.2).
func idempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// hasKey reports whether net/http repeats a request because of its Header. With an
// empty slice, the key is not sent.
func hasKey(req *http.Request) bool {
	_, key := req.Header["Idempotency-Key"]
	_, xKey := req.Header["X-Idempotency-Key"]
	return key || xKey
}

// wait waits between the nth attempt and the next one, if there is time.
func wait(req *http.Request, n int) bool {
	const shortest = 100 * time.Millisecond
	d := shortest + rand.N(shortest<<(n-1)) // so that clients that failed together do not come back together
	if deadline, ok := req.Context().Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	//lint:ignore SA1019 http.Client sets Cancel.
	canceled := req.Cancel
	select {
	case <-timer.C:
		return true
	case <-req.Context().Done():
	case <-canceled:
	}
	return false
}

// base returns what makes a request, and the request, changed if it has to be.
func (t *Transport) base(req *http.Request) (http.RoundTripper, *http.Request) {
	if t.Base != nil {
		t.once.Do(t.look)
		return t.Base, req
	}
	_, isTransport := http.DefaultTransport.(*http.Transport)
	switch {
	case http.DefaultTransport == http.RoundTripper(t) || req.Context().Value(t) != nil: // It leads here.
	case !isTransport:
		return http.DefaultTransport, req.WithContext(context.WithValue(req.Context(), t, true))
	case req.URL != nil && req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return http.DefaultTransport, req
	}
	return t.ownBase(), req
}

// look finds the protocols of Base that are not net/http's own.
func (t *Transport) look() {
	if base, ok := t.Base.(*http.Transport); ok {
		for name := range base.Clone().TLSNextProto { // Clone waits until net/http has added its own.
			t.otherProtocols = t.otherProtocols || name != "h2" && name != "unencrypted_http2"
		}
	}
}

func (t *Transport) ownBase() *http.Transport {
	t.once.Do(func() {
		base, ok := http.DefaultTransport.(*http.Transport)
		if !ok {
			base = &http.Transport{Proxy: http.ProxyFromEnvironment}
		}
		t.own = tuned(base)
	})
	return t.own
}

// CloseIdleConnections closes the idle connections of Base, or of the Transport's
// own. [http.Client.CloseIdleConnections] calls it.
func (t *Transport) CloseIdleConnections() {
	base := t.Base
	if base == nil {
		base = t.ownBase()
	}
	if c, ok := base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// attempt makes an attempt, and another one at once if it met nothing but dead
// connections: net/http does not always take the next one
// automatically.
func (t *Transport) attempt(req *http.Request, content io.ReadCloser, connect time.Duration, repeats bool) (*http.Response, *attempt, error) {
	for {
		a := &attempt{transport: t, req: req, content: content, connect: connect, repeats: repeats}
		resp, err := a.do()
		if err == nil || a.verdict != onlyDead || req.Context().Err() != nil {
			return resp, a, err
		}
		var ok bool
		if content, ok = a.nextBody(); !ok {
			return nil, a, err
		}
	}
}
