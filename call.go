package stytchb2b

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// An endpoint is one operation of the API.
type endpoint struct {
	op      Op
	request *http.Request // what each of its requests starts from, without credentials
}

// begin bounds a call's context, which must not be nil. The cancel function is
// never nil.
func (c *Client) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if c == nil { // of the zero value of a Client or an SMS
		return nil, func() {}, &ParamError{"client", "must be made by NewClient"}
	}
	if ctx == nil {
		return nil, func() {}, &ParamError{"ctx", "must not be nil"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	return ctx, cancel, nil
}

// over returns an error if the context is over before the call's first request.
func (op Op) over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &TransportError{Op: op, Outcome: OutcomeNotApplied, Err: err}
	}
	return nil
}

// do is the one request path of every endpoint. It posts the payload, tries
// again where that is safe, and decodes a success into out. The context is from
// begin.
func (c *Client) do(ctx context.Context, e endpoint, fields []field, payload []byte, out answer) error {
	if err := e.op.over(ctx); err != nil {
		return c.refused(ctx, e.op, fields, err)
	}
	call := &call{client: c, endpoint: e, fields: fields, payload: payload, start: time.Now(), before: OutcomeNotApplied}
	err := call.run(ctx)
	if err == nil {
		err = call.decode(ctx, out)
	}
	call.logAttempt(ctx, err)
	call.log(ctx, err)
	return err
}

// A call makes the attempts of one call. go-retryablehttp drives them: it asks
// RoundTrip for an attempt, checkRetry whether another one follows, backoff how
// long to wait and prepareRetry to start afresh.
type call struct {
	client   *Client
	endpoint endpoint
	fields   []field
	payload  []byte
	start    time.Time
	room     time.Duration // that an attempt needs

	httpClient http.Client // the Client's, with the call as its Transport
	loop       retryablehttp.Client

	attempts int
	last     *attempt
	before   Outcome // of the attempts before the last one
	again    bool    // another attempt follows
	wait     time.Duration
}

// run makes the attempts. It returns nil if the last one was answered with a
// 2xx.
func (c *call) run(ctx context.Context) error {
	deadline, _ := ctx.Deadline() // begin has set one.
	c.room = min(time.Second, deadline.Sub(c.start)/2)

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

// prepareRetry gives each attempt a URL and a header of its own: an http.Client
// adds the cookies of its Jar to the header, and some transports change both.
func (c *call) prepareRetry(req *http.Request) error {
	u := *c.endpoint.request.URL
	req.URL = &u
	req.Header = c.endpoint.request.Header.Clone()
	c.client.authorize(req.Header)
	return nil
}

// RoundTrip makes one attempt. It stands between the http.Client and the caller's
// transport. It has no CloseIdleConnections, which the loop would call when it
// gives up: other code may use the transport's connections.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	c.attempts++
	transport := c.client.http.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	var resp *http.Response
	resp, c.last = try(req, transport, c.payload, c.client.connectTimeout)
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
		c.logAttempt(ctx, c.attemptError(ctx), slog.Duration("wait", c.wait))
		c.before = c.before.and(a.outcome)
	}
	return c.again, nil
}

func (c *call) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return c.wait }

// decode decodes a 2xx, or says what is known of one that is not a success.
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
	requestID := acceptedID(a.status, a.body)
	switch {
	case a.unsent:
		a.outcome = OutcomeNotApplied
	case requestID != "":
		a.outcome = OutcomeApplied
	}
	e := c.transportError(fmt.Errorf("HTTP %d, but %w (%s)", a.status, err, a.describeBody()))
	e.StatusCode, e.RequestID = a.status, requestID
	return e
}

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

func (c *call) transportError(err error) *TransportError {
	e := &TransportError{Op: c.endpoint.op, Attempts: c.attempts, Outcome: c.outcome(), Err: c.secrets().maskError(err)}
	e.answer.hold(c.last, nil)
	return e
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
	}
	e.answer.hold(a, s)
	if r := a.refusal; r != nil {
		e.RequestID, e.ErrorType = r.RequestID, r.ErrorType
		e.ErrorMessage, e.ErrorURL = s.mask(r.ErrorMessage), s.mask(r.ErrorURL)
		if r.ErrorDetails != nil {
			e.ErrorDetails, _ = s.maskJSON(r.ErrorDetails).(map[string]any)
		}
	} else {
		e.stranger = a.describeBody()
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

// logAttempt writes a record of the last attempt.
func (c *call) logAttempt(ctx context.Context, err error, more ...slog.Attr) {
	if c.client.logger == nil {
		return
	}
	a := c.last
	attrs := append([]slog.Attr{slog.Int("attempt", c.attempts)}, more...)
	c.write(ctx, slog.LevelDebug, "stytchb2b: attempt", a.took, a.outcome, err, attrs)
}

// log writes a record of the call.
func (c *call) log(ctx context.Context, err error) {
	if c.client.logger == nil {
		return
	}
	level := slog.LevelDebug
	if err != nil {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.Int("attempts", c.attempts)}
	if c.last.repeated {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Bool("repeated", true))
	}
	c.write(ctx, level, "stytchb2b: call", time.Since(c.start), c.outcome(), err, attrs)
}

// refused logs an error that a call ends with before its first request, and
// returns it. The Client may be nil.
func (c *Client) refused(ctx context.Context, op Op, fields []field, err error) error {
	if c == nil || c.logger == nil {
		return err
	}
	c.logger.LogAttrs(ctx, slog.LevelWarn, "stytchb2b: call",
		slog.String("op", string(op)),
		slog.String("outcome", OutcomeNotApplied.String()),
		slog.Int("attempts", 0),
		slog.String("error", append(secretValues(fields), c.secrets()...).mask(err.Error())))
	return err
}

func (c *call) write(ctx context.Context, level slog.Level, msg string, took time.Duration, outcome Outcome, err error, more []slog.Attr) {
	logger := c.client.logger
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := append([]slog.Attr{
		slog.String("op", string(c.endpoint.op)),
		slog.Duration("duration", took),
		slog.String("outcome", outcome.String()),
	}, more...)
	if c.last.status != 0 {
		attrs = append(attrs, slog.Int("status", c.last.status))
	}
	if id := c.requestID(); id != "" {
		attrs = append(attrs, slog.String("request_id", oneLine(id)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	logger.LogAttrs(ctx, level, msg, attrs...)
}

// requestID returns the request ID of the last answer, if it is from Stytch.
func (c *call) requestID() string {
	if c.last.refusal != nil {
		return c.last.refusal.RequestID
	}
	return acceptedID(c.last.status, c.last.body)
}
