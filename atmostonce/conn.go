package atmostonce

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"net/netip"
	"reflect"
	"strings"
	"syscall"
)

// protocol reports whether a connection speaks HTTP/2, and whether that is known.
func (a *attempt) protocol(conn net.Conn) (http2, known bool) {
	if a.own {
		return false, true
	}
	if c, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return c.ConnectionState().NegotiatedProtocol == "h2", true
	}
	if a.direct == nil {
		return a.http2, a.http2 // Only what was sent before shows it.
	}
	_, socket := conn.(syscall.Conn)
	p := a.direct.Protocols
	switch {
	case a.http2 && socket, p != nil && p.UnencryptedHTTP2() && !p.HTTP1():
		return true, true
	case a.req.URL.Scheme == "https" && !socket:
		return true, true // HTTP/3, of [http.Transport.RegisterProtocol]. It is like HTTP/2 here.
	}
	return false, true
}

// elsewhere reports whether a connection of an http.Transport is certainly not for the
// request, but for one that its dialer makes, such as to resolve a name: its TLS is for
// another name than the request's, and than that of the connection that took it.
func (a *attempt) elsewhere(conn net.Conn) bool {
	//lint:ignore SA1019 Programs use it.
	if a.req.URL.Scheme != "https" || a.direct.DialTLSContext != nil || a.direct.DialTLS != nil {
		return false // TLS is a proxy's, or the program decides on the name.
	}
	name := serverName(conn)
	return !leadsTo(name, a.tlsName()) && name != serverName(a.taker)
}

// tlsName returns the name that net/http's TLS is for: none for an IP address.
func (a *attempt) tlsName() string {
	name := strings.TrimRight(a.req.URL.Hostname(), ".")
	if config := a.direct.TLSClientConfig; config != nil {
		name = cmp.Or(config.ServerName, name)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return ""
	}
	return name
}

// serverName returns the name that the TLS of a connection is for, if there is one.
func serverName(conn net.Conn) string {
	if c, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return c.ConnectionState().ServerName
	}
	return ""
}

// close closes a connection that must not be used. Over HTTP/2, others may use it:
// there, an http.Transport writes nothing after the cancel, which comes before. What
// wraps one may not pass the cancel on.
func (a *attempt) close(info httptrace.GotConnInfo, http2 bool) {
	if shared := info.Reused && !info.WasIdle; info.Conn == nil || http2 && (shared || a.direct != nil) {
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
