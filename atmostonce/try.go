package atmostonce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"time"
)

// A Try is one attempt to send a request, and the evidence of whether it was
// sent. Use it through [Transport.Try] if you decide yourself what to try again,
// because you know the API's refusals.
type Try struct {
	req       *http.Request // the caller's
	needsBody bool
	cancel    context.CancelCauseFunc
	trace     httptrace.ClientTrace

	mu      sync.Mutex
	first   body
	reading *body // the one body that was read
	closed  bool  // the caller's body is
	dead    bool  // a kept connection was
	asked   int   // for a connection, how often
	handed  bool  // a connection
	resent  bool  // refused a second connection
	started bool
	sealed  bool // the try is over
}

// Try makes one attempt to send req, whatever its method, and returns what Base
// returned. It never tries again. Call End when the answer's body has been read,
// or when there is no answer. Until then, the body of req belongs to the Try.
func (t *Transport) Try(req *http.Request) (*http.Response, *Try, error) {
	base, connectTimeout := t.base()
	try := &Try{req: req, needsBody: t.NeedsBody}
	ctx, cancel := context.WithCancelCause(req.Context())
	try.cancel = cancel
	if err := ctx.Err(); err != nil {
		return nil, try, err
	}
	try.started = true
	if connectTimeout > 0 {
		defer time.AfterFunc(connectTimeout, func() { try.giveUpConnecting(connectTimeout) }).Stop()
	}
	try.trace = httptrace.ClientTrace{GetConn: try.getConn, GotConn: try.gotConn}
	ctx = httptrace.WithClientTrace(ctx, &try.trace)
	out := req.WithContext(ctx)
	if try.hasBody() {
		try.first.try = try
		out.Body, out.GetBody = &try.first, try.getBody
	}
	resp, err := base.RoundTrip(out)
	for err != nil && try.metDead() {
		out = req.WithContext(ctx)
		if try.hasBody() {
			out.Body, out.GetBody = &body{try: try}, try.getBody
		}
		resp, err = base.RoundTrip(out)
	}
	switch {
	case try.wasResent():
		err = errResent
	case err == nil && resp == nil:
		err = errors.New("the http.RoundTripper returned neither a response nor an error")
	}
	if err != nil && resp != nil {
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		resp = nil
	}
	if resp != nil && resp.Request == out {
		resp.Request = req // Its context goes on, and its body can be had again.
	}
	return resp, try, err
}

func (t *Try) hasBody() bool { return t.req.Body != nil && t.req.Body != http.NoBody }

// End ends the try and closes the request's body: whoever still holds the
// request cannot send it any more. It reports whether the request was certainly
// not sent, and never will be.
func (t *Try) End() (unsent bool) {
	unsent = t.seal()
	t.close()
	return unsent
}

// seal is End without closing the request's body, which may serve another try.
func (t *Try) seal() (unsent bool) {
	defer t.cancel(errOver)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = true
	return t.unsent()
}

// close closes the request's body, if it is not closed.
func (t *Try) close() {
	t.mu.Lock()
	closed := t.closed
	t.closed = true
	t.mu.Unlock()
	if !closed && t.hasBody() {
		_ = t.req.Body.Close()
	}
}

// unsent reports whether nothing was sent so far. Either of two proofs is enough:
// a body that the server needs was not read, or no connection was handed to
// whoever asked for one. The second serves for a Base that reads the body before
// it has a connection.
func (t *Try) unsent() bool {
	return !t.started || t.bodySafe() || t.asked > 0 && !t.handed
}

// bodySafe reports whether nobody has read the body that the server needs.
func (t *Try) bodySafe() bool { return t.needsBody && t.hasBody() && t.reading == nil }

// metDead reports whether nothing but a dead connection was in the way. net/http
// does not always take the next one by itself: it may find out at the same time.
func (t *Try) metDead() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	met := t.dead && !t.handed && t.reading == nil && t.req.Context().Err() == nil
	t.dead = false
	return met
}

func (t *Try) wasRead() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reading != nil
}

// wasClosed reports whether Base is done with the request's body.
func (t *Try) wasClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed || !t.hasBody()
}

func (t *Try) wasResent() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.resent
}

func (t *Try) giveUpConnecting(timeout time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.handed {
		t.cancel(fmt.Errorf("no connection within %v: %w", timeout, os.ErrDeadlineExceeded))
	}
}

var (
	errOver   = errors.New("the try is over")
	errResent = errors.New("the request is not sent again, because it may have been processed")
)

func (t *Try) getConn(string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
}

// gotConn takes note of a connection. One that is of no use is closed before
// anything is written, not even the header; net/http then takes the next one by
// itself, if GetBody lets it.
func (t *Try) gotConn(info httptrace.GotConnInfo) {
	conn := info.Conn // It may be nil: not every RoundTripper tells.
	if info.WasIdle && conn != nil && dead(conn) {
		_ = conn.Close()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.dead = true
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case isDump(conn):
		t.asked--
	case t.sealed:
		// Whoever still holds the request may have a copy of the body.
		if !t.bodySafe() {
			closeConn(conn)
		}
	case t.handed && !t.unsent():
		t.resent = true
		t.cancel(errResent)
		// Over HTTP/1.1, the request may still be written. Over HTTP/2, the cancel
		// comes first, unless Base keeps it from the request, and others may be
		// using the connection.
		if shared := info.Reused && !info.WasIdle && overHTTP2(conn); !shared {
			closeConn(conn)
		}
	default:
		t.handed = true
	}
}

// isDump reports whether a connection is that of [httputil.DumpRequestOut], which
// leads nowhere.
func isDump(conn net.Conn) bool {
	return conn != nil && conn.RemoteAddr() == nil && fmt.Sprintf("%T", conn) == "*httputil.dumpConn"
}

// closeConn closes a connection, if it can be closed. That of quic-go is for show,
// and panics.
func closeConn(conn net.Conn) {
	if conn != nil {
		defer func() { _ = recover() }()
		_ = conn.Close()
	}
}

// getBody is the request's GetBody. net/http calls it to send the request again
// on another connection.
func (t *Try) getBody() (io.ReadCloser, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reading != nil || t.handed && !t.unsent() {
		return nil, errResent
	}
	return &body{try: t}, nil
}

// A body reads the caller's, if no other body of the Try has.
type body struct {
	try    *Try
	closed bool // guarded by try.mu
}

func (b *body) Read(p []byte) (int, error) {
	t := b.try
	t.mu.Lock()
	var err error
	switch {
	case t.sealed:
		err = errOver
	case b.closed:
		err = errors.New("the body is closed")
	case t.reading != nil && t.reading != b:
		err = errResent
	default:
		t.reading = b
	}
	t.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return t.req.Body.Read(p)
}

// Close leaves an unread body for the next try.
func (b *body) Close() error {
	b.try.mu.Lock()
	b.closed = true
	read := b.try.reading == b
	b.try.mu.Unlock()
	if read {
		b.try.close()
	}
	return nil
}
