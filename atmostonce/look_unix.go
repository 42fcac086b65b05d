//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atmostonce

import "syscall"

// readable reports whether there is something to read on a socket: bytes, the
// end or an error. It does not wait, and leaves it there.
func readable(conn syscall.RawConn) bool {
	var n int
	var err error
	var first [1]byte
	// Not Read, which waits for the goroutine that reads already.
	if conn.Control(func(fd uintptr) {
		n, _, err = syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	}) != nil {
		return true // It is closed.
	}
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return false
	case err == nil && n == 1:
		// HTTP/2 without TLS: the first byte of a frame. Text and records of TLS
		// do not begin so.
		return first[0] != 0
	}
	return true
}
