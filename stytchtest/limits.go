package stytchtest

import "time"

// SetRateLimit limits the SMS to each number in an hour. More of them get 429
// too_many_requests. 0 is no limit, as at first. The count restarts with each call.
//
// As Stytch's windows are (https://stytch.com/docs/resources/platform/rate-limits),
// the hour is a fixed one: it begins at the top of the hour. For Stytch's other
// limits, and for a Retry-After, use a [Fault].
func (s *Server) SetRateLimit(perNumber int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.limit = rateLimit{perNumber: perNumber}
}

// A rateLimit has the counts of the current hour.
type rateLimit struct {
	perNumber int
	hour      time.Time
	sent      map[string]int // by number
}

// check returns the error for one more SMS to the number, or nil.
func (l *rateLimit) check(number string, now time.Time) *apiError {
	if hour := now.Truncate(time.Hour); l.sent == nil || !hour.Equal(l.hour) {
		l.hour, l.sent = hour, map[string]int{}
	}
	if l.perNumber == 0 || l.sent[number] < l.perNumber {
		return nil
	}
	return fail(429, "too_many_requests", "Too many requests have been made.")
}
