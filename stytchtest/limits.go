package stytchtest

import (
	"cmp"
	"time"
)

// A RateLimit limits the SMS to each number in a window of time. The zero value, which
// a Server begins with, is no limit. The command fakestytch uses its JSON names.
//
// The windows are fixed, as Stytch's are
// (https://stytch.com/docs/resources/platform/rate-limits): one of an hour begins
// at the top of the hour. For Stytch's other limits, use a [Fault].
type RateLimit struct {
	// PerNumber is the maximum number of SMS to one number in a window. Further
	// requests get 429 too_many_requests.
	PerNumber int `json:"per_number"`
	// Window is the length of a window; an hour if 0.
	Window time.Duration `json:"window"`
	// RetryAfter is whether those answers have a Retry-After: the time until the end of
	// the window. Stytch does not document one.
	RetryAfter bool `json:"retry_after"`
}

// SetRateLimit replaces the limit, and restarts the count.
func (s *Server) SetRateLimit(limit RateLimit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit.Window = cmp.Or(limit.Window, time.Hour)
	s.state.limits = limits{RateLimit: limit}
}

// limits is a RateLimit with its counts in the current window.
type limits struct {
	RateLimit
	window time.Time // when it began
	sent   map[string]int
}

// at begins a new window if the previous one is over.
func (l *limits) at(now time.Time) {
	if begin := now.Truncate(l.Window); l.sent == nil || !begin.Equal(l.window) {
		l.window, l.sent = begin, map[string]int{}
	}
}

// check returns the error for one more SMS to the number, or nil.
func (l *limits) check(number string, now time.Time) *apiError {
	l.at(now)
	if l.PerNumber == 0 || l.sent[number] < l.PerNumber {
		return nil
	}
	e := fail(429, "too_many_requests", "Too many requests have been made.")
	if l.RetryAfter {
		left := l.window.Add(l.Window).Sub(now)
		e.retryAfter = int((left + time.Second - 1) / time.Second)
	}
	return e
}

func (l *limits) count(number string, now time.Time) {
	l.at(now)
	l.sent[number]++
}
