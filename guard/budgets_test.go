package guard_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

var areaCodes = [...]int{202, 213, 312, 404, 512, 602, 617, 713, 718, 816, 901, 917}

// stranger is a new Member of an Organization. There are 600 blocks of numbers.
func stranger(organization string, i int) stytchb2b.SMSSendParams {
	return stytchb2b.SMSSendParams{
		OrganizationID: organization,
		MemberID:       fmt.Sprint("stranger-", i),
		MFAPhoneNumber: fmt.Sprintf("+1%d%03d%04d", areaCodes[i%12], 200+7*(i/12%50), i/600),
	}
}

// pump asks for SMS of strangers, each in an Organization of its own, until
// nothing goes out any more, and returns how many did.
func pump(t testing.TB, g *guard.Guard) (sent int) {
	for i := range 3000 {
		if allow(t, g, stranger(fmt.Sprint("fraud-", i), i)) == nil {
			sent++
		}
	}
	return sent
}

func reason(t testing.TB, err error) *guard.Refusal {
	var refusal *guard.Refusal
	require.ErrorAs(t, err, &refusal)
	return refusal
}

// What nobody answers is bounded, and comes back slowly.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		at := pump(t, g)
		assert.Greater(t, at, 10)
		assert.LessOrEqual(t, at, 248)
		for range 24 {
			time.Sleep(time.Hour)
			at += pump(t, g)
		}
		assert.LessOrEqual(t, at, 410, "in a day")
		err := allow(t, g, stranger("fraud", 1))
		require.ErrorIs(t, err, guard.ErrUnanswered)
		assert.NotZero(t, reason(t, err).Scope)
		assert.Greater(t, stytchb2b.RetryAfter(err), time.Minute)
		assert.LessOrEqual(t, stytchb2b.RetryAfter(err), 24*time.Hour)
	})
}

// People who enter their codes are as many as they are.
func TestAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		for i := range 2000 {
			p := stranger(fmt.Sprint("organization-", i%50), i)
			require.NoError(t, allow(t, g, p), "%d", i)
			time.Sleep(20 * time.Second)
			if i%7 != 0 { // one of seven gives up
				enter(t, g, p)
			}
		}
	})
}

// While an attack fills the budgets, Members who have entered a code pass, and
// those whose number Stytch calls verified from the second code on.
func TestTrusted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		user, other := params("user", "+12125550123"), params("other", "+12125550124")
		require.NoError(t, allow(t, g, user))
		enter(t, g, user)
		done, err := g.AllowSend(t.Context(), params(other.MemberID, ""))
		require.NoError(t, err)
		verified := answer(other.MemberID, other.MFAPhoneNumber)
		verified.Member.MFAPhoneNumberVerified = true
		done(verified, nil)

		pump(t, g)
		for day := range 29 {
			for _, p := range []stytchb2b.SMSSendParams{user, params("user", ""), other} {
				time.Sleep(8 * time.Hour)
				assert.NoError(t, allow(t, g, p), "day %d", day)
			}
			if day%7 == 0 {
				pump(t, g)
			}
		}
		time.Sleep(2 * 24 * time.Hour)
		pump(t, g)
		moved := user
		moved.MFAPhoneNumber = "+12026660001"
		assert.ErrorIs(t, allow(t, g, moved), guard.ErrUnanswered, "another number")
		assert.ErrorIs(t, allow(t, g, user), guard.ErrUnanswered, "after 30 days without a code")
	})
}

// A Member whose number is another now loses the trust with the first SMS to it.
func TestChangedNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var decisions []guard.Decision
		g := newGuard(t, guard.Recommended("US"), guard.OnDecision(func(_ context.Context, d guard.Decision) { decisions = append(decisions, d) }))
		enter(t, g, params("m", "+12125550123"))
		for range 2 {
			done, err := g.AllowSend(t.Context(), params("m", ""))
			require.NoError(t, err)
			done(answer("m", "+12026660001"), nil)
			time.Sleep(15 * time.Minute)
		}
		assert.True(t, decisions[0].Trusted)
		assert.False(t, decisions[1].Trusted)
	})
}

// Codes entered in an Organization speak for its next Member, and a block that
// was not seen to collect SMS for those whom nothing else speaks for.
func TestEvidence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		p := params("first", "+12125550123")
		require.NoError(t, allow(t, g, p))
		enter(t, g, p)
		pump(t, g)
		assert.NoError(t, allow(t, g, params("second", "+13105550123")), "a Member of a known Organization")
		err := allow(t, g, stranger("fraud", 1))
		require.ErrorIs(t, err, guard.ErrUnanswered)

		fresh := stytchb2b.SMSSendParams{OrganizationID: "new", MemberID: "m", MFAPhoneNumber: "+14155550123"}
		for range 24 { // Room comes back, and the attack cannot take it.
			time.Sleep(time.Hour)
			pump(t, g)
		}
		assert.NoError(t, allow(t, g, fresh), "a new Organization, a block without fraud")
	})
}

// The budgets in all and of one number.
func TestBudgetScopes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		scope guard.Scope
		max   int
		p     func(i int) stytchb2b.SMSSendParams
	}{
		{guard.InAll, 247, func(i int) stytchb2b.SMSSendParams { return stranger("one", i) }},
		{guard.PerPhoneNumber, 7, func(i int) stytchb2b.SMSSendParams { return params(fmt.Sprint("m-", i), "+12025550123") }},
	} {
		t.Run(tc.scope.String(), func(t *testing.T) {
			t.Parallel()
			g := newGuard(t, guard.Recommended("US"))
			enter(t, g, params("known", "+12125550123"))
			for i := range tc.max {
				require.NoError(t, allow(t, g, tc.p(i)), "%d", i)
			}
			err := allow(t, g, tc.p(tc.max))
			require.ErrorIs(t, err, guard.ErrUnanswered)
			assert.Equal(t, tc.scope, reason(t, err).Scope)
			assert.Contains(t, err.Error(), "too many codes were not entered ("+tc.scope.String()+")")
			enter(t, g, tc.p(0))
			assert.NoError(t, allow(t, g, tc.p(tc.max)), "one was given back")
		})
	}
}

// A Member is trusted until five SMS in a row are unanswered, and again with the
// next code.
func TestTrustEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var last guard.Decision
		g := newGuard(t, guard.Recommended("US"), guard.OnDecision(func(_ context.Context, d guard.Decision) { last = d }))
		p := params("user", "+12125550123")
		verified := answer(p.MemberID, p.MFAPhoneNumber) // Stytch still calls the number verified.
		verified.Member.MFAPhoneNumberVerified = true
		for range 2 {
			enter(t, g, p)
			for _, trusted := range []bool{true, true, true, true, true, false, false} {
				done, err := g.AllowSend(t.Context(), p)
				require.NoError(t, err)
				done(verified, nil)
				assert.Equal(t, trusted, last.Trusted)
				time.Sleep(25 * time.Hour)
			}
		}
	})
}

// An answer without the Member, such as Stytch's page documents, takes nothing of
// what is known: who is trusted, and which number the Member has.
func TestAnswersWithoutMember(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var last guard.Decision
		g := newGuard(t, guard.Recommended("US"), guard.OnDecision(func(_ context.Context, d guard.Decision) { last = d }))
		named, unnamed := params("user", "+12125550123"), params("user", "")
		for _, p := range []stytchb2b.SMSSendParams{named, unnamed, named} {
			done, err := g.AllowSend(t.Context(), p)
			require.NoError(t, err)
			done(&stytchb2b.SMSSendResponse{}, nil)
			assert.Equal(t, "US", last.Country)
			time.Sleep(time.Hour)
		}
		assert.False(t, last.Trusted)
		g.Verified(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: named.OrganizationID, MemberID: "user"}, &stytchb2b.SMSAuthenticateResponse{})
		for _, p := range []stytchb2b.SMSSendParams{named, unnamed} {
			done, err := g.AllowSend(t.Context(), p)
			require.NoError(t, err)
			done(&stytchb2b.SMSSendResponse{}, nil)
			assert.True(t, last.Trusted)
			time.Sleep(time.Hour)
		}
		_, err := g.AllowSend(t.Context(), params("user", "+12125550199"))
		require.NoError(t, err)
		assert.False(t, last.Trusted, "another number")
	})
}

// Where no call and no answer has told this process the number, the Member stands
// for it.
func TestNumberThatAnotherProcessKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory(1000)
		one, other := guardOf(t, s, guard.Recommended("US")), guardOf(t, s, guard.Recommended("US"))
		send := func(g *guard.Guard, p stytchb2b.SMSSendParams) (sent int) {
			if done, err := g.AllowSend(t.Context(), p); err == nil {
				done(&stytchb2b.SMSSendResponse{}, nil)
				sent++
			}
			return sent
		}
		require.Equal(t, 1, send(one, params("a", "+12125550123")))
		sent := 0
		for range 48 {
			time.Sleep(30 * time.Minute)
			sent += send(other, params("a", ""))
		}
		assert.LessOrEqual(t, sent, 8)
	})
}

// Members of an attacker who have a user's number on file do not use up what that
// user may have: neither with Sends, nor with the SMS that Stytch sends itself.
func TestNumberOnFileElsewhere(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Recommended("US"))
	user := params("user", "+12125550123")
	enter(t, g, user)
	out := 0
	for i := range 600 {
		p := stranger(fmt.Sprint("o-", i), i)
		p.MFAPhoneNumber = ""
		if done, err := g.AllowSend(t.Context(), p); err == nil {
			out++
			done(answer(p.MemberID, user.MFAPhoneNumber), nil)
		}
		g.SMSSent(t.Context(), p)
	}
	assert.Greater(t, out, 100)
	assert.NoError(t, allow(t, g, user))
}

// An SMS of Stytch's own counts for the Member, and in no budget.
func TestSMSSentIsNotCharged(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Recommended("US"))
	for i := range 1000 {
		p := stranger("organization-test-1", i)
		p.MFAPhoneNumber = ""
		g.SMSSent(t.Context(), p)
	}
	assert.NoError(t, allow(t, g, params("a", "+12025550123")))
}

// A decision says how full a budget is, and how many codes are entered.
func TestDecision(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var last guard.Decision
		g := newGuard(t, guard.Recommended("US", "JM"), guard.OnDecision(func(_ context.Context, d guard.Decision) { last = d }))
		for i := range 9 {
			p := params(fmt.Sprint("m-", i), fmt.Sprintf("+1212555%04d", i))
			require.NoError(t, allow(t, g, p))
			if i < 6 {
				enter(t, g, p)
			}
		}
		require.NoError(t, allow(t, g, params("last", "+12125559999")))
		assert.True(t, last.Allowed)
		assert.Equal(t, "US", last.Country)
		assert.InDelta(t, 4, last.Count, 1e-9)
		assert.Greater(t, last.Max, last.Count)
		assert.InDelta(t, 0.6, last.VerifiedShare, 1e-9, "6 of 10")
		assert.Nil(t, last.Refusal)

		err := allow(t, g, params("last", "+12125559999"))
		require.True(t, errors.Is(err, guard.ErrCooldown))
		assert.False(t, last.Allowed)
		assert.Same(t, reason(t, err), last.Refusal)
	})
}
