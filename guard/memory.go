package guard

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"
)

// A MemoryStore is a [Store] in this process's memory. It starts no goroutine:
// what is over is dropped when room is needed.
type MemoryStore struct {
	seeds [2]maphash.Seed
	limit int
	now   func() time.Time

	mu      sync.Mutex
	persons map[key]*person
	counts  map[key]*count
}

// A key stands for a Member, a number or a bucket. Of 128 bits with a seed of the
// process's own, no two are alike.
type key [2]uint64

// NewMemoryStore makes a Store that keeps at most maxKeys Members and counts;
// each takes about 150 bytes. When they do not suffice, it forgets first what is
// over first: Members who never entered a code before those who did. It is an
// error if maxKeys is less than 100.
func NewMemoryStore(maxKeys int) (*MemoryStore, error) {
	if maxKeys < 100 {
		return nil, errors.New("guard: NewMemoryStore: maxKeys must be at least 100")
	}
	return newMemoryStore(maxKeys, time.Now), nil
}

func newMemoryStore(maxKeys int, now func() time.Time) *MemoryStore {
	return &MemoryStore{
		seeds:   [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		limit:   maxKeys,
		now:     now,
		persons: map[key]*person{},
		counts:  map[key]*count{},
	}
}

func (s *MemoryStore) key(name string, subject [2]string) (k key) {
	for i, seed := range s.seeds {
		h := maphash.String(seed, name)
		h = h*0x9e3779b97f4a7c15 + maphash.String(seed, subject[0]) // odd: nothing is lost
		h = h*0x9e3779b97f4a7c15 + maphash.String(seed, subject[1])
		k[i] = h
	}
	return k
}

func (s *MemoryStore) number(number string) key {
	if number == "" {
		return key{}
	}
	return s.key("number", [2]string{number})
}

// Take implements [Store]. It never fails. It does not remember IDs: no answer of
// it can be lost.
func (s *MemoryStore) Take(_ context.Context, c *Claim) (Verdict, error) {
	var room [maxBuckets]count
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixMilli()

	p := s.person(c, now)
	number := s.number(c.Number)
	v := Verdict{Allowed: true, By: -1, Before: p.until, Trusted: p.trusts(now, number)}
	if p.until > now {
		v.Allowed, v.Wait = false, time.Duration(p.until-now)*time.Millisecond
	}
	counts := room[:len(c.Buckets)]
	evidence := 0
	if c.Number == "" && p.charged == 0 {
		evidence = 1
	}
	for i, b := range c.Buckets {
		if v.Trusted && b.Rule.Budget {
			continue
		}
		counts[i] = s.count(b, now)
		if counts[i].speaks(b.Rule, now) {
			evidence |= b.Rule.Evidence
		}
	}
	v.Charged = !v.Trusted && !c.Free
	for i, b := range c.Buckets {
		n := b.counts(v.Charged)
		if n == 0 || b.Rule.Soft {
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
		case v.Allowed && b.Rule.Budget && (counts[i].sms+n)*v.Max >= v.Count*most:
			v.Count, v.Max, v.Verified = counts[i].sms+n, most, counts[i].verified
		}
	}
	if !v.Allowed && !c.Force {
		if p.back {
			s.keepPerson(c, p) // or else the wait would begin anew with each Send
		}
		for i, b := range c.Buckets {
			if b.Rule.Soft && v.By >= 0 && c.Buckets[v.By].Rule.Budget {
				s.keepCount(b, counts[i], 1)
			}
		}
		v.Charged = false
		return v, nil
	}

	p.sends++
	p.until = now + wait(c.Cooldown, p.sends)
	p.charge(v.Charged, 1)
	v.Until = p.until
	s.keepPerson(c, p)
	for i, b := range c.Buckets {
		if n := b.counts(v.Charged); n > 0 {
			s.keepCount(b, counts[i], n)
		}
	}
	return v, nil
}

// Settle implements [Store]. It never fails.
func (s *MemoryStore) Settle(_ context.Context, c *Claim, v Verdict, end End) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixMilli()
	p := s.person(c, now)
	if !end.Sent {
		for _, b := range c.Buckets {
			if n := b.counts(v.Charged); n > 0 {
				s.keepCount(b, s.count(b, now), -n)
			}
		}
		p.charge(v.Charged, -1)
		if end.Refused {
			p.refusals++
		}
		if p.until == v.Until && p.refusals <= freeRefusals {
			p.until = v.Before
			p.sends = max(0, p.sends-1)
		}
		s.keepPerson(c, p)
		return nil
	}

	actual := c
	if end.Actual != nil {
		actual = end.Actual
	}
	if actual.Member != c.Member { // It was named in another way: the wait stays there, too.
		p.charge(v.Charged, -1)
		s.keepPerson(c, p)
		until := p.until
		p = s.person(actual, now)
		p.sends++
		p.charge(v.Charged, 1)
		p.until = max(p.until, until)
	}
	s.move(c, actual, v.Charged, now)
	number := s.number(actual.Number)
	switch {
	case end.Verified:
		proved := s.proves(actual, now)
		p.trust(now, number, proved)
		p.charge(v.Charged, -1)
		for _, b := range actual.Buckets {
			if b.Rule.Budget {
				n := s.count(b, now)
				if proved {
					n.known = now
				}
				s.keepCount(b, n, -b.counts(v.Charged))
			}
		}
	case v.Trusted && p.number != number: // It went to a number that nobody verified.
		p.trusted = 0
		p.charge(true, 1)
		for _, b := range actual.Buckets {
			if b.Rule.Budget {
				s.keepCount(b, s.count(b, now), 1)
			}
		}
	}
	s.keepPerson(actual, p)
	return nil
}

// Verify implements [Store]. It never fails.
func (s *MemoryStore) Verify(_ context.Context, c *Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixMilli()
	p := s.person(c, now)
	proved := s.proves(c, now)
	for _, b := range c.Buckets {
		if !b.Rule.Budget {
			continue
		}
		n := s.count(b, now)
		if proved {
			n.known = now
		}
		if proved && p.charged > 0 || b.Rule.Scope == PerPhoneNumber {
			n.verified++
		}
		s.keepCount(b, n, -float64(p.charged))
	}
	p.trust(now, s.number(c.Number), proved)
	p.charged, p.until, p.sends, p.refusals = 0, 0, 0, 0
	s.keepPerson(c, p)
	return nil
}

// move counts in the buckets of the second claim what is counted in those of the
// first.
func (s *MemoryStore) move(from, to *Claim, charged bool, now int64) {
	if from == to {
		return
	}
	for _, b := range from.Buckets {
		if n := b.counts(charged); n > 0 && !to.has(b) {
			s.keepCount(b, s.count(b, now), -n)
		}
	}
	for _, b := range to.Buckets {
		if n := b.counts(charged); n > 0 && !from.has(b) {
			s.keepCount(b, s.count(b, now), n)
		}
	}
}

// proves reports whether a code verified on the claim's number speaks for its
// Organization and range: one phone cannot speak for everybody.
func (s *MemoryStore) proves(c *Claim, now int64) bool {
	for _, b := range c.Buckets {
		if b.Rule.Budget && b.Rule.Scope == PerPhoneNumber {
			n := s.count(b, now)
			return n.verified < provingCodes
		}
	}
	return true
}

// person returns what is known of a claim's Member.
func (s *MemoryStore) person(c *Claim, now int64) person {
	p := person{at: now}
	if old := s.persons[s.key("", c.Member)]; old != nil {
		p = *old
		p.advance(now, c.Cooldown)
	}
	return p
}

func (s *MemoryStore) keepPerson(c *Claim, p person) {
	k := s.key("", c.Member)
	if old := s.persons[k]; old != nil {
		*old = p
		return
	}
	s.makeRoom()
	s.persons[k] = &p
}

// count returns a bucket's content.
func (s *MemoryStore) count(b Bucket, now int64) count {
	n := count{at: now}
	if old := s.counts[s.key(b.Rule.Name, b.Subject)]; old != nil {
		n = *old
		n.advance(now, b.Rule)
	}
	return n
}

// keepCount keeps a bucket's content, and n SMS more.
func (s *MemoryStore) keepCount(b Bucket, c count, n float64) {
	c.add(n, b.Rule)
	k := s.key(b.Rule.Name, b.Subject)
	if old := s.counts[k]; old != nil {
		*old = c
		return
	}
	s.makeRoom()
	s.counts[k] = &c
}

// makeRoom drops what is over, of a few at random, or else the one of them that
// is over first.
func (s *MemoryStore) makeRoom() {
	if len(s.persons)+len(s.counts) < s.limit {
		return
	}
	now := s.now().UnixMilli()
	if len(s.persons) >= len(s.counts) {
		drop(s.persons, now, (*person).end)
	} else {
		drop(s.counts, now, (*count).end)
	}
}

func drop[T any](m map[key]*T, now int64, end func(*T) int64) {
	seen, dropped := 0, false
	var first key
	var least int64
	for k, v := range m {
		if end := end(v); end <= now {
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
func (s *MemoryStore) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.persons) + len(s.counts)
}
