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

// stranger is a new Member of an Organization, with a number of its own.
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
	for i := range 500 {
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

// decisions makes a Guard with the recommendation that keeps its last decision.
func decisions(t testing.TB, opts ...guard.Option) (*guard.Guard, *guard.Decision) {
	last := &guard.Decision{}
	opts = append(opts, guard.Recommended("US"), guard.OnDecision(func(_ context.Context, d guard.Decision) { *last = d }))
	return newGuard(t, opts...), last
}

// What nobody answers is bounded, and comes back slowly.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		assert.Equal(t, 210, pump(t, g), "80 of the pool are kept")
		later := 0
		for range 24 {
			time.Sleep(time.Hour)
			later += pump(t, g)
		}
		assert.Equal(t, 24, later)
		err := allow(t, g, stranger("fraud", 5000))
		require.ErrorIs(t, err, guard.ErrUnanswered)
		assert.Equal(t, "in all", reason(t, err).Detail)
		assert.Equal(t, 5*time.Minute, stytchb2b.RetryAfter(err))
		assert.Equal(t, stytchb2b.NextWait, stytchb2b.AfterSend(err))
	})
}

// An SMS that found the pool full takes none out when its code is entered.
func TestNoRoomToGiveBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		require.Equal(t, 210, pump(t, g))
		for i := range 20 {
			p := stranger(fmt.Sprint("paid-", i), 5000+i)
			g.AfterLogin(t.Context(), login(p, false, true))
			enter(t, g, p)
		}
		assert.Zero(t, pump(t, g))
	})
}

// A code takes the Member's SMS of the last hour out, and a third of another one.
func TestCodeMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, last := decisions(t)
		user := stranger("user", 5000)
		for i := range 20 {
			require.NoError(t, allow(t, g, stranger("other", i)))
		}
		for _, wait := range []time.Duration{2 * time.Hour, time.Minute, 0} {
			require.NoError(t, allow(t, g, user))
			time.Sleep(wait)
		}
		enter(t, g, user)
		require.NoError(t, allow(t, g, stranger("probe", 6000)))
		assert.InDelta(t, 20+3-2-2-0.33, last.Count, 0.05, "two have leaked away, and two are answered")
	})
}

// While an attack fills the pool, Members who have entered a code pass, and those
// whose number Stytch calls verified from the second code on.
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
		for month := range 3 {
			for _, p := range []stytchb2b.SMSSendParams{user, params("user", ""), other} {
				time.Sleep(9 * 24 * time.Hour)
				assert.NoError(t, allow(t, g, p), "month %d", month)
			}
			pump(t, g)
		}
		time.Sleep(10 * 24 * time.Hour)
		pump(t, g)
		moved := user
		moved.MFAPhoneNumber = "+12026660001"
		moved.OrganizationID = "another"
		assert.ErrorIs(t, allow(t, g, moved), guard.ErrUnanswered, "another number")
	})
}

// Trust ends after 90 days without a code.
func TestTrustEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, last := decisions(t)
		p := params("user", "+12125550123")
		enter(t, g, p)
		time.Sleep(90*24*time.Hour - time.Second)
		require.NoError(t, allow(t, g, p))
		assert.True(t, last.Trusted)
		time.Sleep(time.Minute)
		require.NoError(t, allow(t, g, p))
		assert.False(t, last.Trusted)
	})
}

// A Member whose number is another now loses the trust with the first SMS to it,
// which counts.
func TestChangedNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, last := decisions(t)
		enter(t, g, params("m", "+12125550123"))
		time.Sleep(time.Hour) // It is not sure any more that this is the number.
		for i, trusted := range []bool{true, false} {
			done, err := g.AllowSend(t.Context(), params("m", ""))
			require.NoError(t, err)
			assert.Equal(t, trusted, last.Trusted)
			done(answer("m", "+12026660001"), nil)
			require.NoError(t, allow(t, g, params(fmt.Sprint("other", i), "+12025550123")))
			assert.InDelta(t, 1+2*i, last.Count, 0.1)
			time.Sleep(time.Minute)
		}
	})
}

// Codes of an Organization's phones open the rest of the pool, one SMS for
// each.
func TestOrganization(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		for i := range 3 {
			for range 2 { // The second code of a phone says nothing new.
				enter(t, g, stranger("known", i))
			}
		}
		pump(t, g)
		for i := range 4 {
			err := allow(t, g, stranger("known", 20+i))
			assert.Equal(t, i < 3, err == nil, "%d: %v", i, err)
		}
		enter(t, g, stranger("known", 20))
		assert.NoError(t, allow(t, g, stranger("known", 30)))
	})
}

// A number has six unanswered SMS, and two more that are kept for Members who have
// entered a code there.
func TestNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const number = "+12025550123"
		g := newGuard(t, guard.Recommended("US"))
		owner := params("owner", number)
		enter(t, g, owner)
		for i := range 7 {
			err := allow(t, g, params(fmt.Sprint(i), number))
			assert.Equal(t, i < 6, err == nil, "%d: %v", i, err)
			if i == 6 {
				assert.Equal(t, "to the number", reason(t, err).Detail)
				assert.Equal(t, 12*time.Hour, stytchb2b.RetryAfter(err))
			}
		}
		for i := range 3 {
			err := allow(t, g, owner)
			assert.Equal(t, i < 2, err == nil, "%d: %v", i, err)
			time.Sleep(5 * time.Minute)
		}
		enter(t, g, owner)
		assert.NoError(t, allow(t, g, owner))
		enter(t, g, owner)
		enter(t, g, params("0", number))
		assert.NoError(t, allow(t, g, params("8", number)), "one was given back")
	})
}

// Members who have somebody's number on file do not use up what that one may have:
// neither with Sends, nor with the SMS that Stytch sends itself.
func TestNumberOnFileElsewhere(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Recommended("US"))
	user := params("user", "+12025550123")
	enter(t, g, user)
	for i := range 80 {
		p := stranger(fmt.Sprint("o-", i), i)
		p.MFAPhoneNumber = ""
		done, err := g.AllowSend(t.Context(), p)
		require.NoError(t, err)
		done(answer(p.MemberID, user.MFAPhoneNumber), nil)
		p.MemberID = "another"
		g.AfterLogin(t.Context(), guard.Login{OrganizationID: p.OrganizationID, MemberID: p.MemberID, MFAPhoneNumber: user.MFAPhoneNumber, SMSSent: true})
	}
	assert.NoError(t, allow(t, g, user))
}

// After 50 codes with one phone, those of other Members prove nothing, until some
// leak away: their SMS stay counted.
func TestOnePhone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, last := decisions(t)
		const number = "+12025550123"
		for i := range 50 {
			p := params(fmt.Sprint(i), number)
			require.NoError(t, allow(t, g, p))
			enter(t, g, p)
		}
		out := 0
		for i := range 100 {
			p := params(fmt.Sprint("more ", i), number)
			if allow(t, g, p) == nil {
				out++
				enter(t, g, p)
			}
		}
		assert.Equal(t, 6, out)
		assert.Error(t, allow(t, g, params("0", number)))
		assert.False(t, last.Trusted)
		time.Sleep(24 * time.Hour)
		assert.NoError(t, allow(t, g, params("0", number)))
		assert.True(t, last.Trusted)
	})
}

// An answer without the Member, such as Stytch's page documents, takes nothing of
// what is known: who is trusted, and which number the Member has.
func TestAnswersWithoutMember(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, last := decisions(t)
		named, unnamed := params("user", "+12025550123"), params("user", "")
		for i := range 2 {
			for _, p := range []stytchb2b.SMSSendParams{named, unnamed, named} {
				done, err := g.AllowSend(t.Context(), p)
				require.NoError(t, err)
				done(&stytchb2b.SMSSendResponse{}, nil)
				assert.Equal(t, i == 1, last.Trusted)
				time.Sleep(time.Hour)
			}
			done, err := g.AllowAuthenticate(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: named.OrganizationID, MemberID: "user"})
			require.NoError(t, err)
			done(&stytchb2b.SMSAuthenticateResponse{}, nil)
		}
		_, err := g.AllowSend(t.Context(), params("user", "+12025550199"))
		require.NoError(t, err)
		assert.False(t, last.Trusted, "another number")
	})
}

// A decision says how full the pool is.
func TestDecision(t *testing.T) {
	t.Parallel()
	g, last := decisions(t)
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
	assert.InDelta(t, 3, last.Count, 0.01)
	assert.InDelta(t, 290, last.Max, 0)
	assert.Nil(t, last.Refusal)

	err := allow(t, g, params("last", "+12125559999"))
	require.True(t, errors.Is(err, guard.ErrCooldown))
	assert.False(t, last.Allowed)
	assert.Same(t, reason(t, err), last.Refusal)
}

// What an attack gets while the Guard only observes does not keep users out when it
// begins to refuse.
func TestAfterObserveOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory(100_000)
		user := stranger("of users", 5000)
		g := guardOf(t, s, guard.Recommended("US"), guard.ObserveOnly())
		enter(t, g, user)
		assert.Equal(t, 500, pump(t, g))
		user.MemberID = "another"
		assert.NoError(t, allow(t, guardOf(t, s, guard.Recommended("US")), user))
		time.Sleep(2 * time.Hour)
		assert.NoError(t, allow(t, guardOf(t, s, guard.Recommended("US")), stranger("new", 6000)))
	})
}
