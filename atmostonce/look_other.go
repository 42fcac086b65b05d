//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atmostonce

import "syscall"

// readable cannot look at a socket here.
func readable(syscall.RawConn) bool { return false }
