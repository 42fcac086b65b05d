package atmostonce

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
)

// The evidence is what Base has reported of an attempt, through net/http/httptrace.
type evidence struct {
	asked   bool // Base asked for a connection.
	handed  bool // One was handed over. It may have been for another request, such as one for a token.
	wrote   bool // A header was written. So may that have been.
	named   bool // Headers have shown their Host.
	sent    bool // The request's own header was written, as far as that shows.
	copied  bool // The body was copied.
	refused bool // The last connection was closed at once. The next header leads nowhere.
	dead    bool // It was a kept one, and dead.
	resent  bool // Base tried to send the request again.

	http2     bool     // The last header was of HTTP/2, or the last connection is.
	mayResend bool     // The request was sent over HTTP/2 or HTTP/3, where net/http sends it again.
	last      net.Conn // the last connection
	taker     net.Conn // the last one when the request's own header was written
}

func (e *evidence) askFor() {
	e.asked = true
	e.refused, e.dead = false, false
}

func (e *evidence) wroteOwn(http2 bool) {
	e.sent = true
	e.taker = e.last
	e.mayResend = e.mayResend || http2
}

func (e *evidence) hand(conn net.Conn, http2 bool) {
	e.handed = true
	e.last = conn
	e.http2 = http2
}

var errResent = errors.New("the request is not sent again, because it may have been processed; if it was not, " +
	"something below made a request of its own with this one's context, and should use another")

// resends reports whether the connection that is handed over is for a request that
// may have been sent before. net/http does not always report that it asked for one.
func (a *attempt) resends(conn net.Conn) bool {
	switch {
	case a.repeats || !a.handed && !a.wrote:
		return false
	case a.direct != nil:
		// Over HTTP/1.1, it sends a POST again only if none of it was written.
		return a.sent && (a.mayResend || a.repeatable()) && !a.elsewhere(conn)
	case a.sent:
		return true
	}
	// What was sent before was another request, such as one for a token, if it went
	// elsewhere and nobody has touched the body.
	return a.body == nil || a.body.read || a.copied
}

// repeatable reports whether net/http sends the request again over HTTP/1.1.
func (a *attempt) repeatable() bool { return idempotent(a.req.Method) || hasKey(a.req) }

// A verdict is what an attempt that failed has come to.
type verdict int

const (
	maybeSent verdict = iota
	// Nothing was sent in those below.
	hopeless // Another attempt would end the same way.
	unsent
	onlyDead // The connections were dead.
)

// judge settles what err, which Base returned, has come to.
func (a *attempt) judge(err error) verdict {
	certErr := (*tls.CertificateVerificationError)(nil)
	switch {
	case a.handed || a.wrote || a.req.Response != nil: // After a redirect, an earlier request was sent.
		return maybeSent
	case !a.asked && a.direct != nil && refuses(a.direct, a.req, err):
		return hopeless
	case !a.asked || a.transport.otherProtocols:
		return maybeSent
	case errors.As(err, &certErr):
		return hopeless
	case a.dead:
		return onlyDead
	}
	return unsent
}

// refuses reports whether err is net/http's own, of a request that it does not send.
// A protocol that is registered with it does not ask for a connection, either, and
// net/http's errors have no type.
func refuses(t *http.Transport, req *http.Request, err error) bool {
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
