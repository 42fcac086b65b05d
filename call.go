package stytchb2b

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/eb715825/stytchb2b/atmostonce"
)

// A call is one API call in progress.
type call struct {
	client *Client
	op     Op
	path   string // of the endpoint
	fields []field

	start   time.Time
	payload []byte   // the body of each request
	last    *attempt // nil before the first
}

// do makes a call: both endpoints use it. allow is the Guard's method for the call.
// The answer is decoded into success, which do returns.
func do[P any, R response](ctx context.Context, c *call, params P,
	allow func(Guard, context.Context, P) (func(R, error), error), success R) (R, error) {
	c.start = time.Now()
	resp, err := run(ctx, c, params, allow, success)
	c.log(ctx, err) // Not deferred: after a panic, the outcome is not known.
	return resp, err
}

// run is do without logging.
func run[P any, R response](ctx context.Context, c *call, params P,
	allow func(Guard, context.Context, P) (func(R, error), error), success R) (resp R, err error) {
	if err := c.check(ctx, params); err != nil {
		return resp, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.client.timeout)
	defer cancel()
	if err := c.over(ctx); err != nil {
		return resp, err
	}
	var done func(R, error)
	if guard := c.client.guard; guard != nil {
		if done, err = allow(guard, ctx, params); err != nil {
			return resp, guardError(c.op, err)
		}
	}
	if err = c.over(ctx); err == nil { // The Guard may have taken too long.
		err = c.attempts(ctx, success)
	}
	if err == nil {
		resp = success
	}
	if done != nil {
		done(resp, err)
	}
	return resp, err
}

// check validates and encodes the parameters.
func (c *call) check(ctx context.Context, params any) (err error) {
	if err := checkFields(c.fields); err != nil {
		return err
	}
	switch c.payload, err = json.Marshal(params); {
	case err != nil: // The other parameters are strings and numbers.
		return &ParamError{"session_custom_claims", "must be encodable as JSON: no channels, functions, cycles, NaN or infinity"}
	case c.client == nil: // The Client or the SMS is a zero value.
		return &ParamError{"client", "must be made by NewClient"}
	case ctx == nil:
		return &ParamError{"ctx", "must not be nil"}
	}
	return nil
}

// over returns an error if the context is over before the first attempt.
func (c *call) over(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return c.transportError(&attempt{overall: OutcomeNotApplied}, withContext(ctx, context.Cause(ctx)))
}

// attempts makes attempts until one ends the call, and returns its error.
//
// go-retryablehttp runs the loop. Its hooks get each attempt as the body of a
// response, and read the attempt's decision.
func (c *call) attempts(ctx context.Context, success response) error {
	loop := retryablehttp.Client{
		HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			c.last = c.attempt(ctx, c.last, success)
			return &http.Response{Body: c.last}, nil
		})},
		RetryMax: c.client.retry.MaxAttempts - 1,
		CheckRetry: func(_ context.Context, resp *http.Response, _ error) (bool, error) {
			return resp.Body.(*attempt).retry, nil
		},
		Backoff: func(_, _ time.Duration, _ int, resp *http.Response) time.Duration {
			return resp.Body.(*attempt).wait
		},
	}
	if _, err := loop.Do(&retryablehttp.Request{Request: blank.WithContext(ctx)}); err != nil {
		// The context ended during the wait.
		err = fmt.Errorf("%w while waiting to retry after %w", withContext(ctx, context.Cause(ctx)), c.last.err)
		return c.transportError(c.last, err)
	}
	return c.last.err
}

// blank is a placeholder: each attempt makes its own request.
var blank = &http.Request{URL: &url.URL{}, Header: http.Header{}}

// A roundTrip is a function as an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Read and Close let an attempt be the body of a response.
func (*attempt) Read([]byte) (int, error) { return 0, io.EOF }
func (*attempt) Close() error             { return nil }

// An attempt is one request: how it ended, and what comes next.
type attempt struct {
	number    int           // 1 for the first
	connect   time.Duration // longest wait for a connection; 0 means no limit
	took      time.Duration
	maybeSent bool // The request may have been sent.
	answer    answer

	said    statement
	outcome Outcome // of this attempt
	overall Outcome // of this attempt and those before it
	err     error   // what the call returns if this attempt is the last; nil for a success

	retry bool          // Another attempt follows,
	wait  time.Duration // after this time.
}

// attempt makes the attempt after previous, which is nil before the first.
func (c *call) attempt(ctx context.Context, previous *attempt, success response) *attempt {
	a := &attempt{number: 1, overall: OutcomeNotApplied}
	if previous != nil {
		a.number, a.overall = previous.number+1, previous.overall
	}
	deadline, _ := ctx.Deadline() // run has set one.
	if a.number < c.client.retry.MaxAttempts {
		a.connect = time.Until(deadline) / 2 // The last attempt may wait until the deadline.
	}

	start := time.Now()
	err := c.exchange(ctx, a)
	a.took = time.Since(start)

	var problem error
	a.outcome, a.said, problem = judge(a.maybeSent, a.answer, success)
	a.overall = a.overall.and(a.outcome)
	switch {
	case err != nil:
		a.err = c.transportError(a, withContext(ctx, err))
	case problem != nil || !a.answer.is2xx():
		a.err = c.apiError(a, problem)
	}
	if a.err != nil && temporary(ctx, a.answer.status, err) {
		a.wait, a.retry = c.client.retry.next(a, c.op, time.Until(deadline), deadline.Sub(c.start))
	}
	c.logAttempt(ctx, a)
	return a
}

// exchange sends the request and reads the answer. An error means that none came.
func (c *call) exchange(ctx context.Context, a *attempt) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.client.baseURL+c.path, bytes.NewReader(c.payload))
	if err != nil {
		return err
	}
	req.Header = c.client.header()
	if c.client.http.Jar == nil && c.client.http.Timeout == 0 {
		return a.send(c.client.transport, req) // The http.Client has nothing to add.
	}
	httpClient := c.client.http
	httpClient.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
		if err := a.send(c.client.transport, req); err != nil {
			return nil, err
		}
		// The http.Client reads the cookies. Without a status, it sees no redirect.
		return &http.Response{Header: a.answer.header, Body: http.NoBody}, nil
	})
	resp, err := httpClient.Do(req)
	if err == nil {
		_ = resp.Body.Close() // This stops the timer of the Timeout.
	}
	return err
}

// send sends the attempt's request, at most once, and reads the answer.
func (a *attempt) send(transport *atmostonce.Transport, req *http.Request) error {
	resp, err := transport.Once(req, a.connect)
	a.maybeSent = atmostonce.MaybeSent(err)
	if err != nil {
		return err
	}
	a.answer.read(req.Context(), resp)
	return nil
}

// An answer is what came back, from Stytch or from something between.
type answer struct {
	status int // 0 without an answer
	header http.Header
	body   []byte
	err    error // why the body is not complete
}

// is2xx reports whether the status is 2xx. Only the body shows whether Stytch sent it.
func (a *answer) is2xx() bool { return a.status >= 200 && a.status < 300 }

// maxBody is the most that is read of an answer's body, in bytes.
const maxBody = 1 << 20

// read reads the answer to its end, so that the connection can be reused.
func (a *answer) read(ctx context.Context, resp *http.Response) {
	a.status, a.header = resp.StatusCode, resp.Header
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return // The body is the connection.
	}
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= maxBody {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && b.Len() > maxBody {
		b.Truncate(maxBody)
		err = errors.New("the body is over 1 MiB")
	}
	a.body, a.err = b.Bytes(), withContext(ctx, err)
}
