package guard

import (
	"hash/maphash"
	"sync"
)

// A cache is a map of bounded size. When it is full, it forgets at random.
type cache[K comparable, V any] struct {
	seed   maphash.Seed
	limit  int // of a shard
	shards [16]struct {
		mu sync.RWMutex
		m  map[K]V
	}
}

func newCache[K comparable, V any](size int) *cache[K, V] {
	c := &cache[K, V]{seed: maphash.MakeSeed()}
	c.limit = max(1, size/len(c.shards))
	for i := range c.shards {
		c.shards[i].m = map[K]V{}
	}
	return c
}

func (c *cache[K, V]) get(k K) (v V, ok bool) {
	sh := &c.shards[maphash.Comparable(c.seed, k)%uint64(len(c.shards))]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	v, ok = sh.m[k]
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	sh := &c.shards[maphash.Comparable(c.seed, k)%uint64(len(c.shards))]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, ok := sh.m[k]; !ok && len(sh.m) >= c.limit {
		for old := range sh.m { // Go's order is random.
			delete(sh.m, old)
			break
		}
	}
	sh.m[k] = v
}
