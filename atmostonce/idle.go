package atmostonce

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// over reports whether nothing can come on a connection that was idle: the other
// side has closed it or, over HTTP/1.1, written to it between two requests. It
// takes nothing out of the connection.
//
// net/http notices by itself, but not always in time. In a process that was
// frozen, its reader has not run when the request is written.
func over(conn net.Conn, p protocol) bool {
	for {
		outer, ok := conn.(interface{ NetConn() net.Conn }) // TLS
		if !ok {
			break
		}
		conn = outer.NetConn()
	}
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	ended, bytes := peek(raw)
	return ended || bytes && p == http1
}

// A sleep is when the machine was last asleep, and for how long. Meanwhile its
// monotonic clock stands still, and with it the one that IdleConnTimeout goes by;
// what is on the way forgets a connection.
type sleep struct {
	mu         sync.Mutex
	wall       time.Time     // of the last look
	sinceStart time.Duration // of the last look, by the monotonic clock
	end        time.Duration // since the start
	length     time.Duration
}

var start = time.Now()

// look compares the clocks.
func (s *sleep) look(wall time.Time, sinceStart time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if length := wall.Sub(s.wall) - (sinceStart - s.sinceStart); !s.wall.IsZero() && length > time.Second {
		s.end, s.length = sinceStart, length
	}
	s.wall, s.sinceStart = wall, sinceStart
}

// overslept reports whether a connection that was idle for a time, by the
// monotonic clock, was so for too long because of the sleep.
func (s *sleep) overslept(idle time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(start)-idle < s.end && idle+s.length > idleTimeout
}
