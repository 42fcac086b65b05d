// Package storetest is what every guard.Store must pass.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// A Clock is one that a test sets.
type Clock struct{ ms atomic.Int64 }

// NewClock makes a clock that shows a fixed time.
func NewClock() *Clock {
	c := &Clock{}
	c.ms.Store(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

// Now returns the time.
func (c *Clock) Now() time.Time { return time.UnixMilli(c.ms.Load()) }

// Advance moves the time, also back.
func (c *Clock) Advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// A world is where Alike makes its calls: so many Members and numbers, and such
// times between two calls.
type world struct {
	members, numbers int
	steps            []time.Duration // the first ones most often
	verified         int             // of ten calls, codes that are verified
	refused          bool            // Stytch refuses most
	options          []guard.Option
}

var worlds = []world{
	{6, 9, []time.Duration{3 * time.Second, 33 * time.Second, 5 * time.Minute, time.Hour, 25 * time.Hour}, 2, false, []guard.Option{
		guard.Limit(guard.PerPhoneNumber, 6, time.Hour), guard.Limit(guard.InAll, 300, time.Hour),
	}},
	{2, 2, []time.Duration{3 * time.Second, 10 * time.Second, 70 * time.Second}, 0, false, []guard.Option{
		guard.Cooldown(time.Second), guard.Limit(guard.PerCountry, 2, 7*time.Second), guard.Limit(guard.InAll, 5, time.Minute),
	}},
	{2, 3, []time.Duration{10 * time.Second, 3 * time.Minute, 2 * time.Hour}, 1, true, nil},
	{4, 3, []time.Duration{31 * time.Second, time.Minute, 5 * time.Minute}, 6, false, nil},
	{3, 4, []time.Duration{time.Hour, 26 * time.Hour, 9 * 24 * time.Hour, 31 * 24 * time.Hour}, 4, false, nil},
}

// Alike makes random calls to a Guard with the store, and to one in memory, and
// wants the same decisions. The store has to follow the clock.
func Alike(t *testing.T, s guard.Store, clock *Clock, seed uint64, calls int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	w := worlds[seed%uint64(len(worlds))]
	type decided struct {
		d    guard.Decision
		wait time.Duration
	}
	var last [2]decided
	var guards [2]*guard.Guard
	for i := range guards {
		opts := append([]guard.Option{
			guard.Recommended("US", "CA"),
			guard.WithClock(clock.Now),
			guard.OnDecision(func(_ context.Context, d guard.Decision) { last[i].d = d }),
		}, w.options...)
		if i == 1 {
			opts = append(opts, guard.WithStore(s), guard.StoreTimeout(10*time.Second), guard.FailClosed())
		}
		g, err := guard.New(opts...)
		require.NoError(t, err)
		guards[i] = g
	}
	var pending []func() // ends of Sends
	for call := range calls {
		// A Guard remembers a refusal for two seconds: here no two times are closer.
		if random.IntN(100) == 0 {
			back := [...]time.Duration{time.Minute, time.Hour, 20 * 24 * time.Hour}[random.IntN(3)]
			clock.Advance(-back - time.Second)
		}
		clock.Advance(w.steps[min(len(w.steps)-1, int(random.ExpFloat64()*1.5))])
		if len(pending) > 0 && random.IntN(3) == 0 {
			i := random.IntN(len(pending))
			pending[i]()
			pending = append(pending[:i], pending[i+1:]...)
		}
		organization := fmt.Sprint("organization-", random.IntN(3))
		member := fmt.Sprint("member-", random.IntN(w.members))
		number := fmt.Sprintf("+1%d%07d", 202+random.IntN(2), 5550100+random.IntN(w.numbers))
		switch kind := random.IntN(10); {
		case kind < w.verified:
			for _, g := range guards {
				g.Verified(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: organization, MemberID: member}, &stytchb2b.SMSAuthenticateResponse{
					MemberID: member, Member: stytchb2b.Member{MFAPhoneNumber: number, MFAPhoneNumberVerified: true},
				})
			}
		case kind == 9:
			for _, g := range guards {
				g.SMSSent(t.Context(), stytchb2b.SMSSendParams{OrganizationID: organization, MemberID: member})
			}
		default:
			params := stytchb2b.SMSSendParams{OrganizationID: organization, MemberID: member}
			if random.IntN(2) == 0 {
				params.MFAPhoneNumber = number
			}
			if random.IntN(5) == 0 {
				params.MemberID = "external-" + member
			}
			resp, err := end(random, w.refused, member, number)
			var ends [2]func(*stytchb2b.SMSSendResponse, error)
			for i, g := range guards {
				last[i] = decided{}
				done, err := g.Allow(t.Context(), params)
				last[i].wait = stytchb2b.RetryAfter(err)
				ends[i] = done
			}
			a, b := last[0], last[1]
			for _, d := range []*decided{&a, &b} { // not bit by bit
				d.d.Count, d.d.Max, d.d.VerifiedShare = round(d.d.Count), round(d.d.Max), round(d.d.VerifiedShare)
			}
			require.Equal(t, a, b, "seed %d, call %d", seed, call)
			if ends[0] == nil {
				continue
			}
			both := func() {
				for _, done := range ends {
					done(resp, err)
				}
			}
			if random.IntN(3) == 0 {
				pending = append(pending, both)
			} else {
				both()
			}
		}
	}
}

// end is how a Send ends.
func end(random *rand.Rand, refused bool, member, number string) (*stytchb2b.SMSSendResponse, error) {
	how := random.IntN(8)
	if refused && random.IntN(2) == 0 {
		how = 1
	}
	switch how {
	case 0:
		return nil, &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeNotApplied, Err: errors.New("refused")}
	case 1:
		return nil, &stytchb2b.APIError{StatusCode: 400, Outcome: stytchb2b.OutcomeNotApplied}
	case 2:
		return nil, &stytchb2b.TransportError{Err: errors.New("broken")}
	case 3:
		number = ""
	}
	return &stytchb2b.SMSSendResponse{
		MemberID: member, Member: stytchb2b.Member{MemberID: member, MFAPhoneNumber: number, MFAPhoneNumberVerified: random.IntN(3) == 0},
	}, nil
}

func round(x float64) float64 { return float64(int64(x*1e6+0.5)) / 1e6 }

var unique atomic.Int64

// claim is one that no other test counts: in a limit of n and, if it says so, in
// a budget.
func claim(n float64, budget bool) *guard.Claim {
	id := [2]uint64{uint64(unique.Add(1)), uint64(time.Now().UnixNano())}
	subject := [2]string{fmt.Sprint("subject-", id)}
	c := &guard.Claim{ID: id, Member: subject, Number: "+1202" + fmt.Sprint(id[0]), Cooldown: time.Millisecond}
	c.Buckets = append(c.Buckets, guard.Bucket{Rule: &guard.Rule{Name: "limit", Scope: guard.InAll, Max: n, Leak: 1e-3}, Subject: subject})
	if budget {
		c.Buckets = append(c.Buckets, guard.Bucket{Rule: &guard.Rule{Name: "budget", Scope: guard.InAll, Max: n, Leak: 1e-3, Budget: true}, Subject: subject})
	}
	return c
}

// again is the claim of another Member.
func again(c *guard.Claim) *guard.Claim {
	other := *c
	other.ID[0] = uint64(unique.Add(1))
	other.Member = [2]string{fmt.Sprint("member-", other.ID)}
	return &other
}

func take(t *testing.T, s guard.Store, c *guard.Claim) guard.Verdict {
	t.Helper()
	v, err := s.Take(t.Context(), c)
	require.NoError(t, err)
	return v
}

// Run runs the suite.
func Run(t *testing.T, s guard.Store) {
	t.Run("up to the limit", func(t *testing.T) {
		t.Parallel()
		c := claim(3, false)
		for range 3 {
			c = again(c)
			assert.True(t, take(t, s, c).Allowed)
		}
		v := take(t, s, again(c))
		assert.False(t, v.Allowed)
		assert.Zero(t, v.By)
		assert.Equal(t, 24*time.Hour, v.Wait)
	})
	t.Run("all or none", func(t *testing.T) {
		t.Parallel()
		wide, narrow := claim(2, false), claim(1, false)
		both := again(wide)
		both.Buckets = append(both.Buckets, narrow.Buckets...)
		require.True(t, take(t, s, both).Allowed)
		for range 5 {
			assert.Equal(t, 1, take(t, s, again(both)).By)
		}
		assert.True(t, take(t, s, again(wide)).Allowed, "the refused ones were not counted")
		assert.False(t, take(t, s, again(wide)).Allowed)
	})
	t.Run("force", func(t *testing.T) {
		t.Parallel()
		c := claim(2, true)
		require.True(t, take(t, s, c).Allowed)
		forced := again(c)
		forced.Force = true
		require.True(t, take(t, s, forced).Allowed)
		for range 3 {
			forced = again(forced)
			assert.False(t, take(t, s, forced).Allowed)
		}
		wider := again(c)
		wider.Buckets = nil
		for _, b := range c.Buckets {
			rule := *b.Rule
			rule.Max = 2.5
			wider.Buckets = append(wider.Buckets, guard.Bucket{Rule: &rule, Subject: b.Subject})
		}
		assert.False(t, take(t, s, wider).Allowed, "the forced ones were counted")
	})
	t.Run("give back", func(t *testing.T) {
		t.Parallel()
		c := claim(1, true)
		for range 3 {
			c = again(c)
			v := take(t, s, c)
			require.True(t, v.Allowed)
			require.True(t, v.Charged)
			require.NoError(t, s.Settle(t.Context(), c, v, guard.End{}))
		}
	})
	t.Run("verify", func(t *testing.T) {
		t.Parallel()
		c := claim(10, true)
		require.True(t, take(t, s, c).Allowed)
		next := again(c)
		next.Member = c.Member
		require.NoError(t, s.Verify(t.Context(), next))
		next = again(c)
		next.Member = c.Member
		v := take(t, s, next)
		assert.True(t, v.Allowed)
		assert.True(t, v.Trusted)
		assert.False(t, v.Charged)
	})
	t.Run("at once", func(t *testing.T) {
		t.Parallel()
		const callers, n = 50, 7
		shared := claim(n, true)
		var got atomic.Int64
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				if v, err := s.Take(t.Context(), again(shared)); assert.NoError(t, err) && v.Allowed {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, n, got.Load())
	})
	t.Run("one Member at once", func(t *testing.T) {
		t.Parallel()
		c := claim(100, true)
		c.Cooldown = time.Hour
		var got atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			click := *c
			click.ID[0] = uint64(unique.Add(1))
			wg.Go(func() {
				if v, err := s.Take(t.Context(), &click); assert.NoError(t, err) && v.Allowed {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, got.Load())
	})
}
