package guard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// A distantStore is one behind a network: it remembers IDs, as one must whose
// answers can be lost, and each call goes through way.
type distantStore struct {
	store *counts.Memory
	calls atomic.Int64

	mu    sync.Mutex
	way   func(ctx context.Context, call func()) error // makes the call, or does not
	taken map[[2]uint64]counts.Verdict
	over  map[[2]uint64]bool // settled or verified
}

var (
	errBroken = errors.New("connection refused")
	errTaken  = errors.New("it was settled before")
)

// Ways to a store.
var (
	near   = func(_ context.Context, call func()) error { call(); return nil }
	broken = func(context.Context, func()) error { return errBroken }
	// hung does nothing until nobody waits any more.
	hung = func(ctx context.Context, _ func()) error { <-ctx.Done(); return ctx.Err() }
	// lost makes the call, and loses the answer.
	lost = func(_ context.Context, call func()) error { call(); return errBroken }
	// late makes the call when nobody waits any more.
	late = func(ctx context.Context, call func()) error { <-ctx.Done(); call(); return ctx.Err() }
	// far takes ten milliseconds.
	far = func(_ context.Context, call func()) error { time.Sleep(10 * time.Millisecond); call(); return nil }
)

func distant(t testing.TB) *distantStore {
	return &distantStore{store: memory(1 << 20), way: near, taken: map[[2]uint64]counts.Verdict{}, over: map[[2]uint64]bool{}}
}

func (d *distantStore) becomes(way func(context.Context, func()) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.way = way
}

func (d *distantStore) call(ctx context.Context, f func()) error {
	d.calls.Add(1)
	d.mu.Lock()
	way := d.way
	d.mu.Unlock()
	return way(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		f()
	})
}

func (d *distantStore) Take(ctx context.Context, c *counts.Claim) (v counts.Verdict, err error) {
	var refused error
	err = d.call(ctx, func() {
		known, ok := d.taken[c.ID]
		switch {
		case d.over[c.ID]:
			refused = errTaken
		case ok:
			v = known
		default:
			v, _ = d.store.Take(ctx, c)
			if v.Allowed || c.Force {
				d.taken[c.ID] = v
			}
		}
	})
	return v, errors.Join(err, refused)
}

func (d *distantStore) Settle(ctx context.Context, c *counts.Claim, _ counts.Verdict, end counts.End) error {
	return d.call(ctx, func() {
		if v, ok := d.taken[c.ID]; ok && !d.over[c.ID] {
			_ = d.store.Settle(ctx, c, v, end)
		}
		d.over[c.ID] = true
	})
}

func (d *distantStore) Verify(ctx context.Context, c *counts.Claim) error {
	return d.call(ctx, func() {
		if !d.over[c.ID] {
			_ = d.store.Verify(ctx, c)
		}
		d.over[c.ID] = true
	})
}

// guardOf is a Guard with the store.
func guardOf(t testing.TB, s counts.Store, opts ...guard.Option) *guard.Guard {
	return newGuard(t, append([]guard.Option{guard.WithStore(s), guard.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
}

// recovery is how long a Guard does not ask a store that has failed.
const recovery = guard.DefaultStoreTimeout + time.Second

// A store that does not answer is waited for once, not by each Send.
func TestStoreThatFailsIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(context.Context, func()) error{"broken": broken, "hung": hung} {
		for _, closed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", closed: ", closed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := distant(t)
					s.becomes(way)
					var opts []guard.Option
					if closed {
						opts = append(opts, guard.FailClosed())
					}
					g := guardOf(t, s, opts...)
					start := time.Now()
					for i := range 100 {
						err := allow(t, g, params(fmt.Sprint(i), "+12025550123"))
						if closed {
							assert.ErrorIs(t, err, guard.ErrStore)
							assert.False(t, stytchb2b.MaybeSent(err))
						} else {
							assert.NoError(t, err)
							assert.ErrorIs(t, allow(t, g, params(fmt.Sprint(i), "+12025550123")), guard.ErrCooldown, "it counts in memory")
						}
					}
					assert.LessOrEqual(t, time.Since(start), guard.DefaultStoreTimeout)
					assert.EqualValues(t, 1, s.calls.Load())
					for range 3 {
						time.Sleep(recovery)
						before := s.calls.Load()
						for i := range 10 {
							_ = allow(t, g, params(fmt.Sprint(i), ""))
						}
						assert.LessOrEqual(t, s.calls.Load()-before, int64(2), "one asks, and says what it has to")
					}
					s.becomes(near)
					time.Sleep(recovery + time.Hour)
					before := s.calls.Load()
					assert.NoError(t, allow(t, g, params("another", "")))
					assert.NoError(t, allow(t, g, params("and another", "")))
					assert.GreaterOrEqual(t, s.calls.Load()-before, int64(2))
				})
			})
		}
	}
}

// A Take whose answer does not come may have counted. It is given back where the
// Send is refused, and only there.
func TestAnswersThatDoNotCome(t *testing.T) {
	t.Parallel()
	const limit = 5
	for name, way := range map[string]func(context.Context, func()) error{"lost": lost, "late": late} {
		t.Run(name+", closed", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := distant(t)
				g := guardOf(t, s, guard.FailClosed(), guard.Limit(guard.InAll, limit, 24*time.Hour))
				s.becomes(way)
				var wg sync.WaitGroup
				for i := range 30 {
					wg.Go(func() { assert.ErrorIs(t, allow(t, g, params(fmt.Sprint(i), "")), guard.ErrStore) })
				}
				wg.Wait()
				synctest.Wait()
				s.becomes(near)
				assert.NotEmpty(t, s.taken, "they were counted")
				time.Sleep(recovery)
				for i := range limit {
					assert.NoError(t, allow(t, g, params(fmt.Sprint(i), "")), "they are given back")
				}
				assert.ErrorIs(t, allow(t, g, params("x", "")), guard.ErrLimit)
			})
		})
		t.Run(name+", open", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := distant(t)
				g, other := guardOf(t, s), guardOf(t, s)
				s.becomes(way)
				assert.NoError(t, allow(t, g, params("a", "")))
				done, err := g.AllowSend(t.Context(), params("b", ""))
				assert.NoError(t, err)
				synctest.Wait()
				s.becomes(near)
				time.Sleep(recovery)
				assert.ErrorIs(t, allow(t, g, params("a", "")), guard.ErrCooldown, "an SMS went out")
				assert.ErrorIs(t, allow(t, other, params("a", "")), guard.ErrCooldown)
				done(nil, notSent)
				assert.NoError(t, allow(t, g, params("b", "")))
			})
		})
	}
}

// A caller who goes away says nothing of the store.
func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := distant(t)
		s.becomes(far)
		g := guardOf(t, s, guard.FailClosed(), guard.Limit(guard.InAll, 1, 24*time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := g.AllowSend(ctx, params("a", ""))
		assert.ErrorIs(t, err, guard.ErrStore)
		time.Sleep(time.Minute)
		assert.NoError(t, allow(t, g, params("b", "")), "the place was given back")
		assert.ErrorIs(t, allow(t, g, params("c", "")), guard.ErrLimit)
	})
}

// When the store stops to answer, the process goes on with what it knows of the
// minutes and days before.
func TestMemoryKnowsTheLastSends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := distant(t)
		opts := []guard.Option{guard.Recommended("US"), guard.Limit(guard.PerOrganization, 100, 24*time.Hour)}
		g, other := guardOf(t, s, opts...), guardOf(t, s, opts...)
		enter(t, other, params("trusted", "+12025550100"))
		require.NoError(t, allow(t, g, params("trusted", "+12025550100")))
		time.Sleep(time.Hour)
		for i := range 5 {
			require.NoError(t, allow(t, g, params(fmt.Sprint("new ", i), fmt.Sprint("+1202555012", i))))
		}
		done, err := g.AllowSend(t.Context(), params("not sent", "+12025550109"))
		require.NoError(t, err)
		done(nil, notSent)

		s.becomes(broken)
		assert.ErrorIs(t, allow(t, g, params("new 0", "+12025550120")), guard.ErrCooldown)
		assert.NoError(t, allow(t, g, params("not sent", "+12025550109")))
		let := 0
		for i := range 100 {
			if allow(t, g, params(fmt.Sprint(i), fmt.Sprintf("+120255501%02d", i))) == nil {
				let++
			}
		}
		assert.Positive(t, let)
		assert.LessOrEqual(t, let, 68, "what is left of all, for a block that only collects")
		assert.NoError(t, allow(t, g, params("trusted", "+12025550100")), "budgets do not count the trusted")
	})
}

// What the store did not hear, it is told once it answers.
func TestToldLater(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(context.Context, func()) error{"broken": broken, "hung": hung, "lost": lost, "late": late} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := distant(t)
				opts := []guard.Option{guard.Recommended("US"), guard.Limit(guard.InAll, 7, 24*time.Hour)}
				g, other := guardOf(t, s, opts...), guardOf(t, s, opts...)
				var ends []func(*stytchb2b.SMSSendResponse, error)
				for i := range 7 {
					done, err := g.AllowSend(t.Context(), params(fmt.Sprint(i), ""))
					require.NoError(t, err)
					ends = append(ends, done)
				}
				s.becomes(way)
				for _, end := range ends[1:] {
					end(nil, notSent)
				}
				enter(t, g, params("0", "+12025550100"))
				time.Sleep(time.Minute)
				s.becomes(near)
				_ = allow(t, g, params("y", ""))
				assert.NoError(t, allow(t, other, params("1", "")), "this was given back")
				var d guard.Decision
				third := guardOf(t, s, append(opts, guard.OnDecision(func(_ context.Context, got guard.Decision) { d = got }))...)
				assert.NoError(t, allow(t, third, params("0", "")), "a code was entered")
				assert.True(t, d.Trusted)
			})
		})
	}
}

// What is owed to a store that has been away for long is bounded, and does not
// keep it from answering.
func TestOwedIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := distant(t)
		s.becomes(broken)
		g := guardOf(t, s)
		for i := range 10_000 {
			enter(t, g, params(fmt.Sprint(i), ""))
		}
		s.becomes(near)
		time.Sleep(recovery)
		before := s.calls.Load()
		assert.NoError(t, allow(t, g, params("a", "")))
		assert.LessOrEqual(t, s.calls.Load()-before, int64(5000))

		s.becomes(broken)
		for i := range 100 {
			enter(t, g, params(fmt.Sprint(i), ""))
		}
		s.becomes(near)
		time.Sleep(time.Hour)
		before = s.calls.Load()
		assert.NoError(t, allow(t, g, params("a", "")))
		assert.EqualValues(t, 1, s.calls.Load()-before, "what is an hour old, nobody wants to know")
	})
}

// A store that obeys no context and never returns holds a bounded number of
// goroutines, and is asked again when it lets go.
func TestStoreThatNeverReturns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := distant(t)
		open := make(chan struct{})
		var inside, most atomic.Int64
		s.becomes(func(context.Context, func()) error {
			if n := inside.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-open
			inside.Add(-1)
			return errBroken
		})
		g := guardOf(t, s)
		var wg sync.WaitGroup
		for i := range 6000 {
			wg.Go(func() { assert.NoError(t, allow(t, g, params(fmt.Sprint(i), ""))) })
		}
		wg.Wait()
		for i := range 1000 {
			time.Sleep(recovery)
			assert.NoError(t, allow(t, g, params(fmt.Sprint("later ", i), "")))
		}
		assert.LessOrEqual(t, most.Load(), int64(4096))
		assert.Greater(t, most.Load(), int64(1000))
		close(open)
		s.becomes(near)
		time.Sleep(recovery)
		before := s.calls.Load()
		assert.NoError(t, allow(t, g, params("at last", "")))
		assert.Greater(t, s.calls.Load(), before)
	})
}

// A thousand at once, with a limit of twenty: by the store, and by a store that is
// so busy that most do not get its answer.
func TestOverload(t *testing.T) {
	t.Parallel()
	const limit = 20
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprint("one at a time: ", busy), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := distant(t)
				one := make(chan struct{}, 1)
				s.becomes(func(ctx context.Context, call func()) error {
					if busy {
						one <- struct{}{}
						defer func() { <-one }()
					}
					return far(ctx, call)
				})
				g := guardOf(t, s, guard.Limit(guard.PerPrefix, limit, 24*time.Hour))
				var out atomic.Int64
				var wg sync.WaitGroup
				for i := range 1000 {
					wg.Go(func() {
						if allow(t, g, params(fmt.Sprint(i), fmt.Sprintf("+1202555%04d", i))) == nil {
							out.Add(1)
						}
					})
				}
				wg.Wait()
				assert.GreaterOrEqual(t, out.Load(), int64(limit))
				assert.LessOrEqual(t, out.Load(), int64(2*limit), "twenty by the store, and twenty by this process")
				time.Sleep(time.Minute) // The store is done.
			})
		})
	}
}

// A refusal is remembered for two seconds: an attacker costs no round trips.
func TestRefusalsCostNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		opt   guard.Option
		first int // that pass
		p     func(i int) stytchb2b.SMSSendParams
		other stytchb2b.SMSSendParams // that it does not concern
	}{
		{
			"one Member", guard.Limit(guard.InAll, 1000, time.Hour), 1,
			func(int) stytchb2b.SMSSendParams { return params("a", "+12025550123") }, params("b", "+12025550123"),
		},
		{
			"one number", guard.Limit(guard.PerPhoneNumber, 3, time.Hour), 3,
			func(i int) stytchb2b.SMSSendParams { return params(fmt.Sprint(i), "+12025550123") }, params("b", "+12025550124"),
		},
		{
			"a Member and a number in a budget", guard.Recommended("US"), 0,
			func(int) stytchb2b.SMSSendParams { return params("a", "+12025550123") }, params("a", "+12125550123"),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := distant(t)
				g := guardOf(t, s, tc.opt)
				for i := 0; tc.first == 0 && i < 20; i++ { // Its budget is full.
					_ = allow(t, g, params(fmt.Sprint("x", i), "+12025550123"))
				}
				for i := range tc.first {
					require.NoError(t, allow(t, g, tc.p(i)))
				}
				before := s.calls.Load()
				for i := range 100 {
					require.Error(t, allow(t, g, tc.p(tc.first+i)))
				}
				assert.EqualValues(t, 1, s.calls.Load()-before)
				assert.NoError(t, allow(t, g, tc.other))
				time.Sleep(2 * time.Second)
				before = s.calls.Load()
				require.Error(t, allow(t, g, tc.p(200)))
				assert.EqualValues(t, 1, s.calls.Load()-before)
			})
		})
	}
}

// A code that was entered is heard at once, refusal or not.
func TestRefusalIsForgottenWithACode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guardOf(t, distant(t))
		require.NoError(t, allow(t, g, params("a", "")))
		require.ErrorIs(t, allow(t, g, params("a", "")), guard.ErrCooldown)
		enter(t, g, params("a", ""))
		assert.NoError(t, allow(t, g, params("a", "")))
	})
}

// A lyingStore answers anything.
type lyingStore struct{ random *rand.Rand }

func (s lyingStore) Take(context.Context, *counts.Claim) (counts.Verdict, error) {
	n := func() int64 {
		return [...]int64{0, 1, -1, -2, 5, 100, math.MaxInt64, math.MinInt64}[s.random.IntN(8)]
	}
	x := func() float64 {
		return [...]float64{0, 1, -1, 1e308, -1e308, math.NaN(), math.Inf(1), math.Inf(-1)}[s.random.IntN(8)]
	}
	is := func() bool { return s.random.IntN(2) == 0 }
	return counts.Verdict{
		Allowed: is(), By: int(n()), Wait: time.Duration(n()), Trusted: is(), Charged: is(),
		Count: x(), Max: x(), Verified: x(), Until: n(), Before: n(),
	}, nil
}

func (s lyingStore) Settle(context.Context, *counts.Claim, counts.Verdict, counts.End) error {
	return nil
}
func (s lyingStore) Verify(context.Context, *counts.Claim) error { return nil }

// A verdict that makes no sense is a failure of the store.
func TestStoreThatLies(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			s := lyingStore{rand.New(rand.NewPCG(seed, 2))}
			told, failures := 0, 0
			g := guardOf(t, s, guard.Recommended("US"), guard.FailClosed(), guard.OnDecision(func(_ context.Context, d guard.Decision) {
				told++
				for _, x := range []float64{d.Count, d.Max, d.VerifiedShare} {
					assert.False(t, math.IsNaN(x) || math.IsInf(x, 0), "%+v", d)
				}
			}))
			for i := range 400 {
				p := params(fmt.Sprint(i), "+12025550123")
				done, err := g.AllowSend(t.Context(), p)
				if err == nil {
					done(answer(p.MemberID, p.MFAPhoneNumber), [...]error{nil, notSent, refused}[i%3])
				} else {
					assert.GreaterOrEqual(t, stytchb2b.RetryAfter(err), time.Duration(0))
				}
				if errors.Is(err, guard.ErrStore) {
					failures++
				}
				time.Sleep(recovery)
			}
			assert.Equal(t, 400, told)
			assert.Greater(t, failures, 20)
			assert.Less(t, failures, 400)
		})
	}
}
