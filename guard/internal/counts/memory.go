package counts

import (
	"context"
	"hash/maphash"
	"math/bits"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// A Memory is a [Store] in this process's memory. When it is full, it forgets what
// was not used for the longest time.
type Memory struct {
	seed maphash.Seed
	now  func() time.Time

	mu       sync.Mutex
	pool     level
	persons  *simplelru.LRU[key, person]
	phones   *simplelru.LRU[key, phone]
	balances *simplelru.LRU[key, balance] // of Organizations
	levels   *simplelru.LRU[key, level]   // of limits
}

// A key stands for a Member, a number, an Organization or a limit. Its seed is the
// process's own, so that nobody can make two alike; that two of a million are by
// chance has a probability of one in 30 million.
type key uint64

// NewMemory makes a Memory that keeps so many Members, as many numbers, Organizations
// and values of limits, of about 200 bytes each.
func NewMemory(size int, now func() time.Time) *Memory {
	s := &Memory{seed: maphash.MakeSeed(), now: now}
	s.persons, _ = simplelru.NewLRU[key, person](size, nil) // It fails for a size of 0.
	s.phones, _ = simplelru.NewLRU[key, phone](size, nil)
	s.balances, _ = simplelru.NewLRU[key, balance](size, nil)
	s.levels, _ = simplelru.NewLRU[key, level](size, nil)
	return s
}

func (s *Memory) key(parts ...string) key {
	var h uint64
	for _, part := range parts {
		h = bits.RotateLeft64(h, 17)*0x9e3779b97f4a7c15 ^ maphash.String(s.seed, part)
	}
	return key(h)
}

func (s *Memory) limit(l Limit) key { return s.key("limit", l.Name, l.Interval.String(), l.Value) }

// Do implements [Store]. It never fails.
func (s *Memory) Do(_ context.Context, e *Event) (v Verdict, _ error) {
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
		if v = t.send(); v.By != Nothing && !e.Force {
			return v, nil
		}
	case Undo:
		t.undo()
	case Told:
		t.told()
	case Code:
		t.code()
	case Guess:
		if v = t.guess(); v.By != Nothing {
			return v, nil
		}
	case Clear:
		guesses.add(&t.person.guesses, t.now, -1)
	}
	if t.person.over(t.now) {
		s.persons.Remove(t.member)
	} else {
		s.persons.Add(t.member, t.person)
	}
	if t.number != 0 {
		s.phones.Add(t.number, t.phone)
	}
	if t.credit.n != t.creditBefore {
		s.balances.Add(t.org, t.credit)
	}
	return v, nil
}

// turn looks up what an event is about.
func (s *Memory) turn(e *Event) *turn {
	t := &turn{Event: e, s: s, now: e.At, member: s.key("member", e.Member[0], e.Member[1]), org: s.key("organization", e.Member[0])}
	if e.At <= 0 {
		t.now += s.now().UnixMilli()
	}
	t.person, _ = s.persons.Get(t.member)
	p := &t.person
	p.trusted = min(p.trusted, t.now+trustLasts.Milliseconds()) // The clock may have been set back.
	if t.now-p.sent >= together.Milliseconds() {
		p.charged, p.pooled = 0, 0
	}
	switch {
	case e.Number != "":
		t.number = s.key("number", e.Number)
	case p.trusted > t.now && p.pooled == 0:
		t.number = p.number
	default:
		t.number = p.to
	}
	t.phone, _ = s.phones.Get(t.number)
	t.credit, _ = s.balances.Get(t.org)
	t.credit.add(t.now, 0)
	t.creditBefore = t.credit.n
	return t
}

// Len returns how many Members, numbers, Organizations and limits the store holds.
func (s *Memory) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.persons.Len() + s.phones.Len() + s.balances.Len() + s.levels.Len()
}
