//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atmostonce

import "syscall"

// peek cannot look at a socket here.
func peek(syscall.RawConn) (ended, bytes bool) { return false, false }
