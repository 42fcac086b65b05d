package atmostonce

import (
	"crypto/tls"
	"net"
	"syscall"
)

// dead reports whether a connection that was idle is over: the other side has
// closed it or written to it, which over HTTP/1.1 nobody may do between two
// requests, or it was idle for too long. It takes nothing out of the connection.
//
// net/http notices by itself, but not always in time. In a process that was
// frozen, its reader has not run when the request is written.
func dead(conn net.Conn) bool {
	if overHTTP2(conn) { // There, a server may write at any time.
		return false
	}
	for {
		outer, ok := conn.(interface{ NetConn() net.Conn }) // TLS
		if !ok {
			break
		}
		conn = outer.NetConn()
	}
	if c, ok := conn.(*agingConn); ok && c.expired() {
		return true
	}
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	return err == nil && readable(raw)
}

func overHTTP2(conn net.Conn) bool {
	c, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && c.ConnectionState().NegotiatedProtocol == "h2"
}
