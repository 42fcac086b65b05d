package guard_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func newGuard(t testing.TB, opts ...guard.Option) *guard.Guard {
	g, err := guard.New(opts...)
	require.NoError(t, err)
	return g
}

func params(member, number string) stytchb2b.SMSSendParams {
	return stytchb2b.SMSSendParams{OrganizationID: "organization-test-1", MemberID: member, MFAPhoneNumber: number}
}

// answer is Stytch's to a Send, without an Organization.
func answer(member, number string) *stytchb2b.SMSSendResponse {
	return &stytchb2b.SMSSendResponse{MemberID: member, Member: stytchb2b.Member{MemberID: member, MFAPhoneNumber: number}}
}

// allow asks the guard, and tells it that the SMS was sent.
func allow(t testing.TB, g *guard.Guard, p stytchb2b.SMSSendParams) error {
	done, err := g.AllowSend(t.Context(), p)
	if err == nil && done != nil {
		done(answer(p.MemberID, p.MFAPhoneNumber), nil)
	}
	return err
}

// enter tells the guard that the Member has entered the code.
func enter(t testing.TB, g *guard.Guard, p stytchb2b.SMSSendParams) {
	g.Verified(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: p.OrganizationID, MemberID: p.MemberID},
		&stytchb2b.SMSAuthenticateResponse{MemberID: p.MemberID, Member: stytchb2b.Member{MFAPhoneNumber: p.MFAPhoneNumber, MFAPhoneNumberVerified: true}})
}

// notSent is an error of a Send that sent nothing, and refused one of Stytch's.
var (
	notSent = &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeNotApplied, Err: errors.New("refused")}
	refused = &stytchb2b.APIError{StatusCode: 400, Outcome: stytchb2b.OutcomeNotApplied}
)

// The wait for a person doubles with each Send, up to 64 times, until a code is
// verified or a day is over.
func TestCooldownGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t)
		waits := func() (waits []time.Duration) {
			for range 9 {
				require.NoError(t, allow(t, g, params("a", "")))
				err := allow(t, g, params("a", ""))
				require.ErrorIs(t, err, guard.ErrCooldown)
				waits = append(waits, stytchb2b.RetryAfter(err))
				time.Sleep(stytchb2b.RetryAfter(err))
			}
			return waits
		}
		const m = time.Minute
		grown := []time.Duration{m / 2, m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 32 * m, 32 * m}
		assert.Equal(t, grown, waits())
		enter(t, g, params("a", ""))
		assert.Equal(t, grown, waits(), "after a code was entered")
		time.Sleep(24 * time.Hour)
		assert.Equal(t, grown, waits(), "after a day")
		assert.NoError(t, allow(t, g, params("b", "")), "another Member")
	})
}

// Who has just signed in may sign in again.
func TestNoCooldownAfterACode(t *testing.T) {
	t.Parallel()
	g := newGuard(t)
	for range 3 {
		require.NoError(t, allow(t, g, params("a", "")))
		require.ErrorIs(t, allow(t, g, params("a", "")), guard.ErrCooldown)
		enter(t, g, params("a", ""))
	}
}

// What certainly was not sent frees its place; what may have been does not.
func TestGivenBack(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err   error
		frees bool
	}{
		{notSent, true}, {refused, true}, {&stytchb2b.APIError{StatusCode: 503}, false}, {&stytchb2b.TransportError{}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuard(t, guard.Limit(guard.InAll, 2, time.Hour))
			require.NoError(t, allow(t, g, params("a", "")))
			time.Sleep(30 * time.Second)
			done, err := g.AllowSend(t.Context(), params("a", ""))
			require.NoError(t, err)
			done(nil, tc.err)
			err = allow(t, g, params("a", ""))
			assert.Equal(t, tc.frees, err == nil, "%v: %v", tc.err, err)
		})
	}
}

// Stytch's refusals are free a few times, and then cost the wait: or else they
// would tell anybody which numbers and Members there are.
func TestRefusalsAreNoOracle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t)
		reached := 0
		for range 3000 {
			done, err := g.AllowSend(t.Context(), params("a", "+12025550123"))
			if err == nil {
				reached++
				done(nil, refused)
			}
			time.Sleep(time.Second)
		}
		assert.Less(t, reached, 15)
		for range 100 { // What never reached Stytch is nobody's fault.
			done, err := g.AllowSend(t.Context(), params("b", ""))
			require.NoError(t, err)
			done(nil, notSent)
		}
	})
}

// Of 50 Sends at once for one Member, exactly one goes out.
func TestDoubleClick(t *testing.T) {
	t.Parallel()
	srv := stytchtest.NewServer()
	defer srv.Close()
	client := srv.Client(stytchb2b.WithGuard(newGuard(t, guard.Recommended("US"))))
	send := stytchb2b.SMSSendParams{OrganizationID: srv.OrganizationID, MemberID: srv.MemberID}
	var sent, refused atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := client.OTPs.SMS.Send(t.Context(), send)
			var guardErr *stytchb2b.GuardError
			switch {
			case err == nil:
				sent.Add(1)
			case assert.ErrorAs(t, err, &guardErr):
				refused.Add(1)
				assert.ErrorIs(t, err, guard.ErrCooldown)
				assert.Greater(t, guardErr.RetryAfter, 20*time.Second)
				assert.LessOrEqual(t, guardErr.RetryAfter, 30*time.Second)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, sent.Load())
	assert.EqualValues(t, 49, refused.Load())
	assert.Len(t, srv.SMS(), 1)
}

// A Send that Stytch refuses frees its place; one whose answer is lost does not.
func TestThroughTheClient(t *testing.T) {
	t.Parallel()
	srv := stytchtest.NewServer()
	defer srv.Close()
	client := srv.Client(stytchb2b.WithGuard(newGuard(t)))
	send := stytchb2b.SMSSendParams{OrganizationID: srv.OrganizationID, MemberID: srv.MemberID}
	srv.Fail(stytchtest.Fault{StatusCode: http.StatusBadRequest})
	_, err := client.OTPs.SMS.Send(t.Context(), send)
	require.Error(t, err)
	srv.Fail(stytchtest.Fault{Reset: true})
	_, err = client.OTPs.SMS.Send(t.Context(), send)
	var transportErr *stytchb2b.TransportError
	require.ErrorAs(t, err, &transportErr, "the place was free")
	_, err = client.OTPs.SMS.Send(t.Context(), send)
	assert.ErrorIs(t, err, guard.ErrCooldown)
	assert.Empty(t, srv.SMS())
}

// Stytch's own SMS after a primary authentication begins the wait.
func TestSMSSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Recommended("US"))
		g.SMSSent(t.Context(), params("a", ""))
		time.Sleep(time.Millisecond)
		require.ErrorIs(t, allow(t, g, params("a", "")), guard.ErrCooldown)
		time.Sleep(30 * time.Second)
		require.NoError(t, allow(t, g, params("a", "")))
		time.Sleep(30 * time.Second)
		require.ErrorIs(t, allow(t, g, params("a", "")), guard.ErrCooldown, "the wait has grown")
	})
}

// A Member has one count, whichever of its IDs a call names, once an answer has
// told them.
func TestNamesOfAMember(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t)
		resp := answer("member-test-1", "+12025550123")
		resp.Organization.OrganizationID = "organization-test-1"
		slug := stytchb2b.SMSSendParams{OrganizationID: "a-slug", MemberID: "external"}
		ids := stytchb2b.SMSSendParams{OrganizationID: "organization-test-1", MemberID: "member-test-1"}
		done, err := g.AllowSend(t.Context(), slug)
		require.NoError(t, err)
		done(resp, nil)
		for range 3 {
			for _, p := range []stytchb2b.SMSSendParams{ids, slug} {
				require.ErrorIs(t, allow(t, g, p), guard.ErrCooldown)
			}
			time.Sleep(10 * time.Second)
		}
		require.NoError(t, allow(t, g, slug))
		require.ErrorIs(t, allow(t, g, ids), guard.ErrCooldown)
		g.Verified(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: "a-slug", MemberID: "external"}, &stytchb2b.SMSAuthenticateResponse{
			MemberID: resp.MemberID, Member: resp.Member, Organization: resp.Organization,
		})
		require.NoError(t, allow(t, g, ids))
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	type ip struct{}
	by := func(ctx context.Context, _ stytchb2b.SMSSendParams) string {
		s, _ := ctx.Value(ip{}).(string)
		return s
	}
	from := func(address string) context.Context { return context.WithValue(t.Context(), ip{}, address) }
	for _, tc := range []struct {
		limit guard.Option
		scope string
		same  []stytchb2b.SMSSendParams // three that are counted together
		ctx   context.Context
		other stytchb2b.SMSSendParams // and one that is not
	}{
		{guard.Limit(guard.PerMember, 2, time.Minute), "member", []stytchb2b.SMSSendParams{params("a", ""), params("a", "+12025550123"), params("a", "")}, nil, params("b", "")},
		{guard.Limit(guard.PerPhoneNumber, 2, time.Minute), "phone number", []stytchb2b.SMSSendParams{params("a", "+12025550123"), params("b", "+12025550123"), params("c", "+12025550123")}, nil, params("d", "+12025550124")},
		{guard.Limit(guard.PerPrefix, 2, time.Minute), "prefix", []stytchb2b.SMSSendParams{params("a", "+12025550123"), params("b", "+12025550124"), params("c", "+12025559999")}, nil, params("d", "+12025560123")},
		{guard.Limit(guard.PerCountry, 2, time.Minute), "country", []stytchb2b.SMSSendParams{params("a", "+12025550123"), params("b", "+14155550123"), params("c", "+13105550123")}, nil, params("d", "+14165550123")},
		{guard.Limit(guard.PerOrganization, 2, time.Minute), "organization", []stytchb2b.SMSSendParams{params("a", ""), params("b", ""), params("c", "")}, nil, stytchb2b.SMSSendParams{OrganizationID: "another", MemberID: "a"}},
		{guard.Limit(guard.InAll, 2, time.Minute), "all", []stytchb2b.SMSSendParams{params("a", ""), params("b", ""), {OrganizationID: "another", MemberID: "a"}}, nil, stytchb2b.SMSSendParams{}},
		{guard.LimitBy("IP address", 2, time.Minute, by), "IP address", []stytchb2b.SMSSendParams{params("a", ""), params("b", ""), params("c", "")}, from("192.0.2.1"), params("d", "")},
	} {
		t.Run(tc.scope, func(t *testing.T) {
			t.Parallel()
			ctx := tc.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			synctest.Test(t, func(t *testing.T) {
				g := newGuard(t, guard.Cooldown(time.Second), tc.limit)
				ask := func(p stytchb2b.SMSSendParams) error { _, err := g.AllowSend(ctx, p); return err }
				for _, p := range tc.same[:2] {
					require.NoError(t, ask(p))
					time.Sleep(2 * time.Second)
				}
				err := ask(tc.same[2])
				require.ErrorIs(t, err, guard.ErrLimit)
				assert.Contains(t, err.Error(), tc.scope)
				var refusal *guard.Refusal
				require.ErrorAs(t, err, &refusal)
				if tc.ctx == nil {
					assert.Equal(t, tc.scope, refusal.Scope.String())
				} else {
					assert.Equal(t, tc.scope, refusal.Limit)
				}
				assert.Equal(t, 26*time.Second, stytchb2b.RetryAfter(err), "one comes back in 30 seconds")
				if tc.other.MemberID != "" {
					_, err := g.AllowSend(context.WithoutCancel(t.Context()), tc.other)
					assert.NoError(t, err)
				}
				time.Sleep(stytchb2b.RetryAfter(err))
				assert.NoError(t, ask(tc.same[2]))
			})
		})
	}
}

// A limit that is lowered goes on with the count it had.
func TestLoweredLimit(t *testing.T) {
	t.Parallel()
	store := memory(1000)
	sent := 0
	for _, n := range []int{200, 100, 50, 25} {
		g := newGuard(t, guard.WithStore(store), guard.Limit(guard.InAll, n, time.Hour))
		for i := range 200 {
			if allow(t, g, params(string(rune('a'+sent))+string(rune('a'+i)), "")) == nil {
				sent++
			}
		}
	}
	assert.Equal(t, 200, sent)
}

func TestExempt(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.AllowCountries("US"), guard.Exempt(
		guard.Exemption{OrganizationID: "organization-test-1", MemberID: "tester"},
		guard.Exemption{OrganizationID: "organization-test-2"},
		guard.Exemption{NumberPrefix: "+1876210"},
	))
	for _, tc := range []struct {
		p      stytchb2b.SMSSendParams
		passes bool
	}{
		{params("tester", ""), true}, {params("tester", "+18765550123"), true},
		{stytchb2b.SMSSendParams{OrganizationID: "organization-test-2", MemberID: "m"}, true},
		{params("a", "+18762101234"), true}, {params("b", "+18765550123"), false}, {params("c", ""), false},
	} {
		err1, err2 := allow(t, g, tc.p), allow(t, g, tc.p)
		assert.Equal(t, tc.passes, err1 == nil && err2 == nil, "%v", tc.p)
		g.SMSSent(t.Context(), tc.p)
	}
}

// ObserveOnly refuses nothing, counts the same, and tells of each decision.
func TestObserveOnly(t *testing.T) {
	t.Parallel()
	var decisions [2][]guard.Decision
	for i, observe := range []bool{false, true} {
		opts := []guard.Option{guard.AllowCountries("US", "JM"), guard.Limit(guard.InAll, 2, time.Hour), guard.OnDecision(func(_ context.Context, d guard.Decision) {
			decisions[i] = append(decisions[i], d)
		})}
		if observe {
			opts = append(opts, guard.ObserveOnly())
		}
		g := newGuard(t, opts...)
		for _, p := range []stytchb2b.SMSSendParams{params("a", "+12025550123"), params("a", "+12025550123"), params("b", "+18005550123"), params("c", "+442071234567"), params("d", "+18762101234"), params("e", "")} {
			err := allow(t, g, p)
			if observe {
				assert.NoError(t, err)
			}
		}
	}
	require.Len(t, decisions[0], 6)
	refusals := func(ds []guard.Decision) (errs []error) {
		for _, d := range ds {
			if d.Refusal == nil {
				errs = append(errs, nil)
			} else {
				errs = append(errs, d.Refusal.Err)
			}
		}
		return errs
	}
	assert.Equal(t, []error{nil, guard.ErrCooldown, guard.ErrNumber, guard.ErrCountry, nil, guard.ErrLimit}, refusals(decisions[0]))
	assert.Equal(t, []error{nil, guard.ErrCooldown, guard.ErrNumber, guard.ErrCountry, guard.ErrLimit, guard.ErrLimit}, refusals(decisions[1]), "what it let out counts")
	assert.Equal(t, "JM", decisions[0][4].Country)
	for i, d := range decisions[1] {
		assert.True(t, d.Allowed)
		assert.Equal(t, decisions[0][i].Refusal == nil, decisions[0][i].Allowed)
	}
}

// What an attack gets while the Guard only observes does not keep users out when it
// begins to refuse.
func TestAfterObserveOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory(100_000)
		user := params("user", "+13105550123")
		user.OrganizationID = "of users"
		g := guardOf(t, s, guard.Recommended("US"), guard.ObserveOnly())
		enter(t, g, user)
		assert.Equal(t, 3000, pump(t, g))
		time.Sleep(24 * time.Hour)
		user.MemberID = "another"
		assert.NoError(t, allow(t, guardOf(t, s, guard.Recommended("US")), user))
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	by := func(context.Context, stytchb2b.SMSSendParams) string { return "" }
	for says, opts := range map[string][]guard.Option{
		"Option must not be nil":                   {nil},
		"Recommended: AllowCountries: needs":       {guard.Recommended()},
		`Recommended: AllowCountries: "UK"`:        {guard.Recommended("UK")},
		"limit by phone number in 24h0m0s is gi":   {guard.Recommended("US"), guard.Limit(guard.PerPhoneNumber, 1, 24*time.Hour)},
		"unanswered by all is given twice":         {guard.Recommended("US"), guard.Recommended("CA")},
		"AllowCountries: needs":                    {guard.AllowCountries()},
		`AllowCountries: "UK"`:                     {guard.AllowCountries("US", "UK")},
		`AllowCountries: "us"`:                     {guard.AllowCountries("us")},
		"Cooldown: must be 1 ms to 1 h, not 0s":    {guard.Cooldown(0)},
		"Cooldown: must be 1 ms to 1 h, not 1h0":   {guard.Cooldown(time.Hour + 1)},
		"Limit country: n":                         {guard.Limit(guard.PerCountry, 0, time.Hour)},
		"Limit prefix: n":                          {guard.Limit(guard.PerPrefix, -1, time.Hour)},
		"Limit member: interval":                   {guard.Limit(guard.PerMember, 1, time.Millisecond)},
		"Limit: there is no Scope(0)":              {guard.Limit(0, 1, time.Hour)},
		"Limit: there is no":                       {guard.Limit(guard.InAll+1, 1, time.Hour)},
		"LimitBy: needs":                           {guard.LimitBy("", 1, time.Hour, by)},
		"LimitBy: needs a name":                    {guard.LimitBy("ip", 1, time.Hour, nil)},
		`LimitBy "ip": n must`:                     {guard.LimitBy("ip", 0, time.Hour, by)},
		`limit by "ip" in 1h0m0s is given twice`:   {guard.LimitBy("ip", 1, time.Hour, by), guard.LimitBy("ip", 2, time.Hour, by)},
		"Exempt: an Exemption must not be empty":   {guard.Exempt(guard.Exemption{})},
		"Exempt: MemberID needs":                   {guard.Exempt(guard.Exemption{MemberID: "m"})},
		"Exempt: NumberPrefix must":                {guard.Exempt(guard.Exemption{NumberPrefix: "1202"})},
		"Exempt: NumberPrefix must be \"+\" and d": {guard.Exempt(guard.Exemption{NumberPrefix: "+1 202"})},
		"OnDecision: must not be nil":              {guard.OnDecision(nil)},
		"WithStore: must not be nil":               {guard.WithStore(nil)},
		"StoreTimeout: must":                       {guard.StoreTimeout(0)},
		"WithLogger: must not be nil":              {guard.WithLogger(nil)},
		"WithClock: must not be nil":               {guard.WithClock(nil)},
	} {
		g, err := guard.New(opts...)
		assert.Nil(t, g)
		assert.ErrorContains(t, err, says)
	}
	many := make([]guard.Option, 17)
	for i := range many {
		many[i] = guard.Limit(guard.InAll, 1, time.Duration(i+1)*time.Hour)
	}
	_, err := guard.New(many...)
	assert.ErrorContains(t, err, "more than 16")
}
