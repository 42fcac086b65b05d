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
	"github.com/eb715825/stytchb2b/guard/internal/storetest"
)

func memory(t testing.TB, keys int) *guard.MemoryStore {
	s, err := guard.NewMemoryStore(keys)
	require.NoError(t, err)
	return s
}

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, memory(t, 1<<20))
	for _, keys := range []int{0, -1} {
		_, err := guard.NewMemoryStore(keys)
		assert.ErrorContains(t, err, "maxKeys")
	}
}

// Windows are exact, to the nanosecond.
func TestMemoryWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory(t, 64)
		claims := []guard.Claim{{Limit: "l", N: 2, Interval: time.Minute}}
		take := func() (int, time.Duration) {
			full, wait, err := s.Take(t.Context(), claims)
			require.NoError(t, err)
			return full, wait
		}
		take()
		time.Sleep(20 * time.Second)
		take()
		full, wait := take()
		assert.Equal(t, 0, full)
		assert.Equal(t, 40*time.Second, wait)
		time.Sleep(wait - 1)
		full, wait = take()
		assert.Equal(t, 0, full)
		assert.EqualValues(t, 1, wait)
		time.Sleep(time.Nanosecond)
		full, _ = take()
		assert.Equal(t, -1, full)
	})
}

// The store is bounded; what is over goes first, then what is over soonest.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := memory(t, 640)
	take := func(name string, interval time.Duration) int {
		full, _, err := s.Take(t.Context(), []guard.Claim{{Limit: "l", Subject: [2]string{name}, N: 1, Interval: interval}})
		require.NoError(t, err)
		return full
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5000 {
				take(fmt.Sprint(i, " ", j), time.Hour)
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, s.Len(), 640)
	assert.Greater(t, s.Len(), 600)
	take("long", 100*time.Hour)
	for j := range 100 { // Of ten keys a shard, a sample is all: the longest stays.
		take(fmt.Sprint("short ", j), time.Minute)
	}
	assert.Equal(t, 0, take("long", 100*time.Hour))
}
