package stytchb2b

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Guard decides whether a Send may go out: against toll fraud, or against an
// impatient second click. Module github.com/eb715825/stytchb2b/guard provides
// one.
type Guard interface {
	// Allow is called once for each [SMS.Send] with valid parameters, before any
	// I/O to Stytch. If it returns an error, nothing is sent, and Send returns the
	// error in a [*GuardError], or unchanged if it wraps one.
	//
	// If err is nil and done is not, Send calls done once with what it is about
	// to return, so that the Guard does not count an SMS that was not sent (see
	// [MaybeSent]). done must not keep or change the response.
	//
	// Send calls both in the caller's goroutine and waits for them. The context
	// ends at the call's deadline: Allow must respect it.
	Allow(ctx context.Context, params SMSSendParams) (done func(*SMSSendResponse, error), err error)
}

// A LearningGuard is a [Guard] that learns which codes were right: people enter
// the codes they get, and numbers that only collect SMS never do.
type LearningGuard interface {
	Guard

	// Verified is called after each [SMS.Authenticate] that succeeded, with its
	// parameters and its answer, which it must not keep or change.
	//
	// Authenticate calls it in the caller's goroutine and waits for it. The
	// context has the caller's values and a second of its own.
	Verified(ctx context.Context, params SMSAuthenticateParams, resp *SMSAuthenticateResponse)
}

// WithGuard makes each [SMS.Send] ask guard first. A [LearningGuard] is also told
// of each [SMS.Authenticate] that succeeded.
func WithGuard(guard Guard) Option {
	return func(c *config) error {
		if guard == nil {
			return &ConfigError{"WithGuard", "must not be nil"}
		}
		c.guard = guard
		return nil
	}
}

// A GuardError reports that the [Guard] refused a Send. It comes before any I/O
// to Stytch: no SMS was sent.
type GuardError struct {
	// RetryAfter is how long to wait until the guard would allow such a Send; 0
	// if it does not say, or if waiting does not help.
	RetryAfter time.Duration
	// Err is the reason, for [errors.Is] and [errors.As].
	Err error
}

// Error returns one line: the reason, and when to try again.
func (e *GuardError) Error() string {
	text := "stytchb2b: the guard refused: " + oneLine(fmt.Sprint(e.Err)) + "; " + OpSMSSend.sentence(OutcomeNotApplied)
	if e.RetryAfter > 0 {
		text += "; try again in " + e.RetryAfter.Round(time.Second).String()
	}
	return text
}

// Unwrap returns the reason.
func (e *GuardError) Unwrap() error { return e.Err }

// askGuard asks the guard about a Send.
func (p SMSSendParams) askGuard(ctx context.Context, guard Guard, out answer) (func(error), error) {
	done, err := guard.Allow(ctx, p)
	if guardErr := (*GuardError)(nil); err != nil && !errors.As(err, &guardErr) {
		err = &GuardError{Err: err}
	} else if err != nil && guardErr == nil {
		err = &GuardError{Err: errors.New("its error is a nil *GuardError")}
	}
	if err != nil || done == nil {
		return nil, err
	}
	return func(err error) {
		resp, _ := out.(*SMSSendResponse)
		if err != nil {
			resp = nil
		}
		done(resp, err)
	}, nil
}

// verifiedTimeout is how long a guard may take to learn of a code: the call's
// deadline may have come with the answer.
const verifiedTimeout = time.Second

// askGuard lets an Authenticate pass, and tells a guard that learns of a code that
// was right.
func (p SMSAuthenticateParams) askGuard(ctx context.Context, guard Guard, out answer) (func(error), error) {
	learning, ok := guard.(LearningGuard)
	if !ok {
		return nil, nil
	}
	return func(err error) {
		if resp, ok := out.(*SMSAuthenticateResponse); ok && err == nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifiedTimeout)
			defer cancel()
			learning.Verified(ctx, p, resp)
		}
	}, nil
}
