package stytchb2b

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A RetryPolicy says what a call tries again, how often and when. The zero value
// of a field means its default.
//
// A call tries again only what certainly had no effect and may well succeed the
// next time: an attempt that found no connection, and Stytch's 429 with
// [ErrorTypeTooManyRequests]. Unless RetryUnknown is set, it never sends a
// second SMS.
type RetryPolicy struct {
	// MaxAttempts is the largest number of HTTP requests for one call. The
	// default is 3. With 1, a call never tries again.
	MaxAttempts int

	// MinBackoff and MaxBackoff bound the wait before the next attempt. The
	// wait is drawn at random between MinBackoff and a bound that starts at
	// twice MinBackoff, doubles with each attempt and stops at MaxBackoff. The
	// defaults are 100 ms and 2 s.
	//
	// After a 429 the wait is also at least its Retry-After or, without one, a
	// second: Stytch documents no Retry-After, and its limits are counted in
	// fixed windows (https://stytch.com/docs/resources/platform/rate-limits).
	MinBackoff, MaxBackoff time.Duration

	// MaxWait is the longest wait that an answer may ask for. If it asks for
	// more, the call returns at once, and [RetryAfter] of the error says how
	// long. The default is 5 s. If it is negative, an answer that asks for a
	// wait is not tried again.
	//
	// A wait begins only if it leaves time for another attempt: a second, or
	// half of the call's time if that is less.
	MaxWait time.Duration

	// RetryUnknown makes [SMS.Send] try again when an SMS may have gone out:
	// after a broken connection, an attempt's timeout, a 5xx other than 501, and
	// a 429 that is not Stytch's. Each attempt may then be one more SMS to pay for,
	// and make the previous code invalid. [SMS.Authenticate] ignores it.
	RetryUnknown bool
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 3
	}
	const minBackoff, maxBackoff = 100 * time.Millisecond, 2 * time.Second
	if p.MaxBackoff == 0 {
		p.MaxBackoff = max(p.MinBackoff, maxBackoff)
	}
	if p.MinBackoff == 0 {
		p.MinBackoff = min(minBackoff, p.MaxBackoff)
	}
	if p.MaxWait == 0 {
		p.MaxWait = 5 * time.Second
	}
	return p
}

// check returns what is wrong with the policy, or "".
func (p RetryPolicy) check() string {
	switch {
	case p.MaxAttempts < 0:
		return fmt.Sprintf("MaxAttempts must not be negative: %d", p.MaxAttempts)
	case p.MaxBackoff < 0:
		return fmt.Sprintf("MaxBackoff must not be negative: %v", p.MaxBackoff)
	case p.MinBackoff < 0:
		return fmt.Sprintf("MinBackoff must not be negative: %v", p.MinBackoff)
	case p.MinBackoff > p.MaxBackoff:
		return fmt.Sprintf("MinBackoff, %v, must not be more than MaxBackoff, %v", p.MinBackoff, p.MaxBackoff)
	}
	return ""
}

// A turn is what the decision about another attempt depends on.
type turn struct {
	attempts   int           // made so far
	outcome    Outcome       // of the last one
	answered   bool          // it was answered
	limited    bool          // with Stytch's 429 that waiting cures
	temporary  bool          // it may end otherwise the next time
	repeatable bool          // the call may be repeated after an unknown outcome
	retryAfter time.Duration // of the answer; less than 0 if it has none
	left       time.Duration // until the call's deadline
	room       time.Duration // that an attempt needs
}

// next decides whether another attempt follows, and how long to wait before it.
func (p RetryPolicy) next(t turn) (wait time.Duration, again bool) {
	switch {
	case t.attempts >= p.MaxAttempts || !t.temporary:
		return 0, false
	case t.outcome == OutcomeNotApplied && t.answered && !t.limited:
		return 0, false
	case t.outcome == OutcomeUnknown && !(p.RetryUnknown && t.repeatable):
		return 0, false
	case t.outcome == OutcomeApplied:
		return 0, false
	}
	wait = p.backoff(t.attempts)
	if least := t.leastWait(); least >= 0 {
		if least > p.MaxWait {
			return 0, false
		}
		wait = max(wait, least)
	}
	return wait, wait <= t.left-t.room
}

// leastWait is how long the answer asks to wait; less than 0 if it does not ask.
func (t turn) leastWait() time.Duration {
	if t.retryAfter < 0 && t.limited {
		return time.Second
	}
	return t.retryAfter
}

// backoff draws the wait after the nth attempt at random, so that clients that
// failed together do not come back together.
func (p RetryPolicy) backoff(n int) time.Duration {
	bound := p.MinBackoff
	for ; n > 0 && bound < p.MaxBackoff; n-- {
		bound += min(bound, p.MaxBackoff-bound)
	}
	return p.MinBackoff + rand.N(bound-p.MinBackoff+1)
}

// parseRetryAfter reads a Retry-After (RFC 9110, section 10.2.3): a number of
// seconds or a date. It returns less than 0 for anything else. A number too
// large for a Duration is the largest one.
func parseRetryAfter(s string) time.Duration {
	if s == "" {
		return -1
	}
	if strings.Trim(s, "0123456789") == "" {
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil || seconds > int64(math.MaxInt64/time.Second) {
			return math.MaxInt64
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(s)
	if err != nil {
		return -1
	}
	return max(0, time.Until(date))
}
