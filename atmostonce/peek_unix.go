//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atmostonce

import "syscall"

// peek reports whether a socket is at its end, and whether there are bytes to read
// from it. It does not wait, and leaves them there.
func peek(conn syscall.RawConn) (ended, bytes bool) {
	var p peeked
	// Not Read, which waits for the goroutine that reads already.
	if conn.Control(p.at) != nil {
		return true, false // It is closed.
	}
	if p.err == syscall.EAGAIN || p.err == syscall.EINTR {
		return false, false
	}
	return p.n <= 0, p.n > 0
}

type peeked struct {
	first [1]byte
	n     int
	err   error
}

func (p *peeked) at(fd uintptr) {
	p.n, _, p.err = syscall.Recvfrom(int(fd), p.first[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
}
