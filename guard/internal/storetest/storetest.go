// Package storetest holds a store of a Guard to the rules.
package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// A world is where Alike makes its events: so many Organizations, Members and
// numbers, and such times between two events, the first ones most often.
type world struct {
	organizations, members, numbers int

	steps   []time.Duration
	kinds   []int // how often each Kind comes
	named   int   // of ten events, those with a number
	limited int   // SMS of a limit
}

const (
	s    = time.Second
	min  = time.Minute
	hour = time.Hour
	day  = 24 * time.Hour
)

// In each of them, other rules refuse.
var worlds = []world{
	{3, 6, 9, []time.Duration{0, 33 * s, 5 * min, hour, 25 * hour}, []int{1, 9, 2, 2, 2, 1, 1}, 5, 40},
	{1, 2, 2, []time.Duration{3 * s, 10 * s, 70 * s}, []int{2, 9, 3, 1, 0, 2, 1}, 5, 5},
	{2, 500, 400, []time.Duration{10 * s, s, min, 20 * min}, []int{1, 20, 1, 2, 1, 0, 0}, 7, 9000},                       // a full pool
	{3, 4, 1, []time.Duration{20 * min, s, min}, []int{0, 4, 0, 1, 4, 0, 0}, 8, 9000},                                    // too many codes
	{2, 3, 3, []time.Duration{hour, 26 * hour, 4 * day, 9 * day, 50 * day, 91 * day}, []int{1, 7, 1, 3, 2, 1, 0}, 5, 40}, // trust ends
	{2, 3, 2, []time.Duration{2 * hour, 40 * min, 5 * hour, 26 * hour}, []int{1, 8, 1, 2, 1, 0, 0}, 7, 900},              // a full number
	{1, 3, 2, []time.Duration{10 * min, min, 2 * hour}, []int{0, 1, 0, 0, 1, 9, 2}, 5, 40},                               // guesses
	{30, 60, 60, []time.Duration{min, 10 * min, 2 * hour}, []int{0, 8, 1, 3, 3, 1, 1}, 7, 900},
}

// Alike has random events decided by the store and by one in memory, and wants the
// same verdicts. It returns how often each cause refused.
func Alike(t *testing.T, store counts.Store, seed uint64, events int) (refused [counts.Guesses + 1]int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	w := worlds[seed%uint64(len(worlds))]
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	both := []counts.Store{counts.NewMemory(1<<20, func() time.Time { return now }), store}
	one := func(of int) bool { return random.IntN(of) == 0 }
	var kinds []counts.Kind
	for kind, often := range w.kinds {
		for range often {
			kinds = append(kinds, counts.Kind(kind))
		}
	}
	var sent []counts.Event
	for i := range events {
		now = now.Add(w.steps[int(math.Min(float64(len(w.steps)-1), random.ExpFloat64()*1.5))])
		e := counts.Event{
			Kind:     kinds[random.IntN(len(kinds))],
			Member:   [2]string{fmt.Sprint("o", random.IntN(w.organizations)), fmt.Sprint("m", random.IntN(w.members))},
			ID:       random.Uint64(),
			Cooldown: 2 * s,
			Budget:   !one(20),
			Force:    one(20),
			Verified: one(3),
			Answer:   !one(3),
		}
		if random.IntN(10) < w.named {
			e.Number = fmt.Sprint("+1202555", random.IntN(w.numbers))
		}
		switch {
		case e.Kind == counts.Send:
			e.Limits = []counts.Limit{{Name: "x", Value: "all", Max: w.limited, Interval: hour}, {Name: "y", Value: e.Member[0], Max: w.limited, Interval: day}}
			sent = append(sent, e)
		case (e.Kind == counts.Undo || e.Kind == counts.Told) && len(sent) > 0 && !one(4):
			last := sent[len(sent)-1]
			e.Member, e.ID, e.Limits = last.Member, last.ID, last.Limits
			if e.Kind == counts.Undo {
				e.Number = last.Number
			}
		}
		e.At = now.UnixMilli()
		if one(5) {
			e.At, e.Force = e.At-random.Int64N(5000), true // It is heard late.
		}
		repeat := 1
		if e.Kind == counts.Send && one(10) {
			repeat = 2 // The answer was lost.
		}
		for range repeat {
			var verdicts [2]counts.Verdict
			for i, s := range both {
				v, err := s.Do(t.Context(), e)
				require.NoError(t, err)
				v.Wait = v.Wait.Round(10 * time.Millisecond)
				v.Count = math.Round(v.Count * 1e4)
				verdicts[i] = v
			}
			require.InDelta(t, verdicts[0].Wait, verdicts[1].Wait, float64(20*time.Millisecond), "seed %d, event %d: %+v", seed, i, e)
			verdicts[0].Wait = verdicts[1].Wait
			require.InDelta(t, verdicts[0].Count, verdicts[1].Count, 20, "seed %d, event %d: %+v", seed, i, e)
			verdicts[0].Count = verdicts[1].Count
			require.Equal(t, verdicts[0], verdicts[1], "seed %d, event %d: %+v", seed, i, e)
			refused[verdicts[0].By]++
		}
	}
	return refused
}
