package stytchb2b

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// This file makes the errors that a call ends with once an attempt was made.

// attemptError returns the error that the call ends with if the last attempt
// stays the last; nil for a 2xx.
func (c *call) attemptError(ctx context.Context) error {
	switch a := c.last; {
	case a.success():
		return nil
	case a.err != nil:
		return c.transportError(addCause(a.err, ctx.Err()))
	default:
		return c.apiError(addCause(a.bodyErr, ctx.Err()))
	}
}

// answerError returns the error for a 2xx that is not a success, and settles what
// that proves.
func (c *call) answerError(err error) error {
	a := c.last
	requestID := acceptedID(a.status, a.body)
	if requestID != "" {
		a.outcome = OutcomeApplied
	}
	e := c.transportError(err)
	e.Err = fmt.Errorf("HTTP %d, but %w (%s)", a.status, e.Err, a.describeBody())
	e.StatusCode, e.RequestID = a.status, requestID
	return e
}

func (c *call) transportError(err error) *TransportError {
	return &TransportError{
		Op:       c.endpoint.op,
		Attempts: c.attempts,
		Outcome:  c.outcome(),
		Err:      c.secrets().maskError(err),
		answer:   c.last.keep(nil),
	}
}

func (c *call) apiError(bodyErr error) *APIError {
	a, s := c.last, c.secrets()
	e := &APIError{
		Op:         c.endpoint.op,
		StatusCode: a.status,
		RetryAfter: max(0, parseRetryAfter(a.header.Get("Retry-After"))),
		Attempts:   c.attempts,
		Outcome:    c.outcome(),
		err:        s.maskError(bodyErr),
		answer:     a.keep(s),
	}
	r := a.refusal
	if r == nil {
		e.stranger = a.describeBody()
		return e
	}
	e.RequestID, e.ErrorType = r.RequestID, r.ErrorType
	e.ErrorMessage, e.ErrorURL = s.mask(r.ErrorMessage), s.mask(r.ErrorURL)
	if r.ErrorDetails != nil {
		e.ErrorDetails, _ = s.maskJSON(r.ErrorDetails).(map[string]any)
	}
	return e
}

// outcome is what is known over all attempts.
func (c *call) outcome() Outcome { return c.before.and(c.last.outcome) }

// secrets are those of the request.
func (c *call) secrets() secrets {
	return append(secretValues(c.fields), c.client.secrets()...)
}

// addCause returns err with cause in its tree, unless it is there already.
// net/http reports the cause of a canceled context (see [context.Cause]) instead
// of the context's own error, which callers look for.
func addCause(err, cause error) error {
	if err == nil || cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// keep returns the answer, if there is one, for an error to hold.
func (a *attempt) keep(s secrets) rawAnswer {
	if a.status == 0 {
		return rawAnswer{}
	}
	header, body := a.header, a.body
	return rawAnswer{func() (http.Header, []byte, secrets) { return header, body, s }}
}
