package guard_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
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

// allow asks the guard, and tells it that the SMS was sent.
func allow(t *testing.T, g *guard.Guard, p stytchb2b.SMSSendParams) error {
	done, err := g.Allow(t.Context(), p)
	if err == nil {
		done(&stytchb2b.SMSSendResponse{}, nil)
	}
	return err
}

// notSent is an error of a Send that sent nothing.
var notSent = &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeNotApplied, Err: errors.New("refused")}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, number string
		countries    []string
		want         error
	}{
		{"the US", "+12025550123", []string{"US", "CA"}, nil},
		{"Canada", "+14165550123", []string{"US", "CA"}, nil},
		{"Jamaica is not the US", "+18765550123", []string{"US", "CA"}, guard.ErrCountry},
		{"nor are the Bahamas", "+12423570000", []string{"US", "CA"}, guard.ErrCountry},
		{"Jamaica, allowed", "+18762101234", []string{"JM"}, nil},
		{"Germany", "+4915123456789", []string{"US", "CA"}, guard.ErrCountry},
		{"Germany, where all are allowed", "+4915123456789", nil, nil},
		{"Kazakhstan is not Russia", "+77010001234", []string{"RU"}, guard.ErrCountry},
		{"Jersey is not Great Britain", "+447797123456", []string{"GB"}, guard.ErrCountry},
		{"Stytch's sandbox number", "+10000000000", []string{"CA", "US"}, nil},
		{"toll-free", "+18002345678", nil, guard.ErrNumber},
		{"premium rate", "+19002345678", nil, guard.ErrNumber},
		{"premium rate in Great Britain", "+449012345678", nil, guard.ErrNumber},
		{"shared cost in Germany", "+4918012345", nil, guard.ErrNumber},
		{"a pager in Great Britain", "+447640123456", nil, guard.ErrNumber},
		{"no such area code", "+11112345678", nil, guard.ErrNumber},
		{"no such calling code", "+99912345678", nil, guard.ErrNumber},
		{"too short", "+1202555", nil, guard.ErrNumber},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var opts []guard.Option
			if tc.countries != nil {
				opts = append(opts, guard.AllowCountries(tc.countries...))
			}
			g := newGuard(t, opts...)
			for range 2 { // looked up, and remembered
				err := allow(t, g, params("m", tc.number))
				if tc.want == nil {
					assert.True(t, err == nil || errors.Is(err, guard.ErrCooldown), "%v", err)
					continue
				}
				assert.ErrorIs(t, err, tc.want)
				assert.NotContains(t, err.Error(), tc.number[2:])
				var guardErr *stytchb2b.GuardError
				require.ErrorAs(t, err, &guardErr)
				assert.Zero(t, guardErr.RetryAfter, "waiting does not help")
				assert.False(t, stytchb2b.MaybeSent(err))
			}
		})
	}
}

// Where the call gives no number, the Guard learns it from the response.
func TestNumberIsLearned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.AllowCountries("US"), guard.Limit(guard.PerPhoneNumber, 2, time.Hour))
		send := func(member, number string) error {
			time.Sleep(guard.DefaultCooldown)
			done, err := g.Allow(t.Context(), params(member, ""))
			if err == nil {
				done(&stytchb2b.SMSSendResponse{Member: stytchb2b.Member{MFAPhoneNumber: number}}, nil)
			}
			return err
		}
		assert.NoError(t, send("a", "+18762101234"), "it cannot know")
		assert.ErrorIs(t, send("a", "+18762101234"), guard.ErrCountry)
		for range 3 { // the first of them is not counted by number
			assert.NoError(t, send("b", "+12025550123"))
		}
		assert.ErrorIs(t, send("b", "+12025550123"), guard.ErrLimit)
	})
}

func TestCooldown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t)
		require.NoError(t, allow(t, g, params("a", "")))
		time.Sleep(10 * time.Second)
		err := allow(t, g, params("a", ""))
		require.ErrorIs(t, err, guard.ErrCooldown)
		var guardErr *stytchb2b.GuardError
		require.ErrorAs(t, err, &guardErr)
		assert.Equal(t, 20*time.Second, guardErr.RetryAfter)
		assert.NoError(t, allow(t, g, params("b", "")), "another Member")
		time.Sleep(guardErr.RetryAfter)
		require.NoError(t, allow(t, g, params("a", "")))

		// What certainly was not sent frees its place; what may have been does not.
		time.Sleep(30 * time.Second)
		for _, tc := range []struct {
			err   error
			frees bool
		}{
			{notSent, true},
			{&stytchb2b.APIError{StatusCode: 400, Outcome: stytchb2b.OutcomeNotApplied}, true},
			{&stytchb2b.APIError{StatusCode: 503}, false},
		} {
			done, err := g.Allow(t.Context(), params("a", ""))
			require.NoError(t, err)
			done(nil, tc.err)
			err = allow(t, g, params("a", ""))
			assert.Equal(t, tc.frees, err == nil, "%v", tc.err)
			time.Sleep(30 * time.Second)
		}
	})
}

// Of 50 Sends at once for one Member, exactly one goes out.
func TestDoubleClick(t *testing.T) {
	t.Parallel()
	srv := stytchtest.NewServer()
	defer srv.Close()
	client := srv.Client(stytchb2b.WithGuard(newGuard(t)))
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

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		scope guard.Scope
		same  []stytchb2b.SMSSendParams // three that are counted together
		other stytchb2b.SMSSendParams   // and one that is not
	}{
		{guard.PerMember, []stytchb2b.SMSSendParams{params("a", ""), params("a", "+12025550123"), params("a", "")}, params("b", "")},
		{guard.PerPhoneNumber, []stytchb2b.SMSSendParams{params("a", "+12025550123"), params("b", "+12025550123"), params("c", "+12025550123")}, params("d", "+12025550124")},
		{guard.PerPrefix, []stytchb2b.SMSSendParams{params("a", "+12025550123"), params("b", "+12025550124"), params("c", "+12025559999")}, params("d", "+12025560123")},
		{guard.PerCountry, []stytchb2b.SMSSendParams{params("a", "+12025550123"), params("b", "+14155550123"), params("c", "+13105550123")}, params("d", "+14165550123")},
		{guard.PerOrganization, []stytchb2b.SMSSendParams{params("a", ""), params("b", ""), params("c", "")}, stytchb2b.SMSSendParams{OrganizationID: "another", MemberID: "a"}},
		{guard.InAll, []stytchb2b.SMSSendParams{params("a", ""), params("b", ""), {OrganizationID: "another", MemberID: "a"}}, stytchb2b.SMSSendParams{}},
	} {
		t.Run(tc.scope.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGuard(t, guard.Cooldown(time.Second), guard.Limit(tc.scope, 2, time.Minute))
				for _, p := range tc.same[:2] {
					require.NoError(t, allow(t, g, p))
					time.Sleep(time.Second)
				}
				err := allow(t, g, tc.same[2])
				require.ErrorIs(t, err, guard.ErrLimit)
				assert.Contains(t, err.Error(), "2 per "+tc.scope.String()+" in 1m0s")
				var guardErr *stytchb2b.GuardError
				require.ErrorAs(t, err, &guardErr)
				assert.Equal(t, 58*time.Second, guardErr.RetryAfter)
				if tc.scope != guard.InAll {
					assert.NoError(t, allow(t, g, tc.other))
				}
				time.Sleep(guardErr.RetryAfter)
				assert.NoError(t, allow(t, g, tc.same[2]))
			})
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for says, opt := range map[string]guard.Option{
		"Option must not be nil":              nil,
		"AllowCountries: needs":               guard.AllowCountries(),
		`AllowCountries: "UK"`:                guard.AllowCountries("US", "UK"),
		`AllowCountries: "us"`:                guard.AllowCountries("us"),
		"Cooldown: must":                      guard.Cooldown(0),
		"Cooldown: must be at least 1 ms":     guard.Cooldown(-time.Second),
		"Limit country: n":                    guard.Limit(guard.PerCountry, 0, time.Hour),
		"Limit prefix: n":                     guard.Limit(guard.PerPrefix, -1, time.Hour),
		"Limit member: interval":              guard.Limit(guard.PerMember, 1, 0),
		"Limit: there is no Scope(9)":         guard.Limit(guard.Scope(9), 1, time.Hour),
		"Limit: 1 per member in 30s is there": guard.Limit(guard.PerMember, 1, 30*time.Second),
		"WithStore: must not be nil":          guard.WithStore(nil),
		"StoreTimeout: must":                  guard.StoreTimeout(0),
		"WithLogger: must not be nil":         guard.WithLogger(nil),
	} {
		g, err := guard.New(opt)
		assert.Nil(t, g)
		assert.ErrorContains(t, err, says)
	}
	many := make([]guard.Option, 16)
	for i := range many {
		many[i] = guard.Limit(guard.InAll, i+1, time.Hour)
	}
	_, err := guard.New(many...)
	assert.ErrorContains(t, err, "at most 15")
}

// A brokenStore never answers, or with an error.
type brokenStore struct{ err error }

func (s brokenStore) Take(context.Context, []guard.Claim) (int, time.Duration, error) {
	if s.err == nil {
		time.Sleep(time.Minute) // in a bubble; it does not look at its context
	}
	return 0, 0, s.err
}

func (s brokenStore) Give(context.Context, []guard.Claim) error { return s.err }

func TestBrokenStore(t *testing.T) {
	t.Parallel()
	for _, store := range []brokenStore{{errors.New("the store is down")}, {}} {
		for _, closed := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				opts := []guard.Option{guard.WithStore(store), guard.AllowCountries("US"), guard.WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))}
				if closed {
					opts = append(opts, guard.FailClosed())
				}
				g := newGuard(t, opts...)
				for range 3 {
					start := time.Now()
					done, err := g.Allow(t.Context(), params("a", "+12025550123"))
					assert.LessOrEqual(t, time.Since(start), guard.DefaultStoreTimeout)
					if closed {
						assert.ErrorIs(t, err, guard.ErrStore)
						assert.False(t, stytchb2b.MaybeSent(err))
					} else if assert.NoError(t, err) {
						done(nil, notSent)
					}
				}
				assert.Equal(t, 1, bytes.Count(logged.Bytes(), []byte("level=ERROR")), "once a second: %s", &logged)
				assert.NotContains(t, logged.String(), "5550123")
				_, err := g.Allow(t.Context(), params("a", "+18762101234"))
				assert.ErrorIs(t, err, guard.ErrCountry, "countries need no store")
				time.Sleep(2 * time.Minute) // for the store's goroutines to end
			})
		}
	}
}

// FuzzAllow gives the Guard any number: it decides, and does not repeat it.
func FuzzAllow(f *testing.F) {
	for _, number := range []string{"", "+", "+1", "+12025550123", "+10000000000", "+4918012345", "+999", "++1", "+1;ext=5", "tel:+1-202;phone-context=+1"} {
		f.Add(number)
	}
	g, err := guard.New(guard.AllowCountries("US"), guard.Cooldown(time.Millisecond), guard.Limit(guard.PerPrefix, 1e9, time.Hour))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, number string) {
		done, err := g.Allow(t.Context(), params("a", number))
		if err == nil {
			done(nil, notSent)
			return
		}
		var guardErr *stytchb2b.GuardError
		require.ErrorAs(t, err, &guardErr)
		if len(number) > 6 {
			assert.NotContains(t, err.Error(), number)
		}
	})
}
