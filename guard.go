package stytchb2b

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Guard decides whether a call may go out: against toll fraud, against guessed
// codes, or against an impatient second click. Module
// github.com/eb715825/stytchb2b/guard provides one.
//
// Each method is called once for a call with valid parameters, before any I/O to
// Stytch. If it returns an error, nothing is sent, and the call returns a
// [*GuardError]: the Guard's own, unchanged if another error wraps it, or a new
// one around any other error.
//
// If err is nil and done is not, the call calls done once with what it is about to
// return, so that the Guard learns what came of it: whether an SMS may have gone
// out (see [MaybeSent]), or whether the code was right. The response is nil if the
// error is not. done must not keep or change it.
//
// Both are called in the caller's goroutine, and the call waits for them. The
// context ends at the call's deadline, which may have passed when done is called.
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
	// GuardReasonNumber: the phone number or its country is not acceptable. Another
	// number may be.
	GuardReasonNumber GuardReason = "number"
	// GuardReasonUnavailable: the Guard cannot decide, because its store is out for
	// example.
	GuardReasonUnavailable GuardReason = "unavailable"
)

// A GuardError reports that the [Guard] refused a call. It comes before any I/O
// to Stytch: no SMS was sent, and no code was used.
type GuardError struct {
	// Op is the call that was refused. A call sets it in an error that its Guard
	// returns.
	Op Op
	// Reason says what is in the way; empty if the Guard does not say.
	Reason GuardReason
	// RetryAfter is how long to wait until the guard would allow such a call; 0
	// if it does not say, or if waiting does not help.
	RetryAfter time.Duration
	// Err is the reason in detail, for [errors.Is] and [errors.As].
	Err error
}

// Error returns one line: the reason, and when to retry.
func (e *GuardError) Error() string {
	text := "stytchb2b: the guard refused: " + oneLine(fmt.Sprint(e.Err)) + "; " + e.Op.sentence(OutcomeNotApplied)
	if e.RetryAfter > 0 {
		text += "; retry in " + e.RetryAfter.Round(time.Second).String()
	}
	return text
}

// Unwrap returns the reason in detail.
func (e *GuardError) Unwrap() error { return e.Err }

// guardRefusal returns the error of a call whose Guard returned err.
func guardRefusal(op Op, err error) error {
	e := (*GuardError)(nil)
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e):
		return &GuardError{Op: op, Err: err}
	case e == nil:
		return &GuardError{Op: op, Err: errors.New("its error is a nil *GuardError")}
	case err == error(e):
		refusal := *e // The Guard may return one error to several calls.
		refusal.Op = op
		return &refusal
	}
	return err
}

// guardDone returns done as a function of the call's error; nil if done is.
func guardDone[R any](done func(*R, error), resp *R) func(error) {
	if done == nil {
		return nil
	}
	return func(err error) {
		if err != nil {
			resp = nil
		}
		done(resp, err)
	}
}

// askGuard asks the guard about a Send.
func (p SMSSendParams) askGuard(ctx context.Context, guard Guard, out answer) (func(error), error) {
	done, err := guard.AllowSend(ctx, p)
	if err != nil {
		return nil, guardRefusal(OpSMSSend, err)
	}
	return guardDone(done, out.(*SMSSendResponse)), nil
}

// askGuard asks the guard about an Authenticate.
func (p SMSAuthenticateParams) askGuard(ctx context.Context, guard Guard, out answer) (func(error), error) {
	done, err := guard.AllowAuthenticate(ctx, p)
	if err != nil {
		return nil, guardRefusal(OpSMSAuthenticate, err)
	}
	return guardDone(done, out.(*SMSAuthenticateResponse)), nil
}
