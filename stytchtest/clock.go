package stytchtest

import "time"

// A clock is the server's clock.
type clock struct {
	stopped time.Time     // zero if the clock runs
	ahead   time.Duration // of real time, if the clock runs
}

func (c *clock) now() time.Time {
	if !c.stopped.IsZero() {
		return c.stopped
	}
	return time.Now().Add(c.ahead)
}

// Now returns the time of the server's clock, in UTC. Code under test can use the same
// clock: for the toll-fraud guard, set guard.WithClock(srv.Now).
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.now()
}

// SetTime stops the server's clock at t. Everything follows that clock: codes,
// sessions, JWTs and locks. The zero time returns the clock to real
// time.
//
// A client that verifies a JWT locally uses its own clock. By that clock, a JWT issued
// after Advance is not valid yet: return to real time before the next login.
func (s *Server) SetTime(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.clock = clock{stopped: t}
}

// Advance moves the server's clock by d, which may be negative. A stopped clock stays
// stopped.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := &s.state.clock; c.stopped.IsZero() {
		c.ahead += d
	} else {
		c.stopped = c.stopped.Add(d)
	}
}

func (s *state) now() time.Time { return s.clock.now().UTC() }
