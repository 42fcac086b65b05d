package guard

import (
	"context"
	"errors"
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

// A MemoryStore is a [Store] in this process's memory. It starts no goroutine:
// what is over is dropped when room is needed.
type MemoryStore struct {
	seeds  [2]maphash.Seed
	shards [shards]shard
	limit  int // of keys in a shard
}

const shards = 64 // One bit each of a uint64 says which a Take needs.

type shard struct {
	mu      sync.Mutex
	windows map[key]*window
	_       [40]byte // keeps neighbors off one cache line
}

// A key stands for a claim's limit and subject. Of 128 bits with a seed of the
// process's own, no two are alike.
type key [2]uint64

type window struct {
	end int64 // Unix time in nanoseconds
	n   int
}

// NewMemoryStore makes a Store that keeps at most maxKeys counters, rounded up
// to a multiple of 64; each takes about 100 bytes. When they do not suffice, the
// counters closest to their end are dropped first: an attacker who fills the
// store wins back the last moments of a window. It is an error if maxKeys is not
// positive.
func NewMemoryStore(maxKeys int) (*MemoryStore, error) {
	if maxKeys <= 0 {
		return nil, errors.New("guard: NewMemoryStore: maxKeys must be more than 0")
	}
	s := &MemoryStore{limit: (maxKeys + shards - 1) / shards}
	for i := range s.seeds {
		s.seeds[i] = maphash.MakeSeed()
	}
	for i := range s.shards {
		s.shards[i].windows = map[key]*window{}
	}
	return s, nil
}

// maxClaims is how many claims a Take has room for without allocating.
const maxClaims = 16

func (s *MemoryStore) key(c *Claim) key {
	var k key
	for i, seed := range s.seeds {
		h := maphash.String(seed, c.Limit)
		h = h*0x9e3779b97f4a7c15 + maphash.String(seed, c.Subject[0]) // odd: nothing is lost
		h = h*0x9e3779b97f4a7c15 + maphash.String(seed, c.Subject[1])
		k[i] = h
	}
	return k
}

func (s *MemoryStore) shard(k key) *shard { return &s.shards[k.shard()] }

// shard is of the high bits, which mix best.
func (k key) shard() uint64 { return k[0] >> 58 }

// lock locks the shards of the keys, in one order for all callers.
func (s *MemoryStore) lock(keys []key) (unlock uint64) {
	for _, k := range keys {
		unlock |= 1 << k.shard()
	}
	for rest := unlock; rest != 0; rest &= rest - 1 {
		s.shards[bits.TrailingZeros64(rest)].mu.Lock()
	}
	return unlock
}

func (s *MemoryStore) unlock(locked uint64) {
	for ; locked != 0; locked &= locked - 1 {
		s.shards[bits.TrailingZeros64(locked)].mu.Unlock()
	}
}

// Take implements [Store]. It never fails.
func (s *MemoryStore) Take(_ context.Context, claims []Claim) (full int, wait time.Duration, err error) {
	var room [maxClaims]key
	keys := room[:0]
	for i := range claims {
		keys = append(keys, s.key(&claims[i]))
	}
	locked := s.lock(keys)
	defer s.unlock(locked)
	now := time.Now().UnixNano()
	var found [maxClaims]*window
	windows := found[:0]
	full = -1
	for i, k := range keys {
		w := s.shard(k).windows[k]
		windows = append(windows, w)
		if w == nil {
			continue
		}
		if left := time.Duration(w.end - now); left > 0 && w.n >= claims[i].N && left > wait {
			full, wait = i, left
		}
	}
	if full >= 0 {
		return full, wait, nil
	}
	for i, w := range windows {
		if w == nil {
			w = s.shard(keys[i]).add(keys[i], now, s.limit)
		}
		if w.end <= now {
			*w = window{end: now + int64(claims[i].Interval)}
		}
		w.n++
		claims[i].Window = w.end
	}
	return -1, 0, nil
}

// Give implements [Store]. It never fails.
func (s *MemoryStore) Give(_ context.Context, claims []Claim) error {
	var room [maxClaims]key
	keys := room[:0]
	for i := range claims {
		keys = append(keys, s.key(&claims[i]))
	}
	locked := s.lock(keys)
	defer s.unlock(locked)
	for i, k := range keys {
		sh := s.shard(k)
		w := sh.windows[k]
		switch {
		case w == nil || w.end != claims[i].Window: // Another window, or none.
		case w.n > 1:
			w.n--
		default:
			delete(sh.windows, k)
		}
	}
	return nil
}

// add makes a counter, and room for it.
func (sh *shard) add(k key, now int64, limit int) *window {
	if w := sh.windows[k]; w != nil {
		return w // Another claim of this Take has added it.
	}
	if len(sh.windows) >= limit {
		sh.makeRoom(now)
	}
	w := &window{}
	sh.windows[k] = w
	return w
}

// makeRoom drops windows that are over, of a few at random, or else the one of
// them that is over first.
func (sh *shard) makeRoom(now int64) {
	seen, dropped := 0, false
	var first key
	var end int64
	for k, w := range sh.windows {
		if w.end <= now {
			delete(sh.windows, k)
			dropped = true
		} else if seen == 0 || w.end < end {
			first, end = k, w.end
		}
		if seen++; seen == 16 {
			break
		}
	}
	if !dropped {
		delete(sh.windows, first)
	}
}

// Len returns the number of counters that the store holds, over or not.
func (s *MemoryStore) Len() (n int) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		n += len(sh.windows)
		sh.mu.Unlock()
	}
	return n
}
