package stytchb2b

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// A RetryPolicy says what a call tries again, how often and when.
//
// Without RetryUnknown a call tries again only what certainly sent no SMS, or
// used no code, and may well succeed the next time: an attempt for which no
// connection was made, and one that was answered with 429 (Too Many Requests).
// So it never puts out a second SMS.
//
// The zero value of a field means its default.
type RetryPolicy struct {
	// MaxAttempts is the largest number of HTTP requests for one call, the
	// first one included. The default is 3; 1 switches retries off.
	MaxAttempts int

	// MinBackoff and MaxBackoff bound the wait before the next attempt, where
	// the answer does not set it: it is drawn at random between 0 and a bound
	// that begins with MinBackoff, doubles with each attempt and ends with
	// MaxBackoff. The defaults are 200 ms and 2 s.
	MinBackoff, MaxBackoff time.Duration

	// MaxWait is the longest Retry-After that is waited for; where an answer
	// asks for more, the call ends at once with an [APIError] whose RetryAfter
	// says how long. The default is 5 s.
	//
	// No wait is begun that cannot end before the call's deadline.
	MaxWait time.Duration

	// RetryUnknown has a Send also try again where an SMS may have gone out:
	// after a 5xx answer (but 501), a broken connection, or an attempt's timeout.
	// For those who prefer two SMS to none. It costs the promise of one: each
	// attempt that did arrive is one more message, paid for, and each makes the
	// code before it invalid, which the user may be just about to type.
	RetryUnknown bool
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 3
	}
	if p.MinBackoff == 0 {
		p.MinBackoff = 200 * time.Millisecond
	}
	if p.MaxBackoff == 0 {
		p.MaxBackoff = 2 * time.Second
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
		return fmt.Sprintf("MaxAttempts must not be negative, as %d is", p.MaxAttempts)
	case p.MinBackoff < 0:
		return fmt.Sprintf("MinBackoff must not be negative, as %v is", p.MinBackoff)
	case p.MaxBackoff < 0:
		return fmt.Sprintf("MaxBackoff must not be negative, as %v is", p.MaxBackoff)
	case p.MaxWait < 0:
		return fmt.Sprintf("MaxWait must not be negative, as %v is", p.MaxWait)
	case p.MinBackoff > p.MaxBackoff:
		return fmt.Sprintf("MinBackoff, %v, must not be more than MaxBackoff, %v", p.MinBackoff, p.MaxBackoff)
	}
	return ""
}

// backoff draws the wait after the nth attempt: "full jitter", so that clients
// that failed together do not come back together.
func (p RetryPolicy) backoff(n int) time.Duration {
	bound := p.MinBackoff
	for ; n > 1 && bound < p.MaxBackoff; n-- {
		bound += min(bound, p.MaxBackoff-bound)
	}
	return rand.N(bound)
}

// A call makes the attempts of one call to an endpoint. go-retryablehttp's loop
// drives it: it asks RoundTrip for an attempt, checkRetry whether to make
// another one, and backoff how long to wait before.
//
// RoundTrip stands between the http.Client and the caller's transport, where it
// sees what each attempt proves. There is no CloseIdleConnections beside it: the
// loop calls that when it gives up, and the transport's connections are not ours.
type call struct {
	client   *Client
	endpoint endpoint
	body     []byte // the request's
	out      any    // what a success is decoded into

	httpClient http.Client // the caller's, with the call as its Transport
	loop       retryablehttp.Client
	trace      httptrace.ClientTrace

	attempts int
	outcome  Outcome // over all attempts
	err      error   // what the last attempt ended with
	wait     time.Duration
	waiting  bool // between two attempts

	attempt attempt // the last one
}

// An attempt is one HTTP request and what came of it.
type attempt struct {
	start        time.Time
	getConn      atomic.Bool // it asked for a connection
	gotConn      atomic.Bool // a connection was handed over to it
	outcome      Outcome
	status       int // of the answer; 0 where none came
	responseBody []byte
	bodyErr      error // why that is not whole
}

func newCall(c *Client, e endpoint, body []byte, out any) *call {
	call := &call{client: c, endpoint: e, body: body, out: out, outcome: OutcomeNotApplied}
	call.httpClient = http.Client{Transport: call, Jar: c.http.Jar, Timeout: c.http.Timeout}
	call.loop.HTTPClient = &call.httpClient
	call.loop.RetryMax = c.retry.MaxAttempts - 1
	call.loop.CheckRetry = call.checkRetry
	call.loop.Backoff = call.backoff
	call.loop.ErrorHandler = retryablehttp.PassthroughErrorHandler
	call.trace.GetConn = func(string) { call.attempt.getConn.Store(true) }
	call.trace.GotConn = func(httptrace.GotConnInfo) { call.attempt.gotConn.Store(true) }
	return call
}

// do makes the call and returns the body of its success.
func (c *call) do(ctx context.Context) ([]byte, error) {
	req := &retryablehttp.Request{Request: c.endpoint.request.Clone(httptrace.WithClientTrace(ctx, &c.trace))}
	if err := req.SetBody(c.body); err != nil {
		return nil, &TransportError{Op: c.endpoint.op, Outcome: OutcomeNotApplied, Err: err}
	}
	c.client.authorize(req.Header)
	resp, err := c.loop.Do(req)
	if resp != nil {
		_ = resp.Body.Close() // It was read; this stops the timer of an http.Client's Timeout.
	}
	if c.waiting { // The context ended in a wait, and the loop with it.
		err = fmt.Errorf("%w while waiting to try again after %w", err, c.err)
		return nil, &TransportError{Op: c.endpoint.op, Attempts: c.attempts, Outcome: c.outcome, Err: err}
	}
	return c.attempt.responseBody, c.err
}

// RoundTrip makes one attempt, reading of the answer's body included, and finds
// what it proves.
//
// Where no answer came, the proof that nothing was applied is that the attempt
// asked for a connection (GetConn) and was never handed one (GotConn). That
// nothing was written (WroteHeaders never fired) would be no proof: the
// goroutine that writes fires it, over HTTP/2 after the frame went out, and
// RoundTrip can return on a cancel in between. A transport that fires neither
// proves nothing.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	c.waiting = false
	a := &c.attempt
	a.start = time.Now()
	a.getConn.Store(false)
	a.gotConn.Store(false)
	a.outcome, a.status, a.responseBody, a.bodyErr = OutcomeUnknown, 0, nil, nil
	if err := req.Context().Err(); err != nil {
		// A transport would say the same, but not that it asked for no connection.
		a.outcome = OutcomeNotApplied
		return nil, err
	}
	c.attempts++

	transport := c.client.http.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	resp, err := transport.RoundTrip(req)
	switch {
	case err != nil && resp != nil: // Against the rules, and net/http would log it.
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		return nil, err
	case err != nil:
		if a.getConn.Load() && !a.gotConn.Load() {
			a.outcome = OutcomeNotApplied
		}
		return nil, err
	case resp == nil:
		return nil, errors.New("the http.RoundTripper returned neither a response nor an error")
	}

	a.status = resp.StatusCode
	a.outcome = outcomeOf(a.status)
	if resp.Body != nil {
		if resp.StatusCode != http.StatusSwitchingProtocols { // Its body is the connection.
			a.responseBody, a.bodyErr = readBody(resp)
		}
		_ = resp.Body.Close()
	}
	resp.Body = http.NoBody
	if resp.Header.Get("Location") != "" {
		// The http.Client would follow a redirect, or fail on one it cannot parse.
		resp.Header = resp.Header.Clone()
		resp.Header.Del("Location")
	}
	return resp, nil
}

// outcomeOf says what a status proves.
func outcomeOf(status int) Outcome {
	switch {
	case status >= 200 && status < 300:
		return OutcomeApplied
	case status >= 300 && status < 500:
		return OutcomeNotApplied
	}
	return OutcomeUnknown
}

// and joins the outcomes of two attempts.
func (o Outcome) and(other Outcome) Outcome {
	switch {
	case o == OutcomeApplied || other == OutcomeApplied:
		return OutcomeApplied
	case o == OutcomeUnknown || other == OutcomeUnknown:
		return OutcomeUnknown
	}
	return OutcomeNotApplied
}

// checkRetry ends an attempt: it notes its error, and decides whether another
// one follows and when.
func (c *call) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	c.outcome = c.outcome.and(c.attempt.outcome)
	retryAfter, hasRetryAfter := time.Duration(0), false
	if resp != nil {
		retryAfter, hasRetryAfter = parseRetryAfter(resp.Header.Get("Retry-After"))
	}
	c.err = c.attemptError(ctx, resp, err, retryAfter)

	if c.retryable(ctx, resp, err) {
		c.wait = c.client.retry.backoff(c.attempts)
		if hasRetryAfter {
			c.wait = retryAfter
		}
		deadline, _ := ctx.Deadline() // The Client's timeout has set one.
		c.waiting = (!hasRetryAfter || retryAfter <= c.client.retry.MaxWait) && c.wait < time.Until(deadline)
	}
	more := []slog.Attr{slog.Int("attempt", c.attempts)}
	if c.waiting {
		more = append(more, slog.Duration("wait", c.wait))
	}
	c.log(ctx, "stytchb2b: attempt", c.attempt.start, c.attempt.outcome, c.err, more...)
	return c.waiting, nil
}

// backoff returns the wait that checkRetry decided on.
func (c *call) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return c.wait }

// retryable reports whether the last attempt is one to try again.
func (c *call) retryable(ctx context.Context, resp *http.Response, err error) bool {
	if c.attempts >= c.client.retry.MaxAttempts {
		return false
	}
	switch c.attempt.outcome {
	case OutcomeApplied:
		return false
	case OutcomeUnknown:
		if !c.client.retry.RetryUnknown || c.endpoint.op != OpSMSSend {
			return false // A code is good for one time: a second attempt cannot succeed where the first did.
		}
	}
	if certErr := (*tls.CertificateVerificationError)(nil); errors.As(err, &certErr) {
		return false
	}
	// The library's policy knows what cannot get better (a context that is over,
	// an unsupported scheme, a malformed request), and of the answers, that 429
	// and 5xx can.
	again, _ := retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	return again
}

// attemptError returns the error that the call ends with if the last attempt
// stays the last, or nil for a success.
func (c *call) attemptError(ctx context.Context, resp *http.Response, err error, retryAfter time.Duration) error {
	a := &c.attempt
	var unreadable error
	switch {
	case err != nil:
		unreadable = addCause(err, ctx.Err())
	case a.outcome != OutcomeApplied:
		r := newRedactor(c.client, c.body)
		apiErr := newAPIError(c.endpoint.op, a.status, retryAfter, a.responseBody, r)
		apiErr.Attempts, apiErr.Outcome = c.attempts, c.outcome
		if a.bodyErr != nil {
			apiErr.err = r.error(addCause(a.bodyErr, ctx.Err()))
		}
		return apiErr
	case a.bodyErr != nil:
		unreadable = fmt.Errorf("HTTP %d, but reading its body: %w", a.status, addCause(a.bodyErr, ctx.Err()))
	default:
		if err := decodeObject(a.responseBody, c.out); err != nil {
			unreadable = fmt.Errorf("HTTP %d, but decoding its body: %w", a.status, err)
		}
	}
	if unreadable == nil {
		return nil
	}
	return &TransportError{
		Op:       c.endpoint.op,
		Attempts: c.attempts,
		Outcome:  c.outcome,
		Err:      newRedactor(c.client, c.body).error(unreadable),
	}
}

// parseRetryAfter reads a Retry-After (RFC 9110, section 10.2.3): a number of
// seconds, or a date. A number too large for a Duration is the largest one.
func parseRetryAfter(s string) (d time.Duration, ok bool) {
	if s == "" {
		return 0, false
	}
	if strings.Trim(s, "0123456789") == "" {
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil || seconds > int64(math.MaxInt64/time.Second) {
			return math.MaxInt64, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(s)
	if err != nil {
		return 0, false
	}
	return max(0, time.Until(date)), true
}

// log writes a record of the call, or of its last attempt.
func (c *call) log(ctx context.Context, msg string, start time.Time, outcome Outcome, err error, more ...slog.Attr) {
	logger := c.client.logger
	if logger == nil || !logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := append([]slog.Attr{
		slog.String("method", http.MethodPost),
		slog.String("path", c.endpoint.request.URL.Path),
		slog.Duration("duration", time.Since(start)),
		slog.String("outcome", outcome.String()),
	}, more...)
	if c.attempt.status != 0 {
		attrs = append(attrs, slog.Int("status", c.attempt.status))
	}
	var answer struct {
		RequestID string `json:"request_id"`
	}
	if json.Unmarshal(c.attempt.responseBody, &answer); answer.RequestID != "" {
		attrs = append(attrs, slog.String("request_id", oneLine(newRedactor(c.client, c.body).text(answer.RequestID))))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	logger.LogAttrs(ctx, slog.LevelDebug, msg, attrs...)
}
