package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard"
)

// TestPlay plays small days whose outcome is known.
func TestPlay(t *testing.T) {
	t.Parallel()
	small := scenario{
		reach: &reach{},
		crowd: func(s *simulation) *crowd { return newCrowd(s, 10, 200, 50) },
		attack: func(a *attacker) {
			a.found(5)
			a.every(time.Minute, 0, func(i int) {
				if m := a.member(i); a.ask(m, a.anywhere()) == nil && i%2 == 0 {
					a.verify(m)
				}
			})
		},
	}
	t.Run("no guard", func(t *testing.T) {
		t.Parallel()
		day, err := small.play(settings[0])
		require.NoError(t, err)
		assert.Equal(t, []int{1440, 1440, 720}, []int{day.asked, day.sent, day.entered})
		for _, g := range []group{day.returning, day.newcomers} {
			assert.Zero(t, g.never+g.waited)
			assert.InDelta(t, 0.93, float64(g.entered)/float64(g.came), 0.1)
		}
		assert.Equal(t, []int{200, 50}, []int{day.returning.came, day.newcomers.came})
	})
	t.Run("refuses numbers it knows", func(t *testing.T) {
		t.Parallel()
		day, err := small.play(setting{"Recommended", []guard.Option{guard.AllowCountries("JM")}})
		require.NoError(t, err)
		assert.Equal(t, []int{1440, 0}, []int{day.asked, day.sent})
		assert.Equal(t, 50, day.newcomers.never)
		assert.Equal(t, 50, day.newcomers.waited)
		assert.NotEmpty(t, (&play{scenario: small, setting: settings[2], day: day}).misses())
	})
	t.Run("twice the same", func(t *testing.T) {
		t.Parallel()
		first, err := small.play(settings[2])
		require.NoError(t, err)
		second, err := small.play(settings[2])
		require.NoError(t, err)
		assert.Equal(t, first, second)
	})
}
