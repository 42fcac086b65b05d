package stytchb2b

import (
	"context"
	"errors"
	"time"
)

// A Guard decides whether a call may go out, against toll fraud, guessed codes or
// double clicks, say. Module github.com/eb715825/stytchb2b/guard has one.
//
// A call with valid parameters asks the Guard once, before any I/O to Stytch. If it
// returns an error, nothing is sent, and the call returns a [*GuardError] with the
// Reason and the RetryAfter of the first GuardError in that error's tree.
//
// Otherwise the call ends by calling done, if it is not nil, with the response and
// the error that it returns. One of them is nil. done must not keep or change the
// response.
//
// Both run in the caller's goroutine. The context ends at the call's deadline, which
// may have passed when done runs.
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

// A GuardReason is why a [Guard] refused a call.
type GuardReason string

const (
	// GuardReasonLimit: there were too many calls. Waiting helps.
	GuardReasonLimit GuardReason = "limit"
	// GuardReasonNumber: the phone number or its country is not allowed.
	GuardReasonNumber GuardReason = "number"
	// GuardReasonUnavailable: the Guard could not decide, for example because its
	// store did not answer.
	GuardReasonUnavailable GuardReason = "unavailable"
)

// A GuardError reports that the [Guard] refused a call. It comes before any I/O
// to Stytch: no SMS was sent, and no code was used.
type GuardError struct {
	// Op is the call that was refused. A Guard leaves it empty: the call sets it.
	Op Op
	// Reason may be empty.
	Reason GuardReason
	// RetryAfter is how long to wait until the Guard would allow the call; 0 if that
	// is not known, or if waiting does not help.
	RetryAfter time.Duration
	// Err is the detailed reason, for [errors.Is] and [errors.As].
	Err error
}

// Error returns one line.
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

// Unwrap returns Err.
func (e *GuardError) Unwrap() error { return e.Err }

// guardError returns the error of a call that the Guard refused with err.
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
