package atmostonce

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"
)

// An attempt is one attempt to send a request, and the evidence of whether it was
// sent.
type attempt struct {
	transport *Transport
	req       *http.Request
	content   io.ReadCloser // the body to send
	repeats   bool          // Base may repeat the request
	connect   time.Duration // how long a dial may take; 0: no limit

	direct *http.Transport // Base, if it is one; what is between might do anything
	cancel context.CancelCauseFunc
	body   *body // around content; nil if that is passed on as it is
	trace  httptrace.ClientTrace

	// Known when Base has returned an error.
	unsent   bool // certainly
	hopeless bool // another attempt would end as this one
	onlyDead bool // connections were in the way

	mu      sync.Mutex
	asked   int         // how often for a connection
	own     int         // how often for one to the target
	others  int         // how often the dialer has asked for another one
	handed  int         // connections
	dead    bool        // a kept connection was
	wrote   bool        // a header
	void    bool        // the next header leads nowhere
	http2   bool        // a header was written as over HTTP/2
	copied  bool        // the body
	resent  bool        // it would have been
	over    bool        // nothing must be sent any more
	dialing *time.Timer // until the attempt gives up
	written bool        // the request, to its end
	read    bool        // the answer, to its end
}

var (
	errOver   = errors.New("the attempt is over")
	errResent = errors.New("the request is not sent again, because it may have been processed; if it was not, " +
		"something below made a request of its own with this one's context, and should use another")
)

// do makes the attempt.
func (a *attempt) do() (*http.Response, error) {
	base, out := a.transport.base(a.req)
	ctx, cancel := context.WithCancelCause(out.Context())
	a.cancel = cancel
	a.direct, _ = base.(*http.Transport)
	now := time.Now()
	a.transport.sleep.look(now, now.Round(0))
	out = out.WithContext(httptrace.WithClientTrace(ctx, a.hooks()))
	out.Body = a.content
	if a.hasBody() && (a.direct == nil || a.req.GetBody == nil) {
		a.body = &body{ReadCloser: a.content, a: a}
		out.Body = a.body
		if a.req.GetBody != nil {
			out.GetBody = a.getBody
		}
	}
	if err := ctx.Err(); err != nil {
		a.unsent = a.req.Response == nil
		if a.hasBody() {
			_ = out.Body.Close()
		}
		a.end()
		return nil, err
	}
	resp, err := base.RoundTrip(out)
	if err = a.judge(resp, err); err != nil {
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
	resp.Body = a.answer(resp.Body)
	return resp, nil
}

// judge takes what Base returned, and settles what an error proves.
func (a *attempt) judge(resp *http.Response, err error) error {
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
	}
	if err == nil {
		return nil
	}
	a.over = true
	a.cancel(errOver)
	// A header that was written to no connection that was handed over went another
	// way, such as an http.ClientConn.
	sent := a.handed > 0 || a.wrote || a.resent || a.req.Response != nil // After a redirect, an earlier request was sent.
	a.unsent = !sent && (a.asked > 0 || a.direct != nil && refused(a.direct, a.req, err))
	certErr := (*tls.CertificateVerificationError)(nil)
	a.hopeless = !a.unsent || a.asked == 0 || errors.As(err, &certErr)
	a.onlyDead = a.unsent && a.dead
	return err
}

// refused reports whether err is net/http's own, of a request that it does not send.
// A protocol that is registered with it does not ask for a connection, either, and
// net/http's errors have no type.
func refused(t *http.Transport, req *http.Request, err error) bool {
	for _, text := range []string{"unsupported protocol scheme", "net/http: invalid ", "http: no Host in request URL", "http: nil Request."} {
		if strings.HasPrefix(err.Error(), text) {
			return true
		}
	}
	if t.Proxy == nil {
		return false
	}
	_, proxyErr := t.Proxy(req)
	return proxyErr != nil && proxyErr.Error() == err.Error()
}

// fail ends a request that gets no answer.
func (a *attempt) fail(err error) error {
	if a.body != nil {
		_ = a.body.close(false, true)
	}
	switch {
	case a.unsent:
		return unsent(err)
	case !MaybeSent(err): // of another Transport, below a Base that made several attempts
		return &sentError{err}
	}
	return err
}

// end ends the attempt: whoever still has the request cannot send it any more.
func (a *attempt) end() {
	a.mu.Lock()
	a.over = true
	a.mu.Unlock()
	a.cancel(errOver)
}

// hooks returns what learns from Base what happens to the request.
func (a *attempt) hooks() *httptrace.ClientTrace {
	t := &a.trace
	*t = httptrace.ClientTrace{
		GetConn:      a.getConn,
		GotConn:      a.gotConn,
		WroteHeaders: a.wroteHeaders,
		WroteRequest: func(httptrace.WroteRequestInfo) { a.done(&a.written) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			// A RoundTripper of [http.Transport.TLSNextProto] may report nothing.
			if p := state.NegotiatedProtocol; err == nil && p != "" && p != "http/1.1" && p != "h2" {
				a.wroteHeaders()
			}
		},
	}
	if a.direct == nil {
		t.WroteHeaderField = a.wroteHeaderField
	}
	if a.connect > 0 && !a.dialsAtOnce() {
		t.DNSStart = func(httptrace.DNSStartInfo) { a.dial() }
		t.ConnectStart = func(string, string) { a.dial() }
		t.TLSHandshakeStart = a.dial
	}
	return t
}

func (a *attempt) getConn(hostPort string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.void = false
	switch {
	case a.isTarget(hostPort):
		a.own++
	case a.direct != nil && a.own > 0:
		a.others++ // The dialer makes a request, to resolve a name.
	}
	a.asked++
	if a.dialsAtOnce() {
		a.startDial()
	}
}

// dialsAtOnce reports whether Base dials as soon as it is asked for a connection.
// Otherwise it may wait for a busy one first.
func (a *attempt) dialsAtOnce() bool { return a.direct != nil && a.direct.MaxConnsPerHost == 0 }

// gotConn takes note of a connection. One that is of no use is closed before
// anything is written, not even the header; net/http then takes the next one by
// itself, if GetBody lets it.
func (a *attempt) gotConn(info httptrace.GotConnInfo) {
	conn := info.Conn // It may be nil: not every RoundTripper tells.
	a.mu.Lock()
	defer a.mu.Unlock()
	http2, known := a.speaks(conn)
	switch {
	case a.over:
		a.void = true
		a.close(info, http2)
	case a.direct == nil && isDump(conn):
		a.void = true
		a.asked--
		a.own--
	case info.WasIdle && !http2 && conn != nil && (ended(conn, known) || a.transport.sleep.overslept(info.IdleTime)):
		a.void, a.dead = true, true
		_ = conn.Close()
	case a.resends(http2):
		a.resent = true
		a.cancel(errResent)
		a.close(info, http2)
	default:
		a.handed++
	}
}

// resends reports whether the connection that is handed over is for a request that
// may have been sent before.
func (a *attempt) resends(http2 bool) bool {
	switch {
	case a.repeats:
		return false
	case a.direct == nil:
		// What was sent before may have been another request, such as one for a
		// token, if it went elsewhere and nobody has touched the body.
		untouched := a.body != nil && !a.body.read && !a.copied
		return (a.handed > 0 || a.wrote) && (a.own > 1 || !untouched)
	case a.handed <= a.others && a.own == 1:
		return false // What was sent before was the dialer's.
	}
	// Over HTTP/1.1, net/http sends again what it has not written, if that is all
	// that it may.
	return a.wrote && (http2 || idempotent(a.req.Method) || hasKey(a.req))
}

// close closes a connection, unless others use it. Over HTTP/1.1, the request may
// still be written. Over HTTP/2, the cancel comes first.
func (a *attempt) close(info httptrace.GotConnInfo, http2 bool) {
	if shared := info.Reused && !info.WasIdle; info.Conn == nil || shared && http2 {
		return
	}
	defer func() { _ = recover() }() // That of quic-go panics.
	_ = info.Conn.Close()
}

// isDump reports whether a connection is that of [httputil.DumpRequestOut], with
// which programs log requests. It leads nowhere.
func isDump(conn net.Conn) bool {
	return conn != nil && reflect.TypeOf(conn).String() == "*httputil.dumpConn"
}

func (a *attempt) wroteHeaders() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wrote = a.wrote || !a.void
	a.void = false
}

// wroteHeaderField learns of HTTP/2 without TLS: it has fields such as ":path".
func (a *attempt) wroteHeaderField(key string, _ []string) {
	if strings.HasPrefix(key, ":") {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.http2 = true
	}
}

// dial is called when a dial begins.
func (a *attempt) dial() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.startDial()
}

func (a *attempt) startDial() {
	if a.connect > 0 && a.dialing == nil && a.asked > 0 && !a.over {
		a.dialing = time.AfterFunc(a.connect, a.giveUp)
	}
}

func (a *attempt) giveUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.handed == 0 && !a.wrote && !a.over {
		a.over = true
		a.cancel(fmt.Errorf("no connection within %v: %w", a.connect, os.ErrDeadlineExceeded))
	}
}

// speaks reports whether a connection speaks HTTP/2, and whether that is known.
// Without TLS, only an http.Transport knows, and what was sent before.
func (a *attempt) speaks(conn net.Conn) (http2, known bool) {
	if c, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return c.ConnectionState().NegotiatedProtocol == "h2", true
	}
	if a.direct != nil {
		p := a.direct.Protocols
		return p != nil && p.UnencryptedHTTP2() && !p.HTTP1(), true
	}
	return a.http2, a.http2
}

// isTarget reports whether net/http asks for a connection to the request's own host
// and port. It translates names that are not ASCII.
func (a *attempt) isTarget(hostPort string) bool {
	host := a.req.URL.Host
	foreign := strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 })
	return foreign || hostPort == host || hostPort == host+":80" || hostPort == host+":443"
}
