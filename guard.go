package stytchb2b

import (
	"context"
	"errors"
	"time"
)

// A Guard decides whether a call may go out: against toll fraud, against guessed
// codes, or against an impatient second click. Module
// github.com/eb715825/stytchb2b/guard provides one.
//
// A call with valid parameters asks it once, before any I/O to Stytch. If the error
// is not nil, nothing is sent, and the call returns a [*GuardError] with the Reason
// and the RetryAfter of the first GuardError in the error's tree.
//
// Otherwise it calls done, if that is not nil, with what it is about to return, so
// that the Guard learns what came of it. The response is nil if the error is not.
// done must not keep or change it.
//
// The call waits for both, in the caller's goroutine. The context ends at the call's
// deadline, which may have passed when done is called.
type Guard interface {
	// AllowSend is asked before each [SMS.Send].
	AllowSend(ctx context.Context, params SMSSendParams) (done func(*SMSSendResponse, error), err error)
	// AllowAuthenticate is asked before each [SMS.Authenticate].
	AllowAuthenticate(ctx context.Context, params SMSAuthenticateParams) (done func(*SMSAuthenticateResponse, error), err error)
}

// WithGuard makes each [SMS.Send] and [SMS.Authenticate] ask guard first.
func WithGuard(guard Guard) Option {
	return func(c *config) error {
		if guard == nil {
			return &ConfigError{"WithGuard", "must not be nil"}
		}
		c.guard = guard
		return nil
	}
}

// A GuardReason is what is in the way of a call that a [Guard] refuses.
type GuardReason string

const (
	// GuardReasonLimit: there were too many calls. Waiting helps.
	GuardReasonLimit GuardReason = "limit"
	// GuardReasonNumber: the phone number or its country is not allowed.
	GuardReasonNumber GuardReason = "number"
	// GuardReasonUnavailable: the Guard cannot decide, such as without its store.
	GuardReasonUnavailable GuardReason = "unavailable"
)

// A GuardError reports that the [Guard] refused a call. It comes before any I/O
// to Stytch: no SMS was sent, and no code was used.
type GuardError struct {
	// Op is the call that was refused. The call sets it.
	Op Op
	// Reason says what is in the way; empty if the Guard does not say.
	Reason GuardReason
	// RetryAfter is how long to wait until the Guard would allow such a call; 0
	// if it does not say, or if waiting does not help.
	RetryAfter time.Duration
	// Err is the reason in detail, for [errors.Is] and [errors.As].
	Err error
}

// Error returns one line: the reason, that nothing was sent, and when to retry.
func (e *GuardError) Error() string {
	reason := string(e.Reason)
	if e.Err != nil {
		reason = e.Err.Error()
	}
	text := "stytchb2b: the guard refused: " + oneLine(reason)
	if e.Op != "" {
		text += "; " + e.Op.sentence(OutcomeNotApplied)
	}
	if e.RetryAfter > 0 {
		text += "; retry in " + e.RetryAfter.Round(time.Second).String()
	}
	return text
}

// Unwrap returns the reason in detail.
func (e *GuardError) Unwrap() error { return e.Err }

// guardError returns the error of a call of op whose Guard returned err.
func guardError(op Op, err error) *GuardError {
	e := &GuardError{Op: op, Err: err}
	switch own := (*GuardError)(nil); {
	case !errors.As(err, &own):
	case own == nil:
		e.Err = errors.New("its error is a nil *GuardError")
	default:
		e.Reason, e.RetryAfter = own.Reason, own.RetryAfter
		if err == error(own) {
			e.Err = own.Err
		}
	}
	return e
}
