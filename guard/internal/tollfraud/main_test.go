package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestPlay plays a small day whose outcome is known, twice the same.
func TestPlay(t *testing.T) {
	t.Parallel()
	small := scenario{
		guard:   nobody,
		days:    1,
		attacks: spread(time.Minute, 50),
	}
	day := small.play()
	assert.Equal(t, []int{1440, 1440}, []int{day.asked, day.sent})
	assert.InDelta(t, 720, day.entered, 72)
	assert.Equal(t, group{came: 5400}, day.returning)
	assert.Equal(t, group{came: 600}, day.newcomers)

	small.guard, small.attacks, small.logins, small.never = nil, spread(time.Minute, 0), true, 100
	day = small.play()
	assert.Equal(t, day, small.play())
	small.day = day
	assert.Empty(t, small.check())
	day.sent, day.entered, day.guesses, day.returning.never, day.newcomers.never = 10_000, 501, 1, 1, 101
	assert.Len(t, small.check(), 5)
	small.attacks, day.newcomers.waited = nil, 121
	assert.Len(t, small.check(), 6)
}
