package main

import (
	"context"
	"time"

	"github.com/eb715825/stytchb2b/guard"
)

// clockStore counts by the simulation's clock.
type clockStore struct {
	now     func() time.Time
	windows map[string]*window
}

type window struct {
	end time.Time
	n   int
}

func (s *clockStore) Take(_ context.Context, claims []guard.Claim) (full int, wait time.Duration, err error) {
	full = -1
	now := s.now()
	key := func(c guard.Claim) string { return c.Limit + "|" + c.Subject[0] + "|" + c.Subject[1] }
	for i, c := range claims {
		w := s.windows[key(c)]
		if w == nil || !now.Before(w.end) {
			w = &window{end: now.Add(c.Interval)}
			s.windows[key(c)] = w
		}
		if left := w.end.Sub(now); w.n >= c.N && left > wait {
			full, wait = i, left
		}
	}
	if full < 0 {
		for _, c := range claims {
			s.windows[key(c)].n++
		}
	}
	return full, wait, nil
}

func (s *clockStore) Give(context.Context, []guard.Claim) error { return nil }
