package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPlay plays a small day whose outcome is known, twice the same.
func TestPlay(t *testing.T) {
	t.Parallel()
	small := scenario{
		guard:   nobody,
		crowd:   crowd{organizations: 10, daily: 200, fresh: 50},
		attacks: []attack{{every: time.Minute, who: fresh(5), number: rented, enters: 50}},
	}
	day, err := small.play()
	require.NoError(t, err)
	assert.Equal(t, []int{1440, 1440}, []int{day.asked, day.sent})
	assert.InDelta(t, 720, day.entered, 72)
	for _, g := range []group{day.returning, day.newcomers} {
		assert.Zero(t, g.never+g.waited)
		assert.InDelta(t, 0.93, float64(g.entered)/float64(g.came), 0.1)
	}
	assert.Equal(t, []int{200, 50}, []int{day.returning.came, day.newcomers.came})

	small.guard, small.attacks[0].enters = recommended, 0
	day, err = small.play()
	require.NoError(t, err)
	assert.NoError(t, (&played{scenario: small, day: day}).check())
	again, err := small.play()
	require.NoError(t, err)
	assert.Equal(t, day, again)
	day.sent, day.entered, day.guesses, day.returning.never, day.newcomers.never, day.newcomers.waited = 1000, 501, 1, 1, 31, 251
	broken := (&played{scenario: small, day: day}).check()
	assert.Len(t, broken.(interface{ Unwrap() []error }).Unwrap(), 6, "%v", broken)
}
