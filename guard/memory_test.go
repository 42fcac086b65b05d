package guard_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

func memory(keys int) *counts.Memory { return counts.NewMemory(keys, time.Now) }

// The store is bounded. Members who never entered a code make room for those who
// did.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory(1000)
		g := guardOf(t, s)
		for i := range 100 {
			enter(t, g, params(fmt.Sprint("user ", i), fmt.Sprintf("+120255501%02d", i)))
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 200 {
					assert.NoError(t, allow(t, g, params(fmt.Sprint(i, " ", j), "")))
				}
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, s.Len(), 1000)
		for i := range 100 {
			v, err := s.Do(t.Context(), &counts.Event{Kind: counts.Ask, Member: [2]string{"organization-test-1", fmt.Sprint("user ", i)}})
			require.NoError(t, err)
			assert.True(t, v.Trusted)
		}
	})
}

// What is refused leaves nothing behind, whatever number it names.
func TestMemoryOfRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory(100_000)
		g := guardOf(t, s, guard.Recommended("US"))
		pump(t, g)
		before := s.Len()
		for i := range 100 {
			require.ErrorIs(t, allow(t, g, stranger(fmt.Sprint("o", i), 5000+i)), guard.ErrUnanswered)
		}
		assert.Equal(t, before, s.Len())
	})
}

// What is over is forgotten when room is needed, and trust last.
func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory(300)
		g := guardOf(t, s, guard.Recommended("US"))
		for i := range 500 {
			p := stranger(fmt.Sprint("o", i), i)
			require.NoError(t, allow(t, g, p))
			enter(t, g, p)
			assert.LessOrEqual(t, s.Len(), 300)
			time.Sleep(time.Minute)
		}
	})
}

// A clock that is set back lets no wait grow.
func TestClockIsSetBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	g := newGuard(t, guard.Recommended("US"), guard.WithClock(func() time.Time { return now }))
	require.NoError(t, allow(t, g, params("a", "+12025550123")))
	enter(t, g, params("b", "+12025550123"))
	now = now.Add(-time.Hour)
	require.NoError(t, allow(t, g, params("a", "+12025550123")))
	require.ErrorIs(t, allow(t, g, params("a", "+12025550123")), guard.ErrCooldown)
	now = now.Add(time.Minute)
	assert.NoError(t, allow(t, g, params("a", "+12025550123")))
	now = now.Add(90 * 24 * time.Hour)
	assert.NoError(t, allow(t, g, params("b", "+12025550123")))
}
