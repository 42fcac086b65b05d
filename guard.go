package stytchb2b

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Guard decides whether a Send may go out: against toll fraud, or against the
// impatient second click. The module in guard/ has one.
type Guard interface {
	// Allow is asked once for each [SMS.Send] whose parameters are in order,
	// before any I/O. An error refuses the Send, which returns it in a
	// [*GuardError]; it may be one, to say when to try again.
	//
	// Where the Send goes out, done is called once, unless it is nil, with what
	// Send is about to return, so that what was certainly not sent (see
	// [MaybeSent]) can be given back. It must not keep or change the response.
	//
	// The call's context ends with the call's deadline. A Guard that does not
	// obey it is not waited for, nor for more than a second is done. One that
	// panics refuses.
	Allow(ctx context.Context, params SMSSendParams) (done func(*SMSSendResponse, error), err error)
}

// WithGuard asks guard about each Send.
func WithGuard(guard Guard) Option {
	return func(c *config) error {
		if guard == nil {
			return &ParamError{"WithGuard", "must not be nil"}
		}
		c.guard = guard
		return nil
	}
}

// A GuardError reports that the [Guard] refused a Send, or did not decide in
// time. It comes before any I/O to Stytch: nothing was sent.
type GuardError struct {
	// RetryAfter is when the guard would let such a Send go out; zero where it
	// does not say, or waiting does not help.
	RetryAfter time.Duration
	// Err is why, for [errors.Is] and [errors.As].
	Err error
}

// Error returns one line: why, and when to try again.
func (e *GuardError) Error() string {
	text := "stytchb2b: the guard refused: " + oneLine(fmt.Sprint(e.Err)) + "; " + OpSMSSend.sentence(OutcomeNotApplied)
	if e.RetryAfter > 0 {
		text += "; try again in " + e.RetryAfter.Round(time.Second).String()
	}
	return text
}

// Unwrap returns why the guard refused.
func (e *GuardError) Unwrap() error { return e.Err }

// guardPatience is how long a Send waits for a guard to be told how it ended.
const guardPatience = time.Second

// askGuard asks the guard, in a goroutine of its own, so that neither a panic
// nor a guard that takes too long takes the Send with it. tell must be called
// with what the Send returns.
func (c *Client) askGuard(ctx context.Context, params SMSSendParams) (tell func(*SMSSendResponse, error), err error) {
	if c.guard == nil {
		return func(*SMSSendResponse, error) {}, nil
	}
	type decision struct {
		done func(*SMSSendResponse, error)
		err  error
	}
	decided := make(chan decision, 1)
	go func() {
		var d decision
		defer func() {
			if p := recover(); p != nil {
				d = decision{err: fmt.Errorf("it panicked: %v", p)}
			}
			decided <- d
		}()
		d.done, d.err = c.guard.Allow(ctx, params)
	}()
	select {
	case d := <-decided:
		if guardErr := (*GuardError)(nil); d.err != nil && !errors.As(d.err, &guardErr) {
			d.err = &GuardError{Err: d.err}
		}
		return func(resp *SMSSendResponse, err error) { tellGuard(d.done, resp, err) }, d.err
	case <-ctx.Done():
		err := &GuardError{Err: fmt.Errorf("it did not decide in time: %w", ctx.Err())}
		go func() {
			if d := <-decided; d.err == nil { // Too late: nothing is sent.
				tellGuard(d.done, nil, err)
			}
		}()
		return nil, err
	}
}

func tellGuard(done func(*SMSSendResponse, error), resp *SMSSendResponse, err error) {
	if done == nil {
		return
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		defer func() { _ = recover() }() // How the Send ended stays as it is.
		done(resp, err)
	}()
	timer := time.NewTimer(guardPatience)
	defer timer.Stop()
	select {
	case <-told:
	case <-timer.C:
	}
}
