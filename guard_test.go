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

type guardFunc func(context.Context, stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error)

func (f guardFunc) Allow(ctx context.Context, p stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
	return f(ctx, p)
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
	assert.Contains(t, err.Error(), "no SMS was sent; try again in 30s")
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

type learningGuard struct {
	guardFunc
	verified func(context.Context, stytchb2b.SMSAuthenticateParams, *stytchb2b.SMSAuthenticateResponse)
}

func (g learningGuard) Verified(ctx context.Context, p stytchb2b.SMSAuthenticateParams, resp *stytchb2b.SMSAuthenticateResponse) {
	g.verified(ctx, p, resp)
}

// A guard that learns is told of each code that was right, and of no other.
func TestLearningGuard(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		ends []end
		told int
	}{
		{"right", []end{ok}, 1},
		{"right at the second attempt", []end{refused, ok}, 1},
		{"wrong", []end{{status: 404, refusal: stytchb2b.ErrorTypeOTPCodeNotFound}}, 0},
		{"lost", []end{broken}, 0},
		{"not Stytch's answer", []end{{status: 200, body: `{"status_code":200}`}}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				type key struct{}
				told := 0
				var learned *stytchb2b.SMSAuthenticateResponse
				g := learningGuard{verified: func(ctx context.Context, p stytchb2b.SMSAuthenticateParams, resp *stytchb2b.SMSAuthenticateResponse) {
					told++
					learned = resp
					assert.Equal(t, authenticateParams, p)
					assert.Equal(t, "value", ctx.Value(key{}))
					deadline, _ := ctx.Deadline()
					assert.Equal(t, time.Second, time.Until(deadline), "not the call's deadline")
				}}
				client := newClient(t, &script{ends: tc.ends}, stytchb2b.WithTimeout(2*time.Second),
					stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1}), stytchb2b.WithGuard(g))
				resp, err := client.OTPs.SMS.Authenticate(context.WithValue(t.Context(), key{}, "value"), authenticateParams)
				assert.Equal(t, tc.told, told)
				if tc.told > 0 {
					require.NoError(t, err)
					assert.Same(t, resp, learned)
				} else {
					assert.Error(t, err)
				}
			})
		})
	}
}
