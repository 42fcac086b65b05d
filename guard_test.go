package stytchb2b_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

// A guardFunc is a Guard of Sends. It lets each Authenticate pass.
type guardFunc func(context.Context, stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error)

func (f guardFunc) AllowSend(ctx context.Context, p stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
	return f(ctx, p)
}

func (guardFunc) AllowAuthenticate(context.Context, stytchb2b.SMSAuthenticateParams) (func(*stytchb2b.SMSAuthenticateResponse, error), error) {
	return nil, nil
}

var errFraud = errors.New("looks like fraud")

// A guard is asked once a Send, and told how it ended.
func TestGuard(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		name    string
		ctx     context.Context
		params  stytchb2b.SMSSendParams
		refuses error
		ends    []end
		asked   int
		told    int
		sends   int
	}{
		{"a success", t.Context(), params, nil, []end{ok}, 1, 1, 1},
		{"two attempts", t.Context(), params, nil, []end{refused, ok}, 1, 1, 2},
		{"a failure", t.Context(), params, nil, []end{broken}, 1, 1, 1},
		{"a refusal", t.Context(), params, errFraud, []end{ok}, 1, 0, 0},
		{"bad parameters", t.Context(), stytchb2b.SMSSendParams{}, nil, []end{ok}, 0, 0, 0},
		{"a context that is over", canceled, params, nil, []end{ok}, 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := &script{ends: tc.ends}
			asked, told := 0, 0
			var toldResp *stytchb2b.SMSSendResponse
			var toldErr error
			client := newClient(t, s, stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1}), stytchb2b.WithGuard(guardFunc(
				func(_ context.Context, p stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
					asked++
					assert.Equal(t, tc.params, p)
					assert.Empty(t, s.at, "before any I/O")
					return func(resp *stytchb2b.SMSSendResponse, err error) { told++; toldResp, toldErr = resp, err }, tc.refuses
				})))
			resp, err := client.OTPs.SMS.Send(tc.ctx, tc.params)
			assert.Equal(t, []int{tc.asked, tc.told, tc.sends}, []int{asked, told, len(s.at)})
			if tc.told == 1 {
				assert.Same(t, resp, toldResp)
				assert.Equal(t, err, toldErr)
			}
			if tc.refuses != nil {
				assert.ErrorIs(t, err, tc.refuses)
				assert.EqualError(t, err, "stytchb2b: the guard refused: looks like fraud; no SMS was sent")
				assert.False(t, stytchb2b.MaybeSent(err))
			}
		})
	}
	_, err := stytchb2b.NewClient("project-test-1", "secret-test-1", stytchb2b.WithGuard(nil))
	assert.EqualError(t, err, "stytchb2b: WithGuard must not be nil")
}

// A guard's own GuardError comes back as it is, with its time.
func TestGuardRetryAfter(t *testing.T) {
	t.Parallel()
	client := newClient(t, &script{ends: []end{ok}}, stytchb2b.WithGuard(guardFunc(
		func(context.Context, stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
			return nil, fmt.Errorf("policy: %w", &stytchb2b.GuardError{RetryAfter: 30 * time.Second, Err: errFraud})
		})))
	_, err := client.OTPs.SMS.Send(t.Context(), params)
	var guardErr *stytchb2b.GuardError
	require.ErrorAs(t, fmt.Errorf("login: %w", err), &guardErr)
	assert.Equal(t, 30*time.Second, guardErr.RetryAfter)
	assert.ErrorIs(t, err, errFraud)
	assert.False(t, stytchb2b.MaybeSent(err))
	assert.Contains(t, err.Error(), "no SMS was sent; retry in 30s")
}

// A guard whose nil *GuardError became an error refuses, with an error that can
// be printed.
func TestGuardTypedNil(t *testing.T) {
	t.Parallel()
	s := &script{ends: []end{ok}}
	client := newClient(t, s, stytchb2b.WithGuard(guardFunc(
		func(context.Context, stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
			return nil, (*stytchb2b.GuardError)(nil)
		})))
	_, err := client.OTPs.SMS.Send(t.Context(), params)
	require.EqualError(t, err, "stytchb2b: the guard refused: its error is a nil *GuardError; no SMS was sent")
	assert.False(t, stytchb2b.MaybeSent(err))
	assert.Empty(t, s.at)
}

// A guard is called in the caller's goroutine: what ends that goroutine ends the
// Send before anything is sent.
func TestGuardEndsTheGoroutine(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(){"Goexit": runtime.Goexit, "panic": func() { panic("a bug of the guard") }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{ends: []end{ok}}
			client := newClient(t, s, stytchb2b.WithGuard(guardFunc(
				func(context.Context, stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
					stop()
					return nil, nil
				})))
			returned := false
			var wg sync.WaitGroup
			wg.Go(func() {
				defer func() { _ = recover() }()
				_, _ = client.OTPs.SMS.Send(t.Context(), params)
				returned = true
			})
			wg.Wait()
			assert.False(t, returned)
			assert.Empty(t, s.at)
		})
	}
}

// A guard that allows after the end of the context is told that nothing was sent.
func TestGuardAllowsTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{ends: []end{ok}}
		var told error
		client := newClient(t, s, stytchb2b.WithTimeout(time.Second), stytchb2b.WithGuard(guardFunc(
			func(context.Context, stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
				time.Sleep(time.Minute)
				return func(_ *stytchb2b.SMSSendResponse, err error) { told = err }, nil
			})))
		_, err := client.OTPs.SMS.Send(t.Context(), params)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, err, told)
		assert.False(t, stytchb2b.MaybeSent(told))
		assert.Empty(t, s.at)
	})
}

// A guard may have nothing to be told.
func TestGuardWithoutDone(t *testing.T) {
	t.Parallel()
	client := newClient(t, &script{ends: []end{ok}}, stytchb2b.WithGuard(guardFunc(
		func(context.Context, stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
			return nil, nil
		})))
	_, err := client.OTPs.SMS.Send(t.Context(), params)
	assert.NoError(t, err)
}

// A codeGuard is a Guard of Authenticates. It has no Sends.
type codeGuard struct {
	stytchb2b.Guard
	allow func(context.Context, stytchb2b.SMSAuthenticateParams) (func(*stytchb2b.SMSAuthenticateResponse, error), error)
}

func (g codeGuard) AllowAuthenticate(ctx context.Context, p stytchb2b.SMSAuthenticateParams) (func(*stytchb2b.SMSAuthenticateResponse, error), error) {
	return g.allow(ctx, p)
}

// A guard is asked before each Authenticate, and told what came of it.
func TestGuardOfAuthenticate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		ends    []end
		refuses error
		right   bool
	}{
		{"right", []end{ok}, nil, true},
		{"right at the second attempt", []end{refused, ok}, nil, true},
		{"wrong", []end{{status: 404, refusal: stytchb2b.ErrorTypeOTPCodeNotFound}}, nil, false},
		{"lost", []end{broken}, nil, false},
		{"not Stytch's answer", []end{{status: 200, body: `{"status_code":200}`}}, nil, false},
		{"refused", nil, errFraud, false},
		{"refused with a GuardError", nil, &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonLimit, RetryAfter: time.Minute, Err: errFraud}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := &script{ends: tc.ends}
			asked, told := 0, 0
			var toldResp *stytchb2b.SMSAuthenticateResponse
			var toldErr error
			client := newClient(t, s, stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1}), stytchb2b.WithGuard(codeGuard{
				allow: func(_ context.Context, p stytchb2b.SMSAuthenticateParams) (func(*stytchb2b.SMSAuthenticateResponse, error), error) {
					asked++
					assert.Equal(t, authenticateParams, p)
					return func(resp *stytchb2b.SMSAuthenticateResponse, err error) { told++; toldResp, toldErr = resp, err }, tc.refuses
				}}))
			resp, err := client.OTPs.SMS.Authenticate(t.Context(), authenticateParams)
			assert.Equal(t, 1, asked)
			assert.Equal(t, tc.right, err == nil)
			if tc.refuses == nil {
				assert.Equal(t, 1, told)
				assert.Same(t, resp, toldResp)
				assert.Equal(t, err, toldErr)
				return
			}
			assert.Zero(t, told)
			assert.Empty(t, s.at, "nothing is sent")
			var guardErr *stytchb2b.GuardError
			require.ErrorAs(t, err, &guardErr)
			assert.Equal(t, stytchb2b.OpSMSAuthenticate, guardErr.Op)
			assert.ErrorIs(t, err, errFraud)
			assert.Contains(t, err.Error(), "the code was not used")
			assert.False(t, stytchb2b.MaybeUsed(err))
		})
	}
}
