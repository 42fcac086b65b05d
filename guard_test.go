package stytchb2b_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

var errFraud = errors.New("looks like fraud")

// A testGuard records its calls.
type testGuard struct {
	refuse error
	mute   bool // done is nil.
	allow  func()

	asked []any // parameters
	told  []any // a response and an error
}

func (g *testGuard) AllowSend(_ context.Context, p stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
	return allow[*stytchb2b.SMSSendResponse](g, p)
}

func (g *testGuard) AllowAuthenticate(_ context.Context, p stytchb2b.SMSAuthenticateParams) (func(*stytchb2b.SMSAuthenticateResponse, error), error) {
	return allow[*stytchb2b.SMSAuthenticateResponse](g, p)
}

func allow[R any](g *testGuard, params any) (func(R, error), error) {
	g.asked = append(g.asked, params)
	if g.allow != nil {
		g.allow()
	}
	if g.mute {
		return nil, g.refuse
	}
	return func(resp R, err error) { g.told = append(g.told, resp, err) }, g.refuse
}

// A guard is asked once for a call, before any I/O, and told how it ended.
func TestGuard(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	var noResponse, noSession any = (*stytchb2b.SMSSendResponse)(nil), (*stytchb2b.SMSAuthenticateResponse)(nil)
	for _, tc := range []struct {
		name  string
		ctx   context.Context
		bad   bool // the parameters
		guard testGuard
		ends  []end
		asked int
		told  int
		sends int
	}{
		{name: "a success", ends: []end{ok}, asked: 1, told: 1, sends: 1},
		{name: "two attempts", ends: []end{refused, ok}, asked: 1, told: 1, sends: 2},
		{name: "a failure", ends: []end{broken}, asked: 1, told: 1, sends: 1},
		{name: "not Stytch's answer", ends: []end{garbage}, asked: 1, told: 1, sends: 1},
		{name: "nothing to be told", guard: testGuard{mute: true}, ends: []end{ok}, asked: 1, sends: 1},
		{name: "a refusal", guard: testGuard{refuse: errFraud}, asked: 1},
		{name: "bad parameters", bad: true},
		{name: "a context that is over", ctx: canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx := tc.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			check := func(guard *testGuard, call func(*stytchb2b.Client) (any, error), params, none any) {
				s := &script{ends: tc.ends}
				guard.allow = func() { assert.Empty(t, s.at) }
				resp, err := call(newClient(t, s, stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1}), stytchb2b.WithGuard(guard)))
				assert.Equal(t, []int{tc.asked, 2 * tc.told, tc.sends}, []int{len(guard.asked), len(guard.told), len(s.at)})
				if tc.asked == 1 {
					assert.Equal(t, params, guard.asked[0])
				}
				if err != nil {
					assert.Equal(t, none, resp)
				}
				if tc.told == 1 {
					assert.Equal(t, []any{resp, err}, guard.told)
				}
			}
			send, enter := params, authenticateParams
			if tc.bad {
				send.MemberID, enter.MemberID = "", ""
			}
			guard := tc.guard
			check(&guard, func(c *stytchb2b.Client) (any, error) { return c.OTPs.SMS.Send(ctx, send) }, send, noResponse)
			guard = tc.guard
			check(&guard, func(c *stytchb2b.Client) (any, error) { return c.OTPs.SMS.Authenticate(ctx, enter) }, enter, noSession)
		})
	}
	_, err := stytchb2b.NewClient("project-test-1", "secret-test-1", stytchb2b.WithGuard(nil))
	assert.EqualError(t, err, "stytchb2b: WithGuard must not be nil")
}

// Whatever error a guard returns, the call returns a GuardError that contains it.
func TestGuardError(t *testing.T) {
	t.Parallel()
	limit := &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonLimit, RetryAfter: 30 * time.Second, Err: errFraud}
	for _, tc := range []struct {
		name   string
		refuse error
		text   string // without what was not done
	}{
		{"any", errFraud, "the guard refused: looks like fraud"},
		{"a GuardError", limit, "the guard refused: looks like fraud"},
		{"one without an error", &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonLimit, RetryAfter: 30 * time.Second}, "the guard refused: limit"},
		{"a wrapped one", fmt.Errorf("policy: %w", limit), "the guard refused: policy: stytchb2b: the guard refused: looks like fraud; retry in 30s"},
		{"a nil one", (*stytchb2b.GuardError)(nil), "the guard refused: its error is a nil *GuardError"},
	} {
		client := newClient(t, &script{ends: []end{ok}}, stytchb2b.WithGuard(&testGuard{refuse: tc.refuse}))
		says := errors.As(tc.refuse, new(*stytchb2b.GuardError)) && tc.name != "a nil one"
		for i, done := range []string{"; no SMS was sent", "; the code was not used"} {
			err := calls[i].do(t.Context(), client)
			guardErr, ok := err.(*stytchb2b.GuardError)
			require.True(t, ok, tc.name)
			assert.Equal(t, []stytchb2b.Op{stytchb2b.OpSMSSend, stytchb2b.OpSMSAuthenticate}[i], guardErr.Op)
			assert.False(t, calls[i].maybe(err))
			text := "stytchb2b: " + tc.text + done
			if says {
				assert.Equal(t, stytchb2b.GuardReasonLimit, guardErr.Reason)
				text += "; retry in 30s"
			}
			assert.EqualError(t, err, text)
			if tc.refuse != error((*stytchb2b.GuardError)(nil)) && guardErr.Err != nil {
				assert.ErrorIs(t, err, errFraud)
			}
		}
	}
	assert.Empty(t, limit.Op, "a guard may return one error to several calls")
}

// A panic in a guard or a transport reaches the caller. No log record claims that
// nothing was sent.
func TestPanic(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]stytchb2b.Option{
		"guard":     stytchb2b.WithGuard(&testGuard{allow: func() { panic("a bug") }}),
		"transport": stytchb2b.WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { panic("a bug") })}),
	} {
		var log strings.Builder
		s := &script{ends: []end{ok}}
		client := newClient(t, s, stytchb2b.WithLogger(debugLogger(&log)), opt)
		assert.PanicsWithValue(t, "a bug", func() { _ = calls[0].do(t.Context(), client) }, name)
		assert.Empty(t, s.at, name)
		assert.Empty(t, log.String(), name)
	}
}

// If a guard allows a call after the context has ended, done learns that nothing was
// sent.
func TestGuardAllowsTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{ends: []end{ok}}
		guard := &testGuard{allow: func() { time.Sleep(time.Minute) }}
		_, err := newClient(t, s, stytchb2b.WithTimeout(time.Second), stytchb2b.WithGuard(guard)).OTPs.SMS.Send(t.Context(), params)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, err, guard.told[1])
		assert.False(t, stytchb2b.MaybeSent(err))
		assert.ErrorContains(t, err, "after 0 attempts")
		assert.Empty(t, s.at)
	})
}
