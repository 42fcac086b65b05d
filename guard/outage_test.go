package guard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// A distantStore is one behind a network: each call goes through way.
type distantStore struct {
	store *counts.Memory
	calls atomic.Int64

	mu  sync.Mutex
	way func(ctx context.Context, call func()) error // makes the call, or does not
}

var errBroken = errors.New("connection refused")

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

func distant() *distantStore { return &distantStore{store: memory(1 << 20), way: near} }

func (d *distantStore) becomes(way func(context.Context, func()) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.way = way
}

func (d *distantStore) Do(ctx context.Context, e counts.Event) (v counts.Verdict, err error) {
	d.calls.Add(1)
	d.mu.Lock()
	way := d.way
	d.mu.Unlock()
	answered := make(chan counts.Verdict, 1)
	err = way(ctx, func() {
		v, _ := d.store.Do(ctx, e)
		answered <- v
	})
	select {
	case v = <-answered:
	default:
	}
	return v, err
}

// guardOf is a Guard with the store.
func guardOf(t testing.TB, s guard.Store, opts ...guard.Option) *guard.Guard {
	g, err := guard.New(append([]guard.Option{guard.WithStore(s), guard.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	require.NoError(t, err)
	return g
}

// limited is a limit on all Sends.
func limited(n int) guard.Option {
	return guard.LimitBy("all", n, 24*time.Hour, func(context.Context, stytchb2b.SMSSendParams) string { return "all" })
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
					s := distant()
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

// A Send whose answer does not come may have been counted. It is given back where
// the Send is refused, and only there.
func TestAnswersThatDoNotCome(t *testing.T) {
	t.Parallel()
	const limit = 5
	for name, way := range map[string]func(context.Context, func()) error{"lost": lost, "late": late} {
		t.Run(name+", closed", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := distant()
				g := guardOf(t, s, guard.FailClosed(), limited(limit))
				s.becomes(way)
				var wg sync.WaitGroup
				for i := range 30 {
					wg.Go(func() { assert.ErrorIs(t, allow(t, g, params(fmt.Sprint(i), "")), guard.ErrStore) })
				}
				wg.Wait()
				synctest.Wait()
				s.becomes(near)
				assert.Positive(t, s.store.Len(), "they were counted")
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
				s := distant()
				g, other := guardOf(t, s, limited(3)), guardOf(t, s, limited(3))
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
				assert.NoError(t, allow(t, other, params("c", "")), "each is counted once")
				assert.ErrorIs(t, allow(t, other, params("d", "")), guard.ErrLimit)
			})
		})
	}
}

// A caller who goes away says nothing of the store.
func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := distant()
		s.becomes(far)
		g := guardOf(t, s, guard.FailClosed(), limited(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := g.AllowSend(ctx, params("a", ""))
		assert.ErrorIs(t, err, guard.ErrStore)
		synctest.Wait()
		assert.NoError(t, allow(t, g, params("b", "")), "the place was given back")
		assert.ErrorIs(t, allow(t, g, params("c", "")), guard.ErrLimit)
	})
}

// When the store stops to answer, the process goes on with what it knows.
func TestMemoryKnowsTheLastSends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := distant()
		g, other := guardOf(t, s, guard.Recommended("US"), limited(1000)), guardOf(t, s, guard.Recommended("US"))
		enter(t, other, params("trusted", "+12025550100"))
		require.NoError(t, allow(t, g, params("trusted", "+12025550100")))
		for range 7 {
			require.NoError(t, try(t, g, params("guesser", ""), errWrong))
		}
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
		assert.Equal(t, 209, pump(t, g), "80 of the pool are kept, and one is taken")
		assert.NoError(t, allow(t, g, params("trusted", "+12025550100")))
		guesses := 0
		for range 20 {
			if try(t, g, params("guesser", ""), errWrong) == nil {
				guesses++
			}
		}
		assert.LessOrEqual(t, guesses, 4)
	})
}

// What was decided in memory, the store hears as soon as it answers: what went out,
// when, the codes, what was given back, and the wrong codes.
func TestToldLater(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(context.Context, func()) error{"broken": broken, "hung": hung, "lost": lost, "late": late} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := distant()
				opts := []guard.Option{guard.Recommended("US"), limited(7)}
				g, other := guardOf(t, s, opts...), guardOf(t, s, opts...)
				var ends []func(*stytchb2b.SMSSendResponse, error)
				for i := range 4 {
					done, err := g.AllowSend(t.Context(), params(fmt.Sprint(i), ""))
					require.NoError(t, err)
					ends = append(ends, done)
				}
				s.becomes(way)
				ends[0](nil, notSent)
				enter(t, g, params("1", "+12025550100"))
				for i := range 4 {
					require.NoError(t, allow(t, g, params(fmt.Sprint("in memory ", i), fmt.Sprint("+1202555011", i))))
				}
				g.AfterLogin(t.Context(), login(params("signed in", "+12025550120"), true, true))
				for range 10 {
					require.NoError(t, try(t, g, params("guesser", ""), errWrong))
				}
				time.Sleep(2 * time.Second)
				s.becomes(near)
				assert.ErrorIs(t, g.BeforeLogin(t.Context(), "organization-test-1", "in memory 0"), guard.ErrCooldown)
				synctest.Wait()

				unlimited := guardOf(t, s, guard.Recommended("US"))
				for _, member := range []string{"in memory 3", "signed in", "2"} {
					err := allow(t, unlimited, params(member, ""))
					require.ErrorIs(t, err, guard.ErrCooldown, member)
					assert.LessOrEqual(t, stytchb2b.RetryAfter(err), 28*time.Second, "since the SMS")
				}
				assert.ErrorIs(t, try(t, other, params("guesser", ""), notSent), guard.ErrGuesses)
				var d guard.Decision
				third := guardOf(t, s, guard.Recommended("US"), guard.OnDecision(func(_ context.Context, got guard.Decision) { d = got }))
				assert.NoError(t, allow(t, third, params("1", "")), "a code was entered")
				assert.True(t, d.Trusted)
				assert.ErrorIs(t, allow(t, other, params("x", "")), guard.ErrLimit, "three, and four")
			})
		})
	}
}

// When the store answers again, many ask at once. Each SMS that went out meanwhile is
// told once, and none that was refused.
func TestToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := distant()
		g := guardOf(t, s)
		s.becomes(broken)
		for i := range 5 {
			require.NoError(t, allow(t, g, params(fmt.Sprint(i), "")))
			require.ErrorIs(t, allow(t, g, params(fmt.Sprint(i), "")), guard.ErrCooldown)
		}
		time.Sleep(recovery)
		s.becomes(far)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { assert.NoError(t, g.BeforeLogin(t.Context(), "organization-test-1", "another")) })
		}
		wg.Wait()
		for i := range 5 {
			err := allow(t, guardOf(t, s), params(fmt.Sprint(i), ""))
			require.ErrorIs(t, err, guard.ErrCooldown)
			assert.Less(t, stytchb2b.RetryAfter(err), 30*time.Second)
		}
	})
}

// What went out during an outage counts, even if another process has used up the limit.
func TestToldPastTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := distant()
		g, other := guardOf(t, s, limited(1)), guardOf(t, &distantStore{store: s.store, way: near}, limited(1))
		s.becomes(broken)
		require.NoError(t, allow(t, g, params("a", "")))
		require.NoError(t, allow(t, other, params("b", "")))
		s.becomes(near)
		time.Sleep(recovery)
		require.ErrorIs(t, allow(t, g, params("c", "")), guard.ErrLimit)
		assert.ErrorIs(t, allow(t, guardOf(t, s), params("a", "")), guard.ErrCooldown)
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
				s := distant()
				one := make(chan struct{}, 1)
				s.becomes(func(ctx context.Context, call func()) error {
					if busy {
						one <- struct{}{}
						defer func() { <-one }()
					}
					return far(ctx, call)
				})
				g := guardOf(t, s, limited(limit))
				var out atomic.Int64
				var wg sync.WaitGroup
				for i := range 1000 {
					wg.Go(func() {
						if allow(t, g, params(fmt.Sprint(i), "")) == nil {
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
