package counts

import (
	"context"
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

// A Memory is a [Store] in this process's memory. It starts no goroutine: what has
// expired is dropped when room is needed.
type Memory struct {
	seed  maphash.Seed
	limit int
	now   func() time.Time

	mu      sync.Mutex
	persons map[key]person
	counts  map[key]count
}

// A key stands for a Member, a number or a bucket. Its seed is the process's own,
// so that nobody can make two alike; that two of a million are by chance has a
// probability of one in 30 million.
type key uint64

// NewMemory makes a Memory that keeps at most maxKeys Members and counts; each
// takes up to 160 bytes. When it is full, it first forgets what would expire
// first: Members who never entered a code before those who did.
func NewMemory(maxKeys int, now func() time.Time) *Memory {
	return &Memory{
		seed:    maphash.MakeSeed(),
		limit:   maxKeys,
		now:     now,
		persons: map[key]person{},
		counts:  map[key]count{},
	}
}

func (s *Memory) key(name string, subject [2]string) key {
	h := maphash.String(s.seed, name)
	for _, part := range subject {
		h = bits.RotateLeft64(h, 17)*0x9e3779b97f4a7c15 ^ maphash.String(s.seed, part)
	}
	return key(h)
}

func (s *Memory) number(number string) key {
	if number == "" {
		return 0
	}
	return s.key("number", [2]string{number})
}

// Take implements [Store]. It never fails. It does not remember IDs: no answer of
// it can be lost.
func (s *Memory) Take(_ context.Context, c *Claim) (Verdict, error) {
	var keys [MaxBuckets]key
	var counts [MaxBuckets]count
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixMilli()

	k, p := s.person(c, now)
	number := s.number(c.Number)
	v := Verdict{Allowed: true, By: -1, Before: p.until, Trusted: p.trusts(now, number)}
	if p.until > now {
		v.Allowed, v.Wait = false, time.Duration(p.until-now)*time.Millisecond
	}
	evidence := 0
	if c.Number == "" && p.charged == 0 {
		evidence = 1
	}
	for i, b := range c.Buckets {
		if v.Trusted && b.Rule.Kind.budget() {
			continue
		}
		keys[i], counts[i] = s.count(b, now)
		evidence |= counts[i].evidence(b.Rule, now)
	}
	v.Charged = !v.Trusted && !c.Free
	for i, b := range c.Buckets {
		n := b.counts(v.Charged)
		if n == 0 || !b.Rule.Kind.refuses() {
			continue
		}
		most := counts[i].room(b.Rule, evidence)
		switch full := counts[i].sms+n > most; {
		case full:
			left := counts[i].wait(b.Rule, n, most)
			if v.Allowed || left > v.Wait {
				v.Allowed, v.By, v.Wait = false, i, left
				v.Count, v.Max, v.Verified = counts[i].sms, most, counts[i].verified
			}
		case v.Allowed && b.Rule.Kind.budget() && v.Max == 0:
			v.Count, v.Max, v.Verified = counts[i].sms+n, most, counts[i].verified
		}
	}
	if !v.Allowed && !c.Force {
		if p.back {
			s.keepPerson(k, p) // or else the wait would begin anew with each Send
		}
		for i, b := range c.Buckets {
			if b.Rule.Kind == Block && v.By >= 0 && c.Buckets[v.By].Rule.Kind.budget() {
				s.keepCount(keys[i], b.Rule, counts[i], 1)
			}
		}
		v.Charged = false
		return v, nil
	}

	p.sent(c.Free)
	p.until = now + wait(c.Cooldown, p.sends)
	if v.Charged {
		p.chargeTo(number, 0)
	}
	p.charge(v.Charged, 1)
	v.Until = p.until
	s.keepPerson(k, p)
	for i, b := range c.Buckets {
		if n := b.counts(v.Charged); n > 0 {
			s.keepCount(keys[i], b.Rule, counts[i], n)
		}
	}
	return v, nil
}

// Settle implements [Store]. It never fails.
func (s *Memory) Settle(_ context.Context, c *Claim, v Verdict, end End) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixMilli()
	k, p := s.person(c, now)
	if p.charged == 0 {
		v.Charged = false // A code was verified meanwhile, and it is given back.
	}
	if !end.Sent {
		for _, b := range c.Buckets {
			s.add(b, now, -b.counts(v.Charged))
		}
		p.charge(v.Charged, -1)
		p.unanswered = max(0, p.unanswered-1)
		if end.Refused {
			p.refusals++
		}
		if p.until == v.Until && p.refusals <= freeRefusals {
			p.until = v.Before
			p.sends = max(0, p.sends-1)
		}
		s.keepPerson(k, p)
		return nil
	}

	actual := c
	if end.Actual != nil {
		actual = end.Actual
	}
	if actual.Member != c.Member { // It was named in another way: the wait stays there, too.
		p.charge(v.Charged, -1)
		s.keepPerson(k, p)
		until := p.until
		k, p = s.person(actual, now)
		p.sent(c.Free)
		p.charge(v.Charged, 1)
		p.until = max(p.until, until)
	}
	s.move(c, actual, v.Charged, now)
	number := s.number(actual.Number)
	if v.Charged {
		p.chargeTo(number, 1)
	}
	switch {
	case end.Verified && p.unanswered <= patience:
		p.trust(now, number)
		p.charge(v.Charged, -1)
		for _, b := range actual.Buckets {
			if b.Rule.Kind.budget() {
				k, n := s.count(b, now)
				n.known = now
				s.keepCount(k, b.Rule, n, -b.counts(v.Charged))
			}
		}
	case v.Trusted && number != 0 && number != p.number: // It went to a number that nobody verified.
		p.trusted = 0
		p.chargeTo(number, 0)
		p.charge(true, 1)
		for _, b := range actual.Buckets {
			if b.Rule.Kind.budget() {
				s.add(b, now, 1)
			}
		}
	}
	s.keepPerson(k, p)
	return nil
}

// Verify implements [Store]. It never fails.
func (s *Memory) Verify(_ context.Context, c *Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixMilli()
	k, p := s.person(c, now)
	number := s.number(c.Number)
	p.chargeTo(number, 0)
	if number == 0 {
		number = p.to
	}
	for _, b := range c.Buckets {
		if !b.Rule.Kind.budget() {
			continue
		}
		k, n := s.count(b, now)
		n.known = now
		if p.charged > 0 || b.Rule.Kind == Organization {
			n.verified++
		}
		s.keepCount(k, b.Rule, n, -float64(p.charged))
	}
	p.trust(now, number)
	p.charged, p.until, p.sends, p.unanswered, p.refusals = 0, 0, 0, 0, 0
	s.keepPerson(k, p)
	return nil
}

// move counts in the budgets of the second claim what is counted in those of the
// first. Limits hear of no answer: or else Members who have somebody's number on
// file would use up its limit.
func (s *Memory) move(from, to *Claim, charged bool, now int64) {
	if from == to {
		return
	}
	for _, b := range from.Buckets {
		if b.Rule.Kind.budget() && !to.has(b) {
			s.add(b, now, -b.counts(charged))
		}
	}
	for _, b := range to.Buckets {
		if b.Rule.Kind.budget() && !from.has(b) {
			s.add(b, now, b.counts(charged))
		}
	}
}

// person returns what is known of a claim's Member.
func (s *Memory) person(c *Claim, now int64) (key, person) {
	k := s.key("", c.Member)
	p, ok := s.persons[k]
	if !ok {
		return k, person{at: now}
	}
	p.advance(now, c.Cooldown)
	return k, p
}

func (s *Memory) keepPerson(k key, p person) {
	if s.full() {
		if _, ok := s.persons[k]; !ok {
			s.makeRoom()
		}
	}
	s.persons[k] = p
}

// count returns a bucket's content.
func (s *Memory) count(b Bucket, now int64) (key, count) {
	k := s.key(b.Rule.Name, b.Subject)
	n, ok := s.counts[k]
	if !ok {
		return k, count{at: now}
	}
	n.advance(now, b.Rule)
	return k, n
}

// keepCount keeps a bucket's content, and n SMS more.
func (s *Memory) keepCount(k key, r *Rule, c count, n float64) {
	c.add(n, r)
	if s.full() {
		if _, ok := s.counts[k]; !ok {
			s.makeRoom()
		}
	}
	s.counts[k] = c
}

// add counts n SMS more in a bucket.
func (s *Memory) add(b Bucket, now int64, n float64) {
	if n != 0 {
		k, c := s.count(b, now)
		s.keepCount(k, b.Rule, c, n)
	}
}

func (s *Memory) full() bool { return len(s.persons)+len(s.counts) >= s.limit }

// makeRoom drops what is over, of a few at random, or else the one of them that
// is over first.
func (s *Memory) makeRoom() {
	now := s.now().UnixMilli()
	if len(s.persons) >= len(s.counts) {
		drop(s.persons, now)
	} else {
		drop(s.counts, now)
	}
}

func drop[T interface{ end() int64 }](m map[key]T, now int64) {
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

// Len returns how many Members and counts the store holds, over or not.
func (s *Memory) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.persons) + len(s.counts)
}
