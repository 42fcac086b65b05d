package stytchb2b

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// An endpoint is one operation of the API.
type endpoint struct {
	op      Op
	request *http.Request // what each of its requests starts from, without credentials
}

// Parameters are those of a call.
type parameters interface {
	fields() []field
	// encode returns the body of a request, or a *ParamError.
	encode([]field) ([]byte, error)
	// askGuard asks the Client's Guard. It returns what to tell the end to, or nil.
	askGuard(context.Context, Guard, answer) (done func(error), err error)
}

// call makes a call and fills out with the answer. Every call goes this way.
func (c *Client) call(ctx context.Context, e endpoint, params parameters, out answer) error {
	call := &call{client: c, endpoint: e, fields: params.fields(), start: time.Now(), before: OutcomeNotApplied}
	err := call.run(ctx, params, out)
	call.log(ctx, err) // Not deferred: of a panic, nothing is known.
	return err
}

func (c *call) run(ctx context.Context, params parameters, out answer) (err error) {
	if c.payload, err = params.encode(c.fields); err != nil {
		return err
	}
	ctx, cancel, err := c.begin(ctx)
	defer cancel()
	if err != nil {
		return err
	}
	done, err := c.askGuard(ctx, params, out)
	if err != nil {
		return err
	}
	if err = c.makeAttempts(ctx); err == nil {
		err = c.decode(ctx, out)
	}
	if done != nil {
		done(err)
	}
	return err
}

// A call is one call under way.
type call struct {
	client   *Client
	endpoint endpoint
	fields   []field
	payload  []byte
	start    time.Time

	attempts int
	last     *attempt
	before   Outcome // of the attempts before the last one

	room  time.Duration // that an attempt needs
	again bool          // another attempt follows...
	wait  time.Duration // ...after this time

	httpClient http.Client // the Client's, with the call as its Transport
	loop       retryablehttp.Client
}

// begin bounds the time of the call. The cancel function is never nil.
func (c *call) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	switch {
	case c.client == nil: // of the zero value of a Client or an SMS
		return ctx, func() {}, &ParamError{"client", "must be made by NewClient"}
	case ctx == nil:
		return ctx, func() {}, &ParamError{"ctx", "must not be nil"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.client.timeout)
	return ctx, cancel, c.over(ctx)
}

// askGuard asks the Client's Guard, if it has one.
func (c *call) askGuard(ctx context.Context, params parameters, out answer) (done func(error), err error) {
	if c.client.guard == nil {
		return nil, nil
	}
	return params.askGuard(ctx, c.client.guard, out)
}

// over returns an error if the context is over before the first attempt.
func (c *call) over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &TransportError{Op: c.endpoint.op, Outcome: OutcomeNotApplied, Err: err}
	}
	return nil
}

// makeAttempts returns nil if the last attempt was answered with a 2xx.
// go-retryablehttp drives the attempts: it asks RoundTrip for one, checkRetry
// whether another one follows, backoff how long to wait, and prepareRetry to
// start afresh.
func (c *call) makeAttempts(ctx context.Context) error {
	if err := c.over(ctx); err != nil {
		return err // The guard took its time.
	}
	deadline, _ := ctx.Deadline() // begin has set one.
	c.room = min(time.Second, time.Until(deadline)/2)

	c.httpClient = http.Client{
		Transport:     c,
		Jar:           c.client.http.Jar,
		Timeout:       c.client.http.Timeout,
		CheckRedirect: neverFollow,
	}
	c.loop.HTTPClient = &c.httpClient
	c.loop.RetryMax = c.client.retry.MaxAttempts - 1
	c.loop.CheckRetry = c.checkRetry
	c.loop.Backoff = c.backoff
	c.loop.PrepareRetry = c.prepareRetry
	c.loop.ErrorHandler = retryablehttp.PassthroughErrorHandler
	req := c.endpoint.request.WithContext(ctx)
	_ = c.prepareRetry(req)
	resp, err := c.loop.Do(&retryablehttp.Request{Request: req})
	if err == nil {
		_ = resp.Body.Close() // It was read; this stops the timer of an http.Client's Timeout.
	}
	if c.again { // The context ended in the wait, and the loop with it.
		return c.transportError(fmt.Errorf("%w while waiting to try again after %w", err, c.attemptError(ctx)))
	}
	return c.attemptError(ctx)
}

func neverFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// prepareRetry gives each attempt a body, a URL and a header of its own: an
// http.Client adds the cookies of its Jar to the header, and some transports
// change both.
func (c *call) prepareRetry(req *http.Request) error {
	u := *c.endpoint.request.URL
	req.URL = &u
	req.Header = c.endpoint.request.Header.Clone()
	c.client.authorize(req.Header)
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.payload)), nil }
	req.Body, _ = req.GetBody()
	req.ContentLength = int64(len(c.payload))
	return nil
}

// RoundTrip makes one attempt. It has no CloseIdleConnections beside it, which the
// loop would call when it gives up: other code may use the connections.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	c.attempts++
	var connect time.Duration // A dial that takes long leaves time for another one.
	if deadline, ok := req.Context().Deadline(); ok && c.attempts < c.client.retry.MaxAttempts {
		connect = time.Until(deadline) / 2
	}
	var resp *http.Response
	resp, c.last = exchange(c.client.transport, req, connect)
	return resp, c.last.err
}

// checkRetry ends an attempt and decides whether another one follows.
func (c *call) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	a := c.last
	c.again = false
	if a.success() {
		return false, nil
	}
	if a.err != nil {
		a.err = err // The http.Client knows of its Timeout.
	}
	deadline, _ := ctx.Deadline()
	t := turn{
		attempts:   c.attempts,
		outcome:    a.outcome,
		answered:   a.status != 0,
		limited:    a.refusal != nil && a.refusal.ErrorType == ErrorTypeTooManyRequests,
		repeatable: c.endpoint.op == OpSMSSend,
		retryAfter: parseRetryAfter(a.header.Get("Retry-After")),
		left:       time.Until(deadline),
		room:       c.room,
	}
	if t.answered {
		t.room = max(t.room, a.took) // The next answer may take as long.
		if err != nil {              // The http.Client has found a Location that it cannot parse.
			resp, err = &http.Response{StatusCode: a.status}, nil
		}
	}
	// The library knows what does not get better: a context that is over, an
	// untrusted certificate, and of the answers all but 429 and 5xx.
	t.temporary, _ = retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	if certErr := (*tls.CertificateVerificationError)(nil); errors.As(err, &certErr) {
		t.temporary = false // It looks for this one at the top only.
	}
	if c.wait, c.again = c.client.retry.next(t); c.again {
		c.logAttempt(ctx, c.attemptError(ctx), c.wait)
		c.before = c.before.and(a.outcome)
	}
	return c.again, nil
}

func (c *call) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return c.wait }

// decode decodes the 2xx of the last attempt, if it is a success.
func (c *call) decode(ctx context.Context, out answer) error {
	a := c.last
	err := addCause(a.bodyErr, ctx.Err())
	if err == nil {
		err = decodeAnswer(a, out)
	}
	if err == nil {
		a.outcome = OutcomeApplied
		return nil
	}
	return c.answerError(err)
}
