package atmostonce

import (
	"io"
	"net/http"
)

func (a *attempt) hasBody() bool { return a.content != nil && a.content != http.NoBody }

// hasContent reports whether the body can be sent again.
func (a *attempt) hasContent() bool {
	return !a.hasBody() || a.unread() || a.req.GetBody != nil
}

func (a *attempt) unread() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.body != nil && !a.body.read
}

// again returns the body for the next attempt.
func (a *attempt) again() (io.ReadCloser, error) {
	if !a.hasBody() || a.unread() {
		return a.content, nil
	}
	return a.req.GetBody()
}

// getBody is the request's GetBody for a Base that is not an http.Transport. A copy
// does no harm as long as nothing was sent.
func (a *attempt) getBody() (io.ReadCloser, error) {
	a.mu.Lock()
	sent := (a.handed > 0 || a.wrote) && !a.repeats
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
	attempt *attempt
	// guarded by attempt.mu
	read    bool // if only in part
	reading bool // now
	closing bool // by Base
	settled bool // no attempt follows
	closed  bool
}

func (b *body) Read(p []byte) (int, error) {
	b.attempt.mu.Lock()
	over := b.attempt.over && b.attempt.handed == 0
	b.read = b.read || !over
	b.reading = !over
	b.attempt.mu.Unlock()
	if over {
		return 0, errOver
	}
	n, err := b.ReadCloser.Read(p)
	b.attempt.mu.Lock()
	b.reading = false
	b.attempt.mu.Unlock()
	return n, err
}

// Close is for Base.
func (b *body) Close() error { return b.close(func() { b.closing = true }) }

// settle is for the end of the last attempt. After a failure, it closes the body for
// a Base that does not, unless that is still reading.
func (b *body) settle(failed bool) {
	_ = b.close(func() { b.settled = true; b.closing = b.closing || failed && !b.reading })
}

func (b *body) close(note func()) error {
	b.attempt.mu.Lock()
	note()
	now := b.closing && (b.read || b.settled || b.attempt.handed > 0) && !b.closed
	b.closed = b.closed || now
	b.attempt.mu.Unlock()
	if !now {
		return nil
	}
	return b.ReadCloser.Close()
}

// answer returns an answer's body that ends the attempt when it is closed, or when
// it was read to its end and the request was written.
func (a *attempt) answer(rc io.ReadCloser) io.ReadCloser {
	if rc == nil {
		rc = http.NoBody // It is against the rules, and net/http forgives it.
	}
	if rc == http.NoBody {
		a.done(&a.read)
		return rc
	}
	type halfCloser interface {
		io.Writer
		CloseWrite() error
	}
	b := answerBody{rc, a}
	switch w := rc.(type) { // 101 Switching Protocols
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

// done notes that one of two things is done. Both end the attempt.
func (a *attempt) done(which *bool) {
	a.mu.Lock()
	*which = true
	both := a.read && a.uploaded
	a.mu.Unlock()
	if both {
		a.end()
	}
}

type answerBody struct {
	io.ReadCloser
	attempt *attempt
}

func (b answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.attempt.done(&b.attempt.read)
	}
	return n, err
}

func (b answerBody) Close() error {
	defer b.attempt.end()
	return b.ReadCloser.Close()
}
