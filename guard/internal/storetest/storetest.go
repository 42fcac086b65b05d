// Package storetest is what every guard.Store must pass.
package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard"
)

var unique atomic.Int64

// subject is one that no other test counts.
func subject() [2]string {
	return [2]string{fmt.Sprint("subject-", unique.Add(1), time.Now().UnixNano())}
}

func claim(n int, interval time.Duration) guard.Claim {
	return guard.Claim{Limit: "test", Subject: subject(), N: n, Interval: interval}
}

// take takes, and returns the index of a full claim.
func take(t *testing.T, s guard.Store, claims ...guard.Claim) (full int, wait time.Duration) {
	t.Helper()
	full, wait, err := s.Take(t.Context(), claims)
	require.NoError(t, err)
	if full < 0 {
		assert.Zero(t, wait)
	}
	return full, wait
}

// Run runs the suite.
func Run(t *testing.T, s guard.Store) {
	t.Run("up to N", func(t *testing.T) {
		t.Parallel()
		c := claim(3, time.Hour)
		for range 3 {
			full, _ := take(t, s, c)
			assert.Equal(t, -1, full)
		}
		full, wait := take(t, s, c)
		assert.Equal(t, 0, full)
		assert.Greater(t, wait, 59*time.Minute)
		assert.LessOrEqual(t, wait, time.Hour)
	})
	t.Run("a window ends", func(t *testing.T) {
		t.Parallel()
		c := claim(1, 50*time.Millisecond)
		full, _ := take(t, s, c)
		require.Equal(t, -1, full)
		assert.Eventually(t, func() bool { full, _ := take(t, s, c); return full == -1 }, 10*time.Second, 5*time.Millisecond)
	})
	t.Run("subjects and limits are apart", func(t *testing.T) {
		t.Parallel()
		a := claim(1, time.Hour)
		b, c, d := a, a, a
		b.Limit = "another"
		c.Subject = [2]string{a.Subject[0] + "x", ""}
		d.Subject = [2]string{a.Subject[0], "x"}
		for _, claim := range []guard.Claim{a, b, c, d} {
			full, _ := take(t, s, claim)
			assert.Equal(t, -1, full)
		}
	})
	t.Run("all or none", func(t *testing.T) {
		t.Parallel()
		wide, narrow := claim(2, time.Hour), claim(1, time.Hour)
		full, _ := take(t, s, wide, narrow)
		assert.Equal(t, -1, full)
		for range 5 {
			full, _ = take(t, s, wide, narrow)
			assert.Equal(t, 1, full)
		}
		full, _ = take(t, s, wide)
		assert.Equal(t, -1, full, "the refused ones were not counted")
		full, _ = take(t, s, wide)
		assert.Equal(t, 0, full)
	})
	t.Run("the longest wait", func(t *testing.T) {
		t.Parallel()
		short, long := claim(1, time.Minute), claim(1, time.Hour)
		take(t, s, short, long)
		full, wait := take(t, s, short, long)
		assert.Equal(t, 1, full)
		assert.Greater(t, wait, time.Minute)
		full, _ = take(t, s, long, short)
		assert.Equal(t, 0, full)
	})
	t.Run("give back", func(t *testing.T) {
		t.Parallel()
		claims := []guard.Claim{claim(1, time.Hour), claim(2, time.Hour)}
		for range 3 {
			full, _, err := s.Take(t.Context(), claims)
			require.NoError(t, err)
			require.Equal(t, -1, full)
			assert.NotZero(t, claims[0].Window)
			require.NoError(t, s.Give(t.Context(), claims))
		}
		full, _ := take(t, s, claims...)
		assert.Equal(t, -1, full)
	})
	t.Run("give back another window", func(t *testing.T) {
		t.Parallel()
		old := []guard.Claim{claim(1, 50*time.Millisecond)}
		_, _, err := s.Take(t.Context(), old)
		require.NoError(t, err)
		next := []guard.Claim{old[0]}
		next[0].Interval = time.Hour // The same counter: the limit's name is the same.
		require.Eventually(t, func() bool {
			full, _, err := s.Take(t.Context(), next)
			return err == nil && full == -1
		}, 10*time.Second, 5*time.Millisecond)
		require.NoError(t, s.Give(t.Context(), old))
		full, _ := take(t, s, next...)
		assert.Equal(t, 0, full, "the new window is still taken")
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		full, _ := take(t, s)
		assert.Equal(t, -1, full)
		assert.NoError(t, s.Give(t.Context(), nil))
		assert.NoError(t, s.Give(t.Context(), []guard.Claim{claim(1, time.Hour)}), "what was never taken")
	})
	t.Run("at once", func(t *testing.T) {
		t.Parallel()
		const callers, n = 50, 7
		shared := claim(n, time.Hour)
		var got atomic.Int64
		var wg sync.WaitGroup
		own := make([]guard.Claim, callers)
		for i := range callers {
			own[i] = claim(1, time.Hour)
			wg.Go(func() {
				claims := []guard.Claim{own[i], shared}
				if i%2 == 0 { // in another order
					claims[0], claims[1] = claims[1], claims[0]
				}
				if full, _, err := s.Take(t.Context(), claims); assert.NoError(t, err) && full == -1 {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, n, got.Load())
		free := 0
		for _, c := range own {
			if full, _ := take(t, s, c); full == -1 {
				free++
			}
		}
		assert.Equal(t, callers-n, free, "none was taken where the other refused")
	})
}
