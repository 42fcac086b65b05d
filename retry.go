package stytchb2b

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// A RetryPolicy says what a call retries, how often and when. A zero field means its
// default.
//
// A call retries only attempts that certainly had no effect and may succeed next time:
// those that got no connection, and Stytch's 429 with [ErrorTypeTooManyRequests].
// Every attempt but the last waits for a connection for at most half of the call's
// remaining time.
type RetryPolicy struct {
	// MaxAttempts is the maximum number of HTTP requests in one call. The default is
	// 3. With 1, nothing is retried.
	MaxAttempts int
	// MinBackoff and MaxBackoff limit the wait before the next attempt. It is random,
	// between MinBackoff and an upper bound that starts at twice MinBackoff and doubles
	// with each attempt, up to MaxBackoff. The defaults are 100 ms and 2 s. The call
	// returns instead of waiting if the wait would leave too little time for another
	// attempt: less than a second (or half of the call's time, if that is shorter), or
	// less than the last answer took.
	// After a 429, the wait is at least its Retry-After or, without one, a second.
	// Stytch documents no Retry-After, and counts its limits in fixed windows
	// (https://stytch.com/docs/resources/platform/rate-limits).
	MinBackoff, MaxBackoff time.Duration
	// MaxWait is the longest wait after an answer that asks for one. The default is
	// 5 s. If an answer asks for a longer wait, the call returns at once, and
	// [RetryAfter] of its error is that wait. If MaxWait is negative, no such answer
	// is retried.
	MaxWait time.Duration
	// RetryUnknown makes [SMS.Send] retry even if an SMS may have gone out: after a
	// broken connection, an attempt's timeout, a 5xx other than 501, and a 429 that is
	// not Stytch's. Each attempt may then send another SMS, which costs money and
	// invalidates the previous code. [SMS.Authenticate] ignores it.
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

// next decides whether to retry after the failed attempt a, and how long to wait
// first. left is the time until the call's deadline, and all the time that the call had.
func (p RetryPolicy) next(a *attempt, op Op, left, all time.Duration) (wait time.Duration, retry bool) {
	answered := a.answer.status != 0
	limited := a.said.ErrorType == ErrorTypeTooManyRequests
	switch {
	case a.number >= p.MaxAttempts:
		return 0, false
	case a.outcome == OutcomeNotApplied && answered && !limited:
		return 0, false
	case a.outcome == OutcomeUnknown && !(p.RetryUnknown && op == OpSMSSend):
		return 0, false
	}
	wait = p.backoff(a.number)
	least := a.answer.retryAfter()
	if limited && least < 0 {
		least = time.Second
	}
	if least >= 0 {
		if least > p.MaxWait {
			return 0, false
		}
		wait = max(wait, least)
	}
	room := min(time.Second, all/2)
	if answered {
		room = max(room, a.took) // The next answer may take as long.
	}
	return wait, wait <= left-room
}

// temporary reports whether another attempt may end differently. go-retryablehttp
// rules out an ended context, an untrusted certificate, and all answers but 429 and
// 5xx.
func temporary(ctx context.Context, status int, err error) bool {
	if certErr := (*tls.CertificateVerificationError)(nil); errors.As(err, &certErr) {
		return false // DefaultRetryPolicy looks only at the outermost error.
	}
	retry, _ := retryablehttp.DefaultRetryPolicy(ctx, &http.Response{StatusCode: status}, err)
	return retry
}

// backoff returns a random wait after the nth attempt, so that clients that failed
// together do not retry together.
func (p RetryPolicy) backoff(n int) time.Duration {
	bound := p.MinBackoff
	for range n {
		bound += min(bound, p.MaxBackoff-bound)
	}
	return p.MinBackoff + rand.N(bound-p.MinBackoff+1)
}

// retryAfter parses the answer's Retry-After (RFC 9110, section 10.2.3): a number of
// seconds or a date. Without a valid one, it returns -1. A number too large for a
// Duration becomes the largest Duration.
func (a *answer) retryAfter() time.Duration {
	s := a.header.Get("Retry-After")
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
