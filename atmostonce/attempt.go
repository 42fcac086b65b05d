package atmostonce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"time"
)

// An attempt is one attempt to send a request.
type attempt struct {
	transport *Transport
	req       *http.Request
	content   io.ReadCloser // the body to send
	repeats   bool          // Base may repeat the request.
	connect   time.Duration // how long a dial may take; 0 is no limit

	direct *http.Transport         // Base, if it is one. Another RoundTripper might do anything.
	own    bool                    // direct is the Transport's own. It speaks HTTP/1.1, and nothing else.
	cancel context.CancelCauseFunc // nil if it is not needed
	trace  httptrace.ClientTrace
	body   *body // around content; nil if that is passed on unchanged
	answer answerBody

	verdict verdict // known when Base has returned an error

	mu sync.Mutex
	evidence
	over    bool        // Nothing must be sent any more.
	dialing *time.Timer // until the attempt gives up
	written bool        // The request was written to its end.
	read    bool        // The answer was read to its end.
}

var errOver = errors.New("the attempt is over")

// do makes the attempt.
func (a *attempt) do() (*http.Response, error) {
	base, out := a.transport.base(a.req)
	a.direct, _ = base.(*http.Transport)
	now := time.Now()
	a.transport.sleep.look(now, now.Round(0))
	ctx := out.Context()
	a.own = a.direct != nil && a.direct == a.transport.own
	if a.connect > 0 || !a.own { // Over HTTP/1.1, closing a connection is enough.
		ctx, a.cancel = context.WithCancelCause(ctx)
	}
	a.hook()
	out = out.WithContext(httptrace.WithClientTrace(ctx, &a.trace))
	out.Body = a.content
	if a.hasBody() && (a.direct == nil || a.req.GetBody == nil) {
		a.body = &body{ReadCloser: a.content, a: a}
		out.Body = a.body
		if a.req.GetBody != nil {
			out.GetBody = a.getBody
		}
	}
	if err := ctx.Err(); err != nil {
		if a.req.Response == nil {
			a.verdict = unsent
		}
		if a.hasBody() {
			_ = out.Body.Close()
		}
		a.end(errOver)
		return nil, err
	}
	resp, err := base.RoundTrip(out)
	if err = a.settle(resp, err); err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		return nil, err
	}
	if resp.Request == out {
		resp.Request = a.req // Its context goes on, and its body can be had again.
	}
	if a.body != nil {
		_ = a.body.close(false, true)
	}
	if a.cancel != nil {
		resp.Body = a.untilRead(resp.Body)
	}
	return resp, nil
}

// settle takes what Base returned. It returns the error of the attempt.
func (a *attempt) settle(resp *http.Response, err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dialing != nil {
		a.dialing.Stop()
	}
	switch {
	case a.resent:
		err = errResent
	case err == nil && resp == nil:
		err = errors.New("the http.RoundTripper returned neither a response nor an error")
	case err == nil:
		// A RoundTripper that reports nothing does not report this, either.
		a.written = a.written || !a.handed && !a.wrote
		return nil
	}
	a.verdict = a.judge(err)
	a.endLocked(errOver)
	return err
}

// fail ends a request that gets no answer.
func (a *attempt) fail(err error) error {
	if a.body != nil {
		_ = a.body.close(false, true)
	}
	switch {
	case a.verdict != maybeSent:
		return notSent(err)
	case !MaybeSent(err): // of another Transport, below a Base that made several attempts
		return &sentError{err}
	}
	return err
}

// end ends the attempt: nothing that still has the request can send it any more.
func (a *attempt) end(cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endLocked(cause)
}

func (a *attempt) endLocked(cause error) {
	a.over = true
	if a.cancel != nil {
		a.cancel(cause)
	}
}

// hook sets the hooks that Base reports to. Each costs an allocation, and
// WroteHeaderField costs one for each field.
func (a *attempt) hook() {
	a.trace.GetConn = a.getConn
	a.trace.GotConn = a.gotConn
	a.trace.WroteHeaders = a.wroteHeaders
	if a.cancel != nil {
		a.trace.WroteRequest = func(httptrace.WroteRequestInfo) { a.done(&a.written) }
	}
	if !a.own || a.repeatable() {
		a.trace.WroteHeaderField = a.wroteHeaderField
	}
	if a.connect > 0 && !a.dialsAtOnce() {
		a.trace.DNSStart = func(httptrace.DNSStartInfo) { a.dial() }
		a.trace.ConnectStart = func(string, string) { a.dial() }
		a.trace.TLSHandshakeStart = a.dial
	}
}

func (a *attempt) getConn(string) {
	a.mu.Lock()
	a.askFor()
	a.mu.Unlock()
	if a.dialsAtOnce() {
		a.dial()
	}
}

// gotConn takes note of a connection. One that is of no use is closed before
// anything is written, not even the header. net/http then takes the next one
// automatically, if GetBody lets it.
func (a *attempt) gotConn(info httptrace.GotConnInfo) {
	a.mu.Lock()
	defer a.mu.Unlock()
	conn := info.Conn // It may be nil: not every RoundTripper reports it.
	http2, known := a.protocol(conn)
	a.refused = true
	switch {
	case a.over:
		a.close(info, http2)
	case a.direct == nil && isDump(conn):
		a.asked = false
	case info.WasIdle && !http2 && conn != nil && (ended(conn, known) || a.transport.sleep.overslept(info.IdleTime)):
		a.dead = true
		_ = conn.Close()
	case a.resends(conn):
		a.resent = true
		a.endLocked(errResent)
		a.close(info, http2)
	default:
		a.refused = false
		a.hand(conn, http2)
	}
}

func (a *attempt) wroteHeaders() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wrote = a.wrote || !a.refused
	if !a.named {
		a.wroteOwn(a.http2)
	}
}

// wroteHeaderField learns whose header is written, and of HTTP/2 without TLS: it has
// fields such as ":path".
func (a *attempt) wroteHeaderField(key string, value []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.http2 = a.http2 || strings.HasPrefix(key, ":")
	if (key == ":authority" || key == "Host") && len(value) > 0 {
		a.named = true
		dumped := a.direct == nil && a.refused
		if leadsTo(value[0], cmp.Or(a.req.Host, a.req.URL.Host)) && !dumped {
			a.wroteOwn(key == ":authority")
		}
	}
}

// leadsTo reports whether a name that net/http uses is that of a host. It changes odd ones.
func leadsTo(name, host string) bool {
	foreign := strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 })
	return name == host || foreign && strings.Contains(name, "xn--") || strings.ContainsAny(host, "%/ ")
}

// dialsAtOnce reports whether Base dials as soon as it asks for a connection.
// Otherwise it may wait for a busy one first.
func (a *attempt) dialsAtOnce() bool { return a.direct != nil && a.direct.MaxConnsPerHost == 0 }

// dial is called when a dial begins.
func (a *attempt) dial() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.connect > 0 && a.dialing == nil && a.asked && !a.over {
		a.dialing = time.AfterFunc(a.connect, a.giveUp)
	}
}

func (a *attempt) giveUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.handed && !a.wrote && !a.over {
		a.endLocked(fmt.Errorf("no connection within %v: %w", a.connect, os.ErrDeadlineExceeded))
	}
}
