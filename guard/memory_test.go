package guard_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

func memory(keys int) *counts.Memory { return counts.NewMemory(keys, time.Now) }

// The store is bounded, and forgets who was not there for the longest time.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := memory(1000)
	g := guardOf(t, s, guard.StoreTimeout(time.Minute))
	for i := range 2000 {
		if i%100 == 0 {
			enter(t, g, params("user", "+12025550123"))
		}
		assert.NoError(t, allow(t, g, params(fmt.Sprint(i), "")))
	}
	assert.LessOrEqual(t, s.Len(), 1002)
	v, err := s.Do(t.Context(), counts.Event{Kind: counts.Ask, Member: [2]string{"organization-test-1", "user"}})
	require.NoError(t, err)
	assert.True(t, v.Trusted)
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
