package guard_test

import (
	"context"
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
	"github.com/eb715825/stytchb2b/stytchtest"
)

// newGuard makes a Guard that counts in memory.
func newGuard(t testing.TB, opts ...guard.Option) *guard.Guard {
	g, err := guard.New(append(opts, guard.SingleProcess())...)
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

// try asks the guard about a code, and tells it what came of it: of a right one,
// nil.
func try(t testing.TB, g *guard.Guard, p stytchb2b.SMSSendParams, wrong error) error {
	done, err := g.AllowAuthenticate(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: p.OrganizationID, MemberID: p.MemberID})
	switch {
	case err != nil:
	case wrong != nil:
		done(nil, wrong)
	default:
		done(&stytchb2b.SMSAuthenticateResponse{MemberID: p.MemberID, Member: stytchb2b.Member{MFAPhoneNumber: p.MFAPhoneNumber, MFAPhoneNumberVerified: true}}, nil)
	}
	return err
}

// enter tells the guard that the Member has entered the code.
func enter(t testing.TB, g *guard.Guard, p stytchb2b.SMSSendParams) {
	require.NoError(t, try(t, g, p, nil))
}

// Errors: of a Send that sent nothing, of a wrong code, and of a Send that Stytch refused.
var (
	notSent  = &stytchb2b.TransportError{Op: stytchb2b.OpSMSSend, Outcome: stytchb2b.OutcomeNotApplied, Err: errors.New("refused")}
	errWrong = &stytchb2b.APIError{Op: stytchb2b.OpSMSAuthenticate, StatusCode: 404, ErrorType: stytchb2b.ErrorTypeOTPCodeNotFound, Outcome: stytchb2b.OutcomeNotApplied}
	refused  = &stytchb2b.APIError{Op: stytchb2b.OpSMSSend, StatusCode: 400, Outcome: stytchb2b.OutcomeNotApplied}
)

// The wait for a person doubles with each Send, up to 64 times, until a code is
// entered.
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
		longer := newGuard(t, guard.Cooldown(5*time.Minute))
		require.NoError(t, allow(t, longer, params("a", "")))
		assert.Equal(t, 5*time.Minute, stytchb2b.RetryAfter(allow(t, longer, params("a", ""))))
		enter(t, g, params("a", ""))
		assert.Equal(t, grown, waits(), "after a code was entered")
		assert.NoError(t, allow(t, g, params("b", "")), "another Member")
	})
}

// What certainly was not sent frees its place; what may have been does not.
func TestGivenBack(t *testing.T) {
	t.Parallel()
	all := func(context.Context, stytchb2b.SMSSendParams) string { return "all" }
	for _, tc := range []struct {
		err   error
		frees bool
	}{
		{notSent, true}, {refused, true}, {&stytchb2b.APIError{StatusCode: 503}, false}, {&stytchb2b.TransportError{}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuard(t, guard.LimitBy("all", 2, time.Hour, all))
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
				assert.Equal(t, stytchb2b.NextWait, stytchb2b.AfterSend(err))
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
			time.Sleep(9 * time.Second)
		}
		time.Sleep(9 * time.Second)
		require.NoError(t, allow(t, g, slug))
		require.ErrorIs(t, allow(t, g, ids), guard.ErrCooldown)
		done2, err := g.AllowAuthenticate(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: "a-slug", MemberID: "external"})
		require.NoError(t, err)
		done2(&stytchb2b.SMSAuthenticateResponse{MemberID: resp.MemberID, Member: resp.Member, Organization: resp.Organization}, nil)
		require.NoError(t, allow(t, g, ids))
	})
}

// A code that was entered under other names than Stytch's makes the Member trusted under
// these, too, in a process that has not heard what Stytch calls the Member.
func TestOtherNamesInAnotherProcess(t *testing.T) {
	t.Parallel()
	s := distant()
	g := guardOf(t, s, guard.Recommended("US"))
	done, err := g.AllowAuthenticate(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: "a-slug", MemberID: "external"})
	require.NoError(t, err)
	resp := &stytchb2b.SMSAuthenticateResponse{MemberID: "member-test-1", Member: stytchb2b.Member{MFAPhoneNumber: "+12025550123"}}
	resp.Organization.OrganizationID = "organization-test-1"
	done(resp, nil)
	var d guard.Decision
	other := guardOf(t, s, guard.Recommended("US"), guard.OnDecision(func(_ context.Context, got guard.Decision) { d = got }))
	for _, p := range []stytchb2b.SMSSendParams{
		{OrganizationID: "a-slug", MemberID: "external", MFAPhoneNumber: "+12025550123"}, params("member-test-1", "+12025550123"),
	} {
		require.NoError(t, allow(t, other, p))
		assert.True(t, d.Trusted, "%v", p)
	}
}

func TestLimitBy(t *testing.T) {
	t.Parallel()
	type ip struct{}
	by := func(ctx context.Context, _ stytchb2b.SMSSendParams) string {
		s, _ := ctx.Value(ip{}).(string)
		return s
	}
	from := func(address string) context.Context { return context.WithValue(t.Context(), ip{}, address) }
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.LimitBy("IP address", 2, time.Minute, by))
		ask := func(ctx context.Context, member string) error {
			_, err := g.AllowSend(ctx, params(member, ""))
			return err
		}
		for _, member := range []string{"a", "b"} {
			require.NoError(t, ask(from("192.0.2.1"), member))
			time.Sleep(2 * time.Second)
		}
		err := ask(from("192.0.2.1"), "c")
		require.ErrorIs(t, err, guard.ErrLimit)
		assert.Contains(t, err.Error(), "IP address")
		assert.Equal(t, 26*time.Second, stytchb2b.RetryAfter(err), "one comes back in 30 seconds")
		assert.NoError(t, ask(from("192.0.2.2"), "d"), "another address")
		assert.NoError(t, ask(t.Context(), "e"), "none")
		time.Sleep(26 * time.Second)
		assert.NoError(t, ask(from("192.0.2.1"), "c"), "what was refused does not count")
	})
}

func TestExempt(t *testing.T) {
	t.Parallel()
	var last guard.Decision
	g := newGuard(t, guard.AllowCountries("US"), guard.OnDecision(func(_ context.Context, d guard.Decision) { last = d }), guard.Exempt(
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
		g.AfterLogin(t.Context(), guard.Login{OrganizationID: tc.p.OrganizationID, MemberID: tc.p.MemberID, MFAPhoneNumber: tc.p.MFAPhoneNumber, SMSSent: true})
		assert.Equal(t, tc.passes, allow(t, g, tc.p) == nil, "%v", tc.p)
		assert.Equal(t, tc.passes, last.Allowed, "%v", tc.p)
		last = guard.Decision{}
	}

	// It is neither counted nor refused.
	s := distant()
	all := guardOf(t, s)
	g = guardOf(t, s, guard.Exempt(guard.Exemption{OrganizationID: "organization-test-1"}))
	g.AfterLogin(t.Context(), login(params("m", ""), false, true))
	assert.NoError(t, all.BeforeLogin(t.Context(), "organization-test-1", "m"))
	all.AfterLogin(t.Context(), login(params("m", ""), false, true))
	assert.NoError(t, g.BeforeLogin(t.Context(), "organization-test-1", "m"))
}

// ObserveOnly refuses nothing, counts the same, and tells of each decision.
func TestObserveOnly(t *testing.T) {
	t.Parallel()
	all := func(context.Context, stytchb2b.SMSSendParams) string { return "all" }
	var decisions [2][]guard.Decision
	for i, observe := range []bool{false, true} {
		opts := []guard.Option{guard.AllowCountries("US", "JM"), guard.LimitBy("all", 2, time.Hour, all), guard.OnDecision(func(_ context.Context, d guard.Decision) {
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
		for range 11 {
			err := try(t, g, params("a", ""), errWrong)
			if observe {
				assert.NoError(t, err)
			}
		}
	}
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
	guesses := append(make([]error, 10), guard.ErrGuesses)
	assert.Equal(t, append([]error{nil, guard.ErrCooldown, guard.ErrNumber, guard.ErrCountry, nil, guard.ErrLimit}, guesses...), refusals(decisions[0]))
	assert.Equal(t, append([]error{nil, guard.ErrCooldown, guard.ErrNumber, guard.ErrCountry, guard.ErrLimit, guard.ErrLimit}, guesses...), refusals(decisions[1]), "what it let out counts")
	assert.Equal(t, "JM", decisions[0][4].Country)
	for i, d := range decisions[1] {
		assert.True(t, d.Allowed)
		assert.Equal(t, decisions[0][i].Refusal == nil, decisions[0][i].Allowed)
		if i < 6 {
			assert.Equal(t, stytchb2b.OpSMSSend, d.Op)
		} else {
			assert.Equal(t, stytchb2b.OpSMSAuthenticate, d.Op)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	by := func(context.Context, stytchb2b.SMSSendParams) string { return "" }
	for says, opts := range map[string][]guard.Option{
		"a store of package guard/redisstore, or say SingleProcess": {},
		"SingleProcess and WithStore exclude each other":            {guard.SingleProcess(), guard.WithStore(memory(1))},
		"Option must not be nil":                                    {nil},
		"AllowCountries: needs a country":                           {guard.Recommended()},
		`AllowCountries: "UK" is not`:                               {guard.Recommended("UK")},
		"AllowCountries: needs":                                     {guard.AllowCountries()},
		`AllowCountries: "UK"`:                                      {guard.AllowCountries("US", "UK")},
		`AllowCountries: "us"`:                                      {guard.AllowCountries("us")},
		"Cooldown: must be 1 ms to 1 h, not 0s":                     {guard.Cooldown(0)},
		"Cooldown: must be 1 ms to 1 h, not 1h0":                    {guard.Cooldown(time.Hour + 1)},
		"LimitBy: needs":                                            {guard.LimitBy("", 1, time.Hour, by)},
		"LimitBy: needs a name":                                     {guard.LimitBy("ip", 1, time.Hour, nil)},
		`LimitBy "ip": n must`:                                      {guard.LimitBy("ip", 0, time.Hour, by)},
		`LimitBy "ip": interval must`:                               {guard.LimitBy("ip", 1, time.Millisecond, by)},
		`LimitBy "ip": interval must be at`:                         {guard.LimitBy("ip", 1e9, time.Hour, by)},
		`LimitBy "ip" is given twice`:                               {guard.LimitBy("ip", 1, time.Hour, by), guard.LimitBy("ip", 2, time.Hour, by)},
		"Exempt: an Exemption must not be empty":                    {guard.Exempt(guard.Exemption{})},
		"Exempt: MemberID needs":                                    {guard.Exempt(guard.Exemption{MemberID: "m"})},
		"Exempt: NumberPrefix must":                                 {guard.Exempt(guard.Exemption{NumberPrefix: "1202"})},
		"Exempt: NumberPrefix must be \"+\" and d":                  {guard.Exempt(guard.Exemption{NumberPrefix: "+1 202"})},
		"OnDecision: must not be nil":                               {guard.OnDecision(nil)},
		"WithStore: must not be nil":                                {guard.WithStore(nil)},
		"StoreTimeout: must":                                        {guard.StoreTimeout(0)},
		"WithLogger: must not be nil":                               {guard.WithLogger(nil)},
		"WithClock: must not be nil":                                {guard.WithClock(nil)},
	} {
		g, err := guard.New(opts...)
		assert.Nil(t, g)
		assert.ErrorContains(t, err, says)
	}
	many := make([]guard.Option, 17)
	for i := range many {
		many[i] = guard.LimitBy(string(rune('a'+i)), 1, time.Hour, by)
	}
	_, err := guard.New(many...)
	assert.ErrorContains(t, err, "more than 16")
}
