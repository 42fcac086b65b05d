// Package storetest is what every store of a Guard must pass.
package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard/internal/counts"
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
	organizations, members, numbers int

	steps    []time.Duration // between two calls, the first ones most often
	back     int             // of a hundred calls, the clock is set back before
	verifies int             // of ten calls, codes that are verified
	sends    int             // of ten ends, SMS that are sent; the others are Stytch's refusals, or nothing
	named    int             // of ten Sends, those that name the number
	rules    []counts.Rule
}

// rules are a limit and budgets that few SMS fill.
func rules(limit, all, number, organization, block float64) []counts.Rule {
	return []counts.Rule{
		{Name: "limit", Kind: counts.Limit, Max: limit, Leak: 4 * limit},
		{Name: "all", Kind: counts.All, Max: all, Leak: all / 3, Growth: 0.5},
		{Name: "block", Kind: counts.Block, Max: block, Leak: block, Growth: 1},
		{Name: "organization", Kind: counts.Organization, Max: organization, Leak: 3, Growth: 0.5},
		{Name: "number", Kind: counts.Number, Max: number, Leak: 2, Growth: 1},
	}
}

const (
	s    = time.Second
	hour = time.Hour
	day  = 24 * time.Hour
)

var worlds = []world{
	{3, 6, 9, []time.Duration{0, 33 * s, 5 * time.Minute, hour, 25 * hour}, 1, 2, 6, 5, rules(40, 12, 4, 9, 3)},
	{1, 2, 2, []time.Duration{3 * s, 10 * s, 70 * s}, 2, 0, 7, 5, rules(5, 30, 9, 9, 3)},
	{2, 2, 3, []time.Duration{10 * s, 3 * time.Minute, 2 * hour}, 1, 1, 2, 5, rules(30, 9, 4, 9, 3)},
	{3, 4, 1, []time.Duration{20 * s, s, time.Minute}, 0, 7, 8, 8, rules(900, 9, 4, 9, 3)},
	{2, 3, 3, []time.Duration{hour, 26 * hour, 4 * day, 9 * day, 31 * day}, 8, 1, 7, 5, rules(40, 9, 4, 9, 3)},
	{2, 3, 2, []time.Duration{2 * hour, 40 * time.Minute, 5 * hour, 26 * hour}, 1, 1, 8, 7, rules(900, 60, 30, 9, 5)},
	{2, 40, 60, []time.Duration{time.Minute, 10 * time.Minute, 2 * hour}, 1, 3, 8, 7, rules(900, 20, 4, 5, 2)},
}

// Alike makes random calls to the store and to one in memory, and wants the same
// verdicts. The store has to follow the clock.
func Alike(t *testing.T, store counts.Store, clock *Clock, seed uint64, calls int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	w := worlds[seed%uint64(len(worlds))]
	w.rules = slices.Clone(w.rules)
	random.Shuffle(len(w.rules), func(i, j int) { w.rules[i], w.rules[j] = w.rules[j], w.rules[i] })
	both := []counts.Store{counts.NewMemory(1<<20, clock.Now), store}
	newClaim := func() *counts.Claim {
		organization, number := fmt.Sprint("organization-", random.IntN(w.organizations)), ""
		if random.IntN(10) < w.named {
			number = fmt.Sprintf("+1%d5550%03d", 202+random.IntN(2), random.IntN(w.numbers))
		}
		c := &counts.Claim{
			ID:       [2]uint64{random.Uint64(), random.Uint64()},
			Member:   [2]string{organization, fmt.Sprint("member-", random.IntN(w.members))},
			Number:   number,
			Cooldown: 2 * s,
			Force:    random.IntN(20) == 0,
			Free:     random.IntN(20) == 0,
		}
		for i := range w.rules {
			b := counts.Bucket{Rule: &w.rules[i]}
			switch b.Rule.Kind {
			case counts.Organization:
				b.Subject[0] = organization
			case counts.Block:
				b.Subject[0] = number[:max(0, len(number)-4)]
			case counts.Number:
				b.Subject[0] = number
			}
			if known := number != "" || b.Rule.Kind != counts.Block && b.Rule.Kind != counts.Number; known {
				c.Buckets = append(c.Buckets, b)
			}
		}
		return c
	}
	var pending []func() // ends of Sends
	for call := range calls {
		if random.IntN(100) < w.back {
			back := [...]time.Duration{time.Minute, hour, 20 * day}[random.IntN(3)]
			clock.Advance(-back)
		}
		clock.Advance(w.steps[min(len(w.steps)-1, int(random.ExpFloat64()*1.5))])
		if len(pending) > 0 && random.IntN(3) == 0 {
			i := random.IntN(len(pending))
			pending[i]()
			pending = append(pending[:i], pending[i+1:]...)
		}
		c := newClaim()
		if random.IntN(10) < w.verifies {
			for _, s := range both {
				require.NoError(t, s.Verify(t.Context(), c))
			}
			continue
		}
		var verdicts, rounded [2]counts.Verdict
		for i, s := range both {
			verdicts[i] = take(t, s, c)
			rounded[i] = verdicts[i]
			for _, x := range []*float64{&rounded[i].Count, &rounded[i].Max, &rounded[i].Verified} {
				*x = math.Round(*x * 1e6)
			}
			if !rounded[i].Allowed && !c.Force {
				rounded[i].Until = 0 // Nobody asks.
			}
		}
		require.Equal(t, rounded[0], rounded[1], "seed %d, call %d", seed, call)
		if !verdicts[0].Allowed && !c.Force {
			continue
		}
		end := counts.End{Sent: random.IntN(10) < w.sends, Verified: random.IntN(3) == 0, Refused: random.IntN(3) > 0}
		if random.IntN(3) == 0 {
			end.Actual = newClaim()
			if random.IntN(2) == 0 { // only the number is another
				end.Actual.Member = c.Member
			}
		}
		settle := func() {
			for i, s := range both {
				require.NoError(t, s.Settle(t.Context(), c, verdicts[i], end))
			}
		}
		switch random.IntN(3) {
		case 0: // Nobody tells.
		case 1:
			pending = append(pending, settle)
		default:
			settle()
		}
	}
}

var unique atomic.Int64

// claim is one that no other test counts: in a limit of n and, if it says so, in
// a budget.
func claim(n float64, budget bool) *counts.Claim {
	id := [2]uint64{uint64(unique.Add(1)), uint64(time.Now().UnixNano())}
	subject := [2]string{fmt.Sprint("subject-", id)}
	c := &counts.Claim{ID: id, Member: subject, Number: "+1202" + fmt.Sprint(id[0]), Cooldown: time.Millisecond}
	c.Buckets = append(c.Buckets, counts.Bucket{Rule: &counts.Rule{Name: "limit", Max: n, Leak: 1e-3}, Subject: subject})
	if budget {
		c.Buckets = append(c.Buckets, counts.Bucket{Rule: &counts.Rule{Name: "budget", Kind: counts.Number, Max: n, Leak: 1e-3}, Subject: subject})
	}
	return c
}

// again is the claim of another Member.
func again(c *counts.Claim) *counts.Claim {
	other := *c
	other.ID[0] = uint64(unique.Add(1))
	other.Member = [2]string{fmt.Sprint("member-", other.ID)}
	return &other
}

func take(t *testing.T, s counts.Store, c *counts.Claim) counts.Verdict {
	t.Helper()
	v, err := s.Take(t.Context(), c)
	require.NoError(t, err)
	return v
}

// Run runs the suite.
func Run(t *testing.T, s counts.Store) {
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
			wider.Buckets = append(wider.Buckets, counts.Bucket{Rule: &rule, Subject: b.Subject})
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
			require.NoError(t, s.Settle(t.Context(), c, v, counts.End{}))
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
