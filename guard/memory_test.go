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
	"github.com/eb715825/stytchb2b/guard/internal/storetest"
)

func memory(keys int) *counts.Memory { return counts.NewMemory(keys, time.Now) }

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, memory(1<<20))
}

// The store is bounded. Members who never entered a code make room for those who
// did.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory(1000)
		g := newGuard(t, guard.WithStore(s))
		for i := range 100 {
			enter(t, g, params(fmt.Sprint("user ", i), ""))
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 1000 {
					assert.NoError(t, allow(t, g, params(fmt.Sprint(i, " ", j), "")))
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 1000, s.Len())
		for i := range 100 {
			claim := &counts.Claim{Member: [2]string{"organization-test-1", fmt.Sprint("user ", i)}, Cooldown: time.Second}
			v, err := s.Take(t.Context(), claim)
			require.NoError(t, err)
			assert.True(t, v.Trusted)
		}
	})
}

// What is refused leaves nothing behind.
func TestMemoryOfRefused(t *testing.T) {
	t.Parallel()
	s := memory(1000)
	g := newGuard(t, guard.WithStore(s), guard.Limit(guard.InAll, 1, time.Hour))
	require.NoError(t, allow(t, g, params("a", "")))
	before := s.Len()
	for i := range 100 {
		require.ErrorIs(t, allow(t, g, params(fmt.Sprint(i), "")), guard.ErrLimit)
	}
	assert.Equal(t, before, s.Len())
}

// A clock that is set back lets no wait grow.
func TestClockIsSetBack(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	g := newGuard(t, guard.WithClock(clock.Now))
	require.NoError(t, allow(t, g, params("a", "")))
	clock.Advance(-time.Hour)
	require.ErrorIs(t, allow(t, g, params("a", "")), guard.ErrCooldown)
	clock.Advance(30 * time.Second)
	assert.NoError(t, allow(t, g, params("a", "")))
}
