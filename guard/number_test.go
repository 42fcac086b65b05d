package guard_test

import (
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

func TestNumbers(t *testing.T) {
	t.Parallel()
	us := []string{"US", "CA"}
	for _, tc := range []struct {
		name, number string
		countries    []string
		want         error
	}{
		{"the US", "+12025550123", us, nil},
		{"Canada", "+14165550123", us, nil},
		{"Jamaica is not the US", "+18765550123", us, guard.ErrCountry},
		{"nor are the Bahamas", "+12423570000", us, guard.ErrCountry},
		{"Jamaica, allowed", "+18762101234", []string{"JM"}, nil},
		{"Germany", "+4915123456789", us, guard.ErrCountry},
		{"Germany, where all are allowed", "+4915123456789", nil, nil},
		{"Kazakhstan is not Russia", "+77010001234", []string{"RU"}, guard.ErrCountry},
		{"nor is a range of Kazakhstan's that is not known", "+77990001234", []string{"RU"}, guard.ErrCountry},
		{"Jersey is not Great Britain", "+447797123456", []string{"GB"}, guard.ErrCountry},
		{"Stytch's sandbox number", "+10000000000", []string{"CA", "US"}, nil},
		{"a range that is not known yet", "+4916212345678", []string{"DE"}, nil},
		{"toll-free", "+18002345678", nil, guard.ErrNumber},
		{"premium rate", "+19002345678", nil, guard.ErrNumber},
		{"premium rate in Great Britain", "+449012345678", nil, guard.ErrNumber},
		{"shared cost in Germany", "+4918012345", nil, guard.ErrNumber},
		{"a pager in Great Britain", "+447640123456", nil, guard.ErrNumber},
		{"a personal number of Great Britain", "+447012345678", nil, guard.ErrNumber},
		{"a personal number of the US", "+15002345678", nil, guard.ErrNumber},
		{"a satellite", "+881612345678", nil, guard.ErrNumber},
		{"an international service", "+870773111632", nil, guard.ErrNumber},
		{"no such area code", "+11112345678", nil, guard.ErrNumber},
		{"no such calling code", "+99912345678", nil, guard.ErrNumber},
		{"Mexico with the 1 that is gone", "+5215512345678", []string{"MX"}, nil},
		{"Argentina without the 9", "+541123456789", []string{"AR"}, nil},
		{"Brazil without the 9", "+551187654321", []string{"BR"}, nil},
		{"too short", "+1202555", nil, guard.ErrNumber},
		{"too long", "+120255501234", nil, guard.ErrNumber},
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
				assert.Zero(t, stytchb2b.RetryAfter(err), "waiting does not help")
				assert.False(t, stytchb2b.MaybeSent(err))
			}
		})
	}
}

// A phone is counted once, however its number is written.
func TestNumberHasOneForm(t *testing.T) {
	t.Parallel()
	for _, forms := range [][2]string{
		{"+447400123456", "+4407400123456"},
		{"+12025550123", "+112025550123"},
		{"+5215512345678", "+525512345678"},
		{"+5491123456789", "+541123456789"},
		{"+5511987654321", "+551187654321"},
	} {
		g := newGuard(t, guard.Recommended("US", "GB", "MX", "AR", "BR"))
		for i := range 6 {
			require.NoError(t, allow(t, g, params(fmt.Sprint(i), forms[i%2])))
		}
		assert.ErrorIs(t, allow(t, g, params("b", forms[0])), guard.ErrUnanswered, forms)
		assert.NoError(t, allow(t, g, params("c", forms[0][:len(forms[0])-1]+"0")), "another number")
	}
}

// Where the call gives no number, the Guard learns it from Stytch's answers, and
// refuses its country for minutes.
func TestNumberIsLearned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.AllowCountries("US"))
		send := func(member, number string) error {
			done, err := g.AllowSend(t.Context(), params(member, ""))
			if err == nil {
				done(answer(member, number), nil)
			}
			return err
		}
		assert.NoError(t, send("a", "+18762101234"), "it cannot know")
		time.Sleep(time.Minute)
		assert.ErrorIs(t, send("a", "+18762101234"), guard.ErrCountry)
		time.Sleep(20 * time.Minute)
		assert.NoError(t, send("a", "+12025550100"), "the number may have been changed at Stytch")
		enter(t, g, params("f", "+18762101234"))
		assert.ErrorIs(t, send("f", ""), guard.ErrCountry, "learned from Authenticate")
	})
}

// FuzzAllow gives the Guard any call and any answer: it decides, repeats no number
// and gives back what was not sent.
func FuzzAllow(f *testing.F) {
	for _, number := range []string{"", "+", "+1", "+12025550123", "+10000000000", "+4918012345", "+999", "++1", "+1;ext=5", "tel:+1-202;phone-context=+1"} {
		f.Add(number, "a", "b", "+12025550123", true)
	}
	f.Fuzz(func(t *testing.T, number, member, answered, onFile string, verified bool) {
		g := newGuard(t, guard.Recommended("US"))
		for range 3 {
			done, err := g.AllowSend(t.Context(), params(member, number))
			if err != nil {
				var refusal *guard.Refusal
				require.ErrorAs(t, err, &refusal)
				require.NotErrorIs(t, err, guard.ErrCooldown, "it was given back")
				if len(number) > 6 {
					require.NotContains(t, fmt.Sprintf("%v %+v", err, refusal), number)
				}
				return
			}
			done(nil, notSent)
		}
		done, err := g.AllowSend(t.Context(), params(member, number))
		require.NoError(t, err)
		resp := answer(answered, onFile)
		resp.Member.MFAPhoneNumberVerified = verified
		done(resp, nil)
		err = allow(t, g, params(member, number))
		// The answer may have told a number that no code may go to.
		if !errors.Is(err, guard.ErrNumber) && !errors.Is(err, guard.ErrCountry) {
			require.ErrorIs(t, err, guard.ErrCooldown)
		}
	})
}
