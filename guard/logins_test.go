package guard_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

func login(p stytchb2b.SMSSendParams, verified, sent bool) guard.Login {
	return guard.Login{OrganizationID: p.OrganizationID, MemberID: p.MemberID, MFAPhoneNumber: p.MFAPhoneNumber, MFAPhoneNumberVerified: verified, SMSSent: sent}
}

// Stytch's own SMS after a primary login begins the wait, and counts.
func TestAfterLoginSMSSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, last := decisions(t)
		p := params("a", "+12025550123")
		g.AfterLogin(t.Context(), login(p, false, true))
		time.Sleep(time.Millisecond)
		require.ErrorIs(t, allow(t, g, p), guard.ErrCooldown)
		time.Sleep(30 * time.Second)
		require.NoError(t, allow(t, g, p))
		assert.InDelta(t, 1, last.Count, 0.01)
		time.Sleep(30 * time.Second)
		require.ErrorIs(t, allow(t, g, p), guard.ErrCooldown, "the wait has grown")

		for i := range 1000 {
			g.AfterLogin(t.Context(), login(stranger("fraud", i), false, true))
		}
		require.ErrorIs(t, allow(t, g, stranger("fraud", 20_000)), guard.ErrUnanswered)
		enter(t, g, stranger("of users", 1))
		assert.NoError(t, allow(t, g, stranger("of users", 2)), "the rest")
	})
}

// A number that Stytch calls verified is trusted from the login on, and another one
// ends the trust. A Send that names no number is for the login's.
func TestAfterLoginNumber(t *testing.T) {
	t.Parallel()
	g, last := decisions(t)
	p := params("a", "+12025550123")
	unnamed := params("a", "")
	for i, tc := range []struct {
		login   guard.Login
		trusted bool
	}{
		{login(p, true, false), true},
		{login(params("a", ""), false, false), true},
		{login(params("a", "+12025550199"), false, false), false},
		{login(p, false, false), false},
		{login(p, true, false), true},
	} {
		g.AfterLogin(t.Context(), tc.login)
		done, err := g.AllowSend(t.Context(), unnamed)
		require.NoError(t, err)
		done(nil, notSent)
		assert.Equal(t, tc.trusted, last.Trusted, "%d", i)
	}
	g.AfterLogin(t.Context(), login(params("a", "+18762101234"), true, false))
	assert.ErrorIs(t, allow(t, g, unnamed), guard.ErrCountry)
}

// Stytch would text the Member again: the guard says so before the login.
func TestBeforeLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		p := params("a", "+12025550123")
		out := 0
		for range 24 * 60 {
			if err := g.BeforeLogin(t.Context(), p.OrganizationID, p.MemberID); err == nil {
				g.AfterLogin(t.Context(), login(p, true, true))
				out++
			} else {
				assert.ErrorAs(t, err, new(*stytchb2b.GuardError))
				assert.Positive(t, stytchb2b.RetryAfter(err))
				assert.Equal(t, stytchb2b.NextWait, stytchb2b.AfterSend(err))
			}
			time.Sleep(time.Minute)
		}
		assert.InDelta(t, 9, out, 1, "eight, and one each twelve hours")

		pump(t, g)
		fresh := stranger("new", 4000)
		assert.NoError(t, g.BeforeLogin(t.Context(), fresh.OrganizationID, fresh.MemberID), "nobody knows whether Stytch would send")
		g.AfterLogin(t.Context(), login(fresh, false, true))
		time.Sleep(time.Hour)
		pump(t, g)
		assert.ErrorIs(t, g.BeforeLogin(t.Context(), fresh.OrganizationID, fresh.MemberID), guard.ErrUnanswered)
	})
}

// A Member's wrong codes are ten at once and thirty more in a day, whatever comes
// between them but a right one.
func TestGuesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		p := params("a", "+12025550123")
		var tried atomic.Int64
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if try(t, g, p, errWrong) == nil {
					tried.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 10, tried.Load(), "40 at once")
		g.AfterLogin(t.Context(), login(p, true, true))
		err := try(t, g, p, errWrong)
		require.ErrorIs(t, err, guard.ErrGuesses)
		assert.Equal(t, 48*time.Minute, stytchb2b.RetryAfter(err))
		assert.Equal(t, stytchb2b.NextWait, stytchb2b.AfterAuthenticate(err))
		assert.False(t, stytchb2b.MaybeUsed(err))
		for range 24 * 60 {
			time.Sleep(time.Minute)
			if try(t, g, p, errWrong) == nil {
				tried.Add(1)
			}
		}
		assert.EqualValues(t, 40, tried.Load(), "in a day")
		time.Sleep(48 * time.Minute)
		enter(t, g, p)
		for range 10 {
			assert.NoError(t, try(t, g, p, errWrong), "a right one clears them")
		}
		assert.NoError(t, try(t, g, params("b", ""), errWrong), "another Member")
	})
}

// Only what Stytch says of a code, and what nobody knows, counts as a guess: 40 at
// once, and then 20 one by one.
func TestNoGuess(t *testing.T) {
	t.Parallel()
	api := func(status int, errorType stytchb2b.ErrorType, outcome stytchb2b.Outcome) error {
		return &stytchb2b.APIError{Op: stytchb2b.OpSMSAuthenticate, StatusCode: status, ErrorType: errorType, Outcome: outcome}
	}
	const no, unknown = stytchb2b.OutcomeNotApplied, stytchb2b.OutcomeUnknown
	for _, tc := range []struct {
		err    error
		counts bool
	}{
		{api(404, stytchb2b.ErrorTypeOTPCodeNotFound, no), true},
		{api(400, stytchb2b.ErrorTypeInvalidCode, no), true},
		{api(401, stytchb2b.ErrorTypeUnableToAuthOTPCode, no), true},
		{api(503, "", unknown), true},
		{&stytchb2b.TransportError{Op: stytchb2b.OpSMSAuthenticate, Outcome: unknown}, true},
		{errors.New("of a wrapper"), true},
		{nil, true}, // and no response
		{api(401, "unauthorized_credentials", no), false},
		{api(404, stytchb2b.ErrorTypeIntermediateSessionNotFound, no), false},
		{api(404, stytchb2b.ErrorTypeSessionNotFound, no), false},
		{api(404, stytchb2b.ErrorTypeMemberNotFound, no), false},
		{api(403, stytchb2b.ErrorTypeUserLockLimitReached, no), false},
		{api(429, stytchb2b.ErrorTypeTooManyRequests, no), false},
		{&stytchb2b.TransportError{Op: stytchb2b.OpSMSAuthenticate, Outcome: no}, false},
	} {
		g := newGuard(t)
		ask := func() (func(*stytchb2b.SMSAuthenticateResponse, error), error) {
			return g.AllowAuthenticate(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: "organization-test-1", MemberID: "a"})
		}
		var ends []func(*stytchb2b.SMSAuthenticateResponse, error)
		for range 40 {
			if end, err := ask(); err == nil {
				ends = append(ends, end)
			}
		}
		assert.Len(t, ends, 10, "%v: a code counts before the call", tc.err)
		for _, end := range ends {
			end(nil, tc.err)
		}
		tries := 0
		for range 20 {
			if end, err := ask(); err == nil {
				tries++
				end(nil, tc.err)
			}
		}
		want := 20
		if tc.counts {
			want = 0
		}
		assert.Equal(t, want, tries, "%v", tc.err)
	}
}
