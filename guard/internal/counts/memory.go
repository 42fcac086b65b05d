package counts

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// A Memory is a [Store] in this process's memory. When it is full, it forgets what
// was not used for the longest time.
type Memory struct {
	now func() time.Time

	mu      sync.Mutex
	pool    level
	persons *simplelru.LRU[[2]string, person]
	phones  *simplelru.LRU[string, phone]
	credits *simplelru.LRU[string, int] // of Organizations
	levels  *simplelru.LRU[Limit, level]
}

// NewMemory makes a Memory that keeps so many Members, as many numbers, Organizations
// and values of limits, of about 300 bytes each.
func NewMemory(size int, now func() time.Time) *Memory {
	s := &Memory{now: now}
	s.persons, _ = simplelru.NewLRU[[2]string, person](size, nil) // It fails for a size of 0.
	s.phones, _ = simplelru.NewLRU[string, phone](size, nil)
	s.credits, _ = simplelru.NewLRU[string, int](size, nil)
	s.levels, _ = simplelru.NewLRU[Limit, level](size, nil)
	return s
}

// Do implements [Store]. It never fails.
func (s *Memory) Do(_ context.Context, e Event) (v Verdict, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.turn(e)
	switch e.Kind {
	case Ask:
		if v = t.ask(); t.person.row == 0 {
			v.By = Nothing // Nobody knows whether Stytch would send an SMS.
		}
		return v, nil
	case Send:
		v = t.send()
	case Undo:
		t.undo()
	case Told:
		t.told()
	case Code:
		t.code()
	case Guess:
		v = t.guess()
	case Clear:
		guesses.add(&t.person.guesses, t.now, -1)
	}
	if v.By != Nothing && !e.Force {
		return v, nil
	}
	s.persons.Add(e.Member, t.person)
	if t.person.over(t.now) {
		s.persons.Remove(e.Member)
	}
	s.credits.Add(e.Member[0], t.credit)
	if t.number != "" {
		s.phones.Add(t.number, t.phone)
	}
	return v, nil
}

// turn looks up what an event is about.
func (s *Memory) turn(e Event) *turn {
	t := &turn{Event: e, s: s, now: e.At, number: e.Number}
	if e.At <= 0 {
		t.now += s.now().UnixMilli()
	}
	t.person, _ = s.persons.Get(e.Member)
	p := &t.person
	p.trusted = min(p.trusted, t.now+trustLasts.Milliseconds()) // The clock may have been set back.
	if t.now-p.sent >= pool.one.Milliseconds() {                // They may have leaked away by now.
		p.charged, p.pooled = 0, 0
	}
	switch {
	case t.number != "":
	case p.trusted > t.now && p.pooled == 0:
		t.number = p.number
	default:
		t.number = p.to
	}
	t.phone, _ = s.phones.Get(t.number)
	t.credit, _ = s.credits.Get(e.Member[0])
	return t
}

// Len returns how many Members, numbers, Organizations and limits the store holds.
func (s *Memory) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.persons.Len() + s.phones.Len() + s.credits.Len() + s.levels.Len()
}
