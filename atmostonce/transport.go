package atmostonce

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// A Transport is an [http.RoundTripper] that sends a request at most once. It
// tries again only if nothing was sent: it makes up to three tries, with a short
// wait between them, within the request's context. [MaybeSent] says of its
// errors whether the request may have been sent.
//
// A request that may be repeated passes unchanged: one with the method GET, HEAD,
// OPTIONS, TRACE, PUT or DELETE, or with an Idempotency-Key or X-Idempotency-Key
// in its Header, as net/http knows it.
//
// Of any other request, Base sees a body that can be read once. What sends the
// request a second time all the same, such as a Base that retries, or one that
// answers a challenge, is refused: the request is canceled, and a connection that
// no other request is using is closed.
//
// The request's context tells the Transport of connections, and ends what must not
// go on. So Base must send the request with that context or one derived from it,
// and make requests of its own, such as one for a token, with another. A derived
// one may be without the cancel ([context.WithoutCancel]) over HTTP/1.1 only:
// connections of HTTP/2 are shared, and those of HTTP/3 cannot be closed from here.
//
// A body without GetBody is tried again as long as it is unread. Expect:
// 100-continue works as usual. An answer that comes before the body is read is
// returned as any other.
//
// The zero value is ready to use. A Transport is safe for concurrent use. It must
// not be changed or copied after its first use.
type Transport struct {
	// Base makes the requests. If it is nil, the Transport uses one of its own,
	// as NewTransport makes it, and waits at most 3 seconds for a connection.
	Base http.RoundTripper

	// NeedsBody says that the server cannot act on a request before it has the
	// body. Then a request whose body was never read was not sent, even if its
	// header was. If in doubt, leave it false.
	NeedsBody bool

	once sync.Once
	own  http.RoundTripper
}

// maxTries is how often a Transport tries.
const maxTries = 3

// RoundTrip sends the request. It implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if repeatable(req) {
		base, _ := t.base()
		return base.RoundTrip(req)
	}
	for n := 1; ; n++ {
		resp, try, err := t.Try(req)
		if err == nil {
			if resp.Body == nil {
				resp.Body = http.NoBody // It is against the rules, and net/http forgives it.
			}
			resp.Body = try.endAfter(resp.Body)
			return resp, nil
		}
		unsent := try.seal() && req.Response == nil // After a redirect, an earlier request was sent.
		if unsent && n < maxTries && temporary(err) {
			next, ended := try.again(n)
			if next != nil {
				req = next
				continue
			}
			if ended != nil {
				err = fmt.Errorf("%w while waiting to try again after %w", ended, err)
			}
		}
		try.close()
		switch {
		case unsent:
			err = &unsentError{err}
		case !MaybeSent(err): // of another Transport, below a Base that tried more than once
			err = &sentError{err}
		}
		return nil, err
	}
}

// repeatable reports whether it does no harm to send a request twice (RFC 9110,
// section 9.2.2).
func repeatable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	// net/http repeats these by itself. With an empty slice, the key is not sent.
	for _, key := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if _, ok := req.Header[key]; ok {
			return true
		}
	}
	return false
}

// temporary reports whether another try may end otherwise.
func temporary(err error) bool {
	certErr := (*tls.CertificateVerificationError)(nil)
	return !errors.As(err, &certErr)
}

// again waits and returns the request for the try after the nth. It returns nil
// if there is no time or no body for another one, with the context's error if
// that ended in the wait.
func (t *Try) again(n int) (next *http.Request, ended error) {
	ctx := t.req.Context()
	if ctx.Err() != nil {
		return nil, nil
	}
	const shortest = 100 * time.Millisecond
	wait := shortest + rand.N(shortest<<(n-1)) // so that clients that failed together do not come back together
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return nil, nil
	}
	next = t.req
	if t.wasRead() {
		if t.req.GetBody == nil {
			return nil, nil
		}
		body, err := t.req.GetBody()
		if err != nil {
			return nil, nil
		}
		t.close()
		next = t.req.WithContext(ctx)
		next.Body = body
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return next, nil
	case <-ctx.Done():
		if next != t.req {
			_ = next.Body.Close()
		}
		return nil, ctx.Err()
	}
}

// endAfter returns an answer's body that ends the try when it is closed, or when
// it was read to its end and the request's body, too.
func (t *Try) endAfter(body io.ReadCloser) io.ReadCloser {
	if body == http.NoBody && t.wasClosed() {
		t.End()
		return body
	}
	type halfCloser interface {
		io.Writer
		CloseWrite() error
	}
	b := answerBody{body, t}
	switch w := body.(type) { // 101 Switching Protocols
	case halfCloser:
		return struct {
			answerBody
			halfCloser
		}{b, w}
	case io.Writer:
		return struct {
			answerBody
			io.Writer
		}{b, w}
	}
	return b
}

type answerBody struct {
	io.ReadCloser
	try *Try
}

func (b answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.try.wasClosed() {
		b.try.End()
	}
	return n, err
}

func (b answerBody) Close() error {
	defer b.try.End()
	return b.ReadCloser.Close()
}

// base returns what makes the requests, and how long it may look for a
// connection; 0 means as long as it likes.
func (t *Transport) base() (base http.RoundTripper, connectTimeout time.Duration) {
	if t.Base != nil {
		return t.Base, 0
	}
	t.once.Do(func() { t.own = NewTransport() })
	if _, ok := t.own.(*http.Transport); !ok {
		return t.own, 0 // It belongs to the program.
	}
	return t.own, ownConnectTimeout
}

// CloseIdleConnections closes the idle connections of Base, or of the Transport's
// own. [http.Client.CloseIdleConnections] calls it.
func (t *Transport) CloseIdleConnections() {
	base, connectTimeout := t.base()
	if t.Base == nil && connectTimeout == 0 {
		return // Other code may use them.
	}
	if c, ok := base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
