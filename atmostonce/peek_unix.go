//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atmostonce

import "syscall"

// peek reports whether a socket is at its end, and whether there are bytes to read
// from it. It does not wait, and leaves them there.
func peek(conn syscall.RawConn) (ended, bytes bool) {
	var n int
	var err error
	var first [1]byte
	// Not Read, which waits for the goroutine that reads already.
	if conn.Control(func(fd uintptr) {
		n, _, err = syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	}) != nil {
		return true, false // It is closed.
	}
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return false, false
	}
	return n <= 0, n > 0
}
