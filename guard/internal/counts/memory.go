package counts

import (
	"context"
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

// A Memory is a [Store] in this process's memory. It starts no goroutine: what is
// over is dropped when room is needed.
type Memory struct {
	seed maphash.Seed
	most int
	now  func() time.Time

	mu       sync.Mutex
	pool     level
	persons  map[key]person
	phones   map[key]phone
	balances map[key]balance // of Organizations
	levels   map[key]level   // of limits
}

// A key stands for a Member, a number, an Organization or a limit. Its seed is the
// process's own, so that nobody can make two alike; that two of a million are by
// chance has a probability of one in 30 million.
type key uint64

// NewMemory makes a Memory that keeps at most so many Members, numbers,
// Organizations and limits, of up to 160 bytes each. When it is full, it first
// forgets what would be over first.
func NewMemory(most int, now func() time.Time) *Memory {
	return &Memory{
		seed:     maphash.MakeSeed(),
		most:     most,
		now:      now,
		persons:  map[key]person{},
		phones:   map[key]phone{},
		balances: map[key]balance{},
		levels:   map[key]level{},
	}
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
			v.By = Nothing // The first SMS after a code needs no answer to the one before.
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
	s.end(t)
	return v, nil
}

// turn looks up what an event is about.
func (s *Memory) turn(e *Event) *turn {
	t := &turn{Event: e, s: s, now: e.At, member: s.key("member", e.Member[0], e.Member[1]), org: s.key("organization", e.Member[0])}
	if e.At <= 0 {
		t.now += s.now().UnixMilli()
	}
	t.person = s.persons[t.member]
	p := &t.person
	p.trusted = min(p.trusted, t.now+trustLasts.Milliseconds()) // The clock may have been set back.
	if t.now-p.sent >= day.Milliseconds() {
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
	t.phone = s.phones[t.number]
	t.credit = s.balances[t.org]
	t.credit.add(t.now, 0)
	t.creditBefore = t.credit.n
	return t
}

// end keeps what has become of it.
func (s *Memory) end(t *turn) {
	keep(s, s.persons, t.member, t.person, t.now)
	s.keepPhone(t.number, t.phone, t.now)
	if t.credit.n != t.creditBefore {
		keep(s, s.balances, t.org, t.credit, t.now)
	}
}

func (s *Memory) keepPhone(k key, p phone, now int64) {
	if k != 0 {
		keep(s, s.phones, k, p, now)
	}
}

// addLimit counts n Sends more.
func (s *Memory) addLimit(l Limit, now int64, n float64) {
	k := s.limit(l)
	v := s.levels[k]
	l.leaky().add(&v, now, n)
	keep(s, s.levels, k, v, now)
}

// The ends of what is known: when it may be forgotten.

func (p person) end() int64 {
	if p.row == 0 {
		return max(p.trusted, int64(p.guesses))
	}
	return max(p.trusted, int64(p.guesses), p.sent+rowLasts.Milliseconds())
}
func (p phone) end() int64 {
	return max(int64(p.open), int64(p.codes), p.entered+speaksAgain.Milliseconds())
}
func (b balance) end() int64 { return b.at + organizationLasts.Milliseconds() }
func (v level) end() int64   { return int64(v) }

// keep keeps a value. If there is no room, it drops what is over, of a few at
// random of the largest map, or else the one that is over first.
func keep[V interface{ end() int64 }](s *Memory, m map[key]V, k key, v V, now int64) {
	if v.end() <= now {
		delete(m, k)
		return
	}
	if _, ok := m[k]; !ok && s.len() >= s.most {
		switch most := s.len() / 4; {
		case len(s.persons) >= most:
			drop(s.persons, now)
		case len(s.phones) >= most:
			drop(s.phones, now)
		case len(s.balances) >= most:
			drop(s.balances, now)
		default:
			drop(s.levels, now)
		}
	}
	m[k] = v
}

func drop[V interface{ end() int64 }](m map[key]V, now int64) {
	seen, dropped := 0, false
	var first key
	var least int64
	for k, v := range m {
		if end := v.end(); end <= now {
			delete(m, k)
			dropped = true
		} else if seen == 0 || end < least {
			first, least = k, end
		}
		if seen++; seen == 16 {
			break
		}
	}
	if !dropped {
		delete(m, first)
	}
}

func (s *Memory) len() int { return len(s.persons) + len(s.phones) + len(s.balances) + len(s.levels) }

// Len returns how many Members, numbers, Organizations and limits the store holds,
// over or not.
func (s *Memory) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.len()
}
