package stytchtest

import "time"

// A RateLimit bounds the SMS in each window of time. The zero value has no
// limits, and a Server begins with it. Its JSON names are those of the
// command fakestytch.
//
// The windows are fixed ones, as Stytch's are
// (https://stytch.com/docs/resources/platform/rate-limits): one of an hour begins
// at the top of the hour. A prefix is assumed to be a number without its last
// four digits.
type RateLimit struct {
	// Window is how long a window is; an hour if 0.
	Window time.Duration `json:"window"`
	// PerNumber is how many SMS may go to one number. More are answered with 429
	// too_many_requests.
	PerNumber int `json:"per_number"`
	// PerPrefix is how many SMS may go to numbers with the same prefix. More are
	// answered with 429 too_many_requests.
	PerPrefix int `json:"per_prefix"`
	// Unauthenticated is how many SMS may go to numbers with the same prefix
	// without one of their codes being entered. More look like toll fraud, and are
	// answered with 429 too_few_tokens_authenticated.
	Unauthenticated int `json:"unauthenticated"`
	// RetryAfter is whether those answers have a Retry-After, to the end of the
	// window. Stytch does not document that its answers have one.
	RetryAfter bool `json:"retry_after"`
}

// SetRateLimit replaces the limits, and begins to count anew.
func (s *Server) SetRateLimit(limit RateLimit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.limits = limits{RateLimit: limit}
}

// limits are a RateLimit with what it counts in the present window.
type limits struct {
	RateLimit
	window                              time.Time // when it began
	toNumber, toPrefix, unauthenticated map[string]int
}

// at begins a new window if the one before is over.
func (l *limits) at(now time.Time) {
	if l.Window == 0 {
		l.Window = time.Hour
	}
	if begin := now.Truncate(l.Window); l.toNumber == nil || !begin.Equal(l.window) {
		l.window = begin
		l.toNumber, l.toPrefix, l.unauthenticated = map[string]int{}, map[string]int{}, map[string]int{}
	}
}

// check returns the error of a further SMS to the number, or nil.
func (l *limits) check(number string, now time.Time) *apiError {
	l.at(now)
	var e *apiError
	switch prefix := prefixOf(number); {
	case l.PerNumber > 0 && l.toNumber[number] >= l.PerNumber, l.PerPrefix > 0 && l.toPrefix[prefix] >= l.PerPrefix:
		e = fail(429, "too_many_requests", "Too many requests have been made.")
	case l.Unauthenticated > 0 && l.unauthenticated[prefix] >= l.Unauthenticated:
		e = fail(429, "too_few_tokens_authenticated", "Too few of the codes that were sent have been authenticated.")
	default:
		return nil
	}
	if l.RetryAfter {
		left := l.window.Add(l.Window).Sub(now)
		e.retryAfter = int((left + time.Second - 1) / time.Second)
	}
	return e
}

// sent counts an SMS.
func (l *limits) sent(number string, now time.Time) {
	l.at(now)
	l.toNumber[number]++
	l.toPrefix[prefixOf(number)]++
	l.unauthenticated[prefixOf(number)]++
}

// authenticated counts a code that was entered.
func (l *limits) authenticated(number string, now time.Time) {
	l.at(now)
	l.unauthenticated[prefixOf(number)] = 0
}

func prefixOf(number string) string { return number[:max(0, len(number)-4)] }
