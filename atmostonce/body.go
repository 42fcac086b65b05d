package atmostonce

import (
	"io"
	"net/http"
)

func (a *attempt) hasBody() bool { return a.content != nil && a.content != http.NoBody }

// nextBody returns the body for the next attempt, if it can be had.
func (a *attempt) nextBody() (io.ReadCloser, bool) {
	a.mu.Lock()
	unread := a.body != nil && !a.body.read
	a.mu.Unlock()
	switch {
	case !a.hasBody() || unread:
		return a.content, true
	case a.req.GetBody == nil:
		return nil, false
	}
	body, err := a.req.GetBody()
	return body, err == nil
}

// getBody is the request's GetBody for a Base that is not an http.Transport. A copy
// does no harm as long as nothing was sent.
func (a *attempt) getBody() (io.ReadCloser, error) {
	a.mu.Lock()
	sent := (a.handed || a.wrote) && !a.repeats
	a.copied = true
	a.mu.Unlock()
	if sent {
		return nil, errResent
	}
	return a.req.GetBody()
}

// A body is a request's while the attempt is under way. Unread, it is left for the
// next one.
type body struct {
	io.ReadCloser
	a *attempt
	// guarded by a.mu
	read, closing, closed bool
}

func (b *body) Read(p []byte) (int, error) {
	b.a.mu.Lock()
	if b.a.over && !b.a.handed {
		b.a.mu.Unlock()
		return 0, errOver
	}
	b.read = true
	b.a.mu.Unlock()
	return b.ReadCloser.Read(p)
}

// Close is for Base, which has to close what it has read.
func (b *body) Close() error { return b.close(true, false) }

// close closes the body if it is not left for the next attempt.
func (b *body) close(byBase, last bool) error {
	b.a.mu.Lock()
	b.closing = b.closing || byBase
	now := b.closing && (last || b.read || b.a.handed) || last && b.a.over && !b.read
	now = now && !b.closed
	b.closed = b.closed || now
	b.a.mu.Unlock()
	if !now {
		return nil
	}
	return b.ReadCloser.Close()
}

// untilRead returns an answer's body that ends the attempt when it is closed, or when
// it was read to its end and the request was written.
func (a *attempt) untilRead(body io.ReadCloser) io.ReadCloser {
	if body == nil {
		body = http.NoBody // It is against the rules, and net/http forgives it.
	}
	if body == http.NoBody {
		a.done(&a.read)
		return body
	}
	if _, ok := body.(io.Writer); ok { // 101 Switching Protocols: it is a connection.
		a.end(errOver)
		return body
	}
	a.answer = answerBody{body, a}
	return &a.answer
}

// done notes that the request was written or the answer read. Both end the attempt.
func (a *attempt) done(which *bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*which = true
	if a.read && a.written {
		a.endLocked(errOver)
	}
}

type answerBody struct {
	io.ReadCloser
	a *attempt
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.a.done(&b.a.read)
	}
	return n, err
}

func (b *answerBody) Close() error {
	defer b.a.end(errOver)
	return b.ReadCloser.Close()
}
