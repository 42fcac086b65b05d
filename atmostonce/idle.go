package atmostonce

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// ended reports whether nothing can come on a connection that was idle: the other
// side has closed it or, over HTTP/1.1, written to it between two requests. It
// takes nothing out of the connection.
//
// net/http notices, too, but not always in time. In a process that was frozen, its
// reader has not run when the request is written.
func ended(conn net.Conn, http1 bool) bool {
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
	end, bytes := peek(raw)
	return end || bytes && http1
}

// A sleep is when the machine was last asleep, and for how long. Meanwhile its
// monotonic clock stands still, and with it the one that IdleConnTimeout goes by;
// what is on the way forgets a connection.
type sleep struct {
	mu         sync.Mutex
	seen, wall time.Time // the clocks at the last look
	end        time.Time
	length     time.Duration
}

// look compares the clocks: now has a monotonic one, and wall has none.
func (s *sleep) look(now, wall time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if length := wall.Sub(s.wall) - now.Sub(s.seen); !s.seen.IsZero() && length > time.Second {
		s.end, s.length = now, length
	}
	s.seen, s.wall = now, wall
}

// overslept reports whether a connection that was idle for a time, by the
// monotonic clock, was so for too long because of the sleep.
func (s *sleep) overslept(idle time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return idle+s.length > idleTimeout && time.Since(s.end) < idle
}
