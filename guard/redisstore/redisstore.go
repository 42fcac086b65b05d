// Package redisstore is a store for package guard that several processes share,
// in Redis 6.2 or newer or Valkey: alone, with Sentinel, or as a cluster.
//
//	client := redis.NewClient(&redis.Options{Addr: "redis:6379", ContextTimeoutEnabled: true})
//	store, err := redisstore.New(client, "stytchb2b", hmacKey)
//	// ...
//	g, err := guard.New(guard.Recommended("US", "CA"), guard.WithStore(store))
//
// # Options of the client
//
// A Guard waits for an answer for at most guard.DefaultStoreTimeout.
// ContextTimeoutEnabled makes the call end then, too. Without it, a call holds its
// connection for ReadTimeout, by default 3 seconds. The default pool, of ten
// connections per CPU, is large enough: a decision takes a fraction of a
// millisecond.
//
// Keep the default of MaxRetries. If an answer is lost, go-redis asks again; the
// store gives the same answer and counts nothing.
//
// Keep the default of ClusterStateReloadInterval. When a cluster does not answer,
// the store has its client look for the new master at once.
//
// go-redis writes its own log to stderr. [redis.SetLogger] sends it elsewhere: see
// the example.
//
// # The server
//
// Set maxmemory-policy to noeviction: an evicted key is a count that starts anew,
// or a Member whose code is forgotten. The README has the line for an ACL.
//
// With appendonly or snapshots, the counts survive a restart of the server.
// Otherwise all counts start anew, and Stytch's answers show again whose numbers
// are verified.
package redisstore

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

type store struct {
	client redis.Scripter
	prefix string
	key    []byte
	now    func() int64 // Unix milliseconds; 0 for the server's clock
}

// New makes a store for guard.WithStore. It is safe for concurrent use. A decision
// is one round trip, by the server's clock. Everything expires. A Member who has
// entered a code takes about 1 kB for a month.
//
// The keys begin with prefix, which must not hold a brace. All of them have one
// hash tag, and so are in one slot of a Redis Cluster: a decision covers several
// keys and must be atomic. One slot takes thousands of decisions a second. If you
// need more, use one store, with its own prefix, for each group of Organizations.
//
// No phone number or ID is stored, only their HMAC-SHA-256 with hmacKey: a secret of
// at least 16 bytes that all processes share and that must not be in Redis. With
// another key, all counts start anew.
func New(client redis.Scripter, prefix string, hmacKey []byte) (counts.Store, error) {
	switch {
	case client == nil:
		return nil, errors.New("redisstore: client must not be nil")
	case prefix == "" || strings.ContainsAny(prefix, "{}"):
		return nil, errors.New("redisstore: prefix must not be empty or hold a brace")
	case len(hmacKey) < 16:
		return nil, errors.New("redisstore: hmacKey must have at least 16 bytes")
	}
	return &store{
		client: client,
		prefix: "{" + prefix + "}:",
		key:    bytes.Clone(hmacKey),
		now:    func() int64 { return 0 },
	}, nil
}

//go:embed rules.lua
var rulesLua string

//go:embed take.lua
var takeLua string

//go:embed settle.lua
var settleLua string

//go:embed verify.lua
var verifyLua string

var (
	take   = redis.NewScript(rulesLua + takeLua)
	settle = redis.NewScript(rulesLua + settleLua)
	verify = redis.NewScript(rulesLua + verifyLua)
)

// A verdict is a [counts.Verdict] as the script packs it.
type verdict struct {
	Allowed, By, Wait, Trusted, Charged, Count, Max, Verified, Until, Before float64
}

// Take decides on a Send, for the Guard.
func (s *store) Take(ctx context.Context, c *counts.Claim) (counts.Verdict, error) {
	keys, number := s.keys(c)
	answer, err := take.Run(ctx, s.client, append([]string{s.id(c)}, keys...),
		s.now(), c.Cooldown.Milliseconds(), number, c.Force, c.Free, rules(c)).Text()
	if err != nil {
		return counts.Verdict{}, s.failed(ctx, err)
	}
	var v verdict
	if n, err := binary.Decode([]byte(answer), binary.LittleEndian, &v); err != nil || n != len(answer) || v.By >= float64(len(c.Buckets)) {
		return counts.Verdict{}, fmt.Errorf("redisstore: the script's answer of %d bytes is not a verdict", len(answer))
	}
	return counts.Verdict{
		Allowed:  v.Allowed == 1,
		By:       int(max(-1, v.By)),
		Wait:     time.Duration(v.Wait) * time.Millisecond,
		Trusted:  v.Trusted == 1,
		Charged:  v.Charged == 1,
		Count:    v.Count,
		Max:      v.Max,
		Verified: v.Verified,
		Until:    int64(v.Until),
		Before:   int64(v.Before),
	}, nil
}

// Settle tells how a Send ended, for the Guard. The verdict is the one that Redis remembers,
// for ten minutes at least.
func (s *store) Settle(ctx context.Context, c *counts.Claim, _ counts.Verdict, end counts.End) error {
	actual := c
	if end.Actual != nil {
		actual = end.Actual
	}
	keys, _ := s.keys(c)
	actualKeys, number := s.keys(actual)
	keys = append(append([]string{s.id(c)}, keys...), actualKeys...)
	err := settle.Run(ctx, s.client, keys,
		s.now(), c.Cooldown.Milliseconds(), number, end.Sent, end.Refused, end.Verified, c.Free, rules(c), rules(actual)).Err()
	if err != nil {
		return s.failed(ctx, err)
	}
	return nil
}

// Verify tells of a code that was entered, for the Guard.
func (s *store) Verify(ctx context.Context, c *counts.Claim) error {
	keys, number := s.keys(c)
	err := verify.Run(ctx, s.client, append([]string{s.id(c)}, keys...),
		s.now(), c.Cooldown.Milliseconds(), number, rules(c)).Err()
	if err != nil {
		return s.failed(ctx, err)
	}
	return nil
}

// failed returns an error of Redis's as one of the store's. In a cluster, another
// node may answer now for the slot: go-redis asks for that once in a while only.
func (s *store) failed(ctx context.Context, err error) error {
	if cluster, ok := s.client.(interface{ ReloadState(context.Context) }); ok {
		cluster.ReloadState(ctx)
	}
	return fmt.Errorf("redisstore: %w", err)
}

// id names the key of a decision.
func (s *store) id(c *counts.Claim) string {
	return fmt.Sprintf("%s%016x%016x", s.prefix, c.ID[0], c.ID[1])
}

// keys names the keys of a claim: the Member's, and those of the buckets. number
// stands for the claim's; it is empty where that is not known.
func (s *store) keys(c *counts.Claim) (keys []string, number string) {
	mac := hmac.New(sha256.New, s.key)
	var text, sum, key []byte
	name := func(parts ...string) []byte {
		text = text[:0]
		for _, part := range parts {
			text = strconv.AppendInt(text, int64(len(part)), 10)
			text = append(text, ':')
			text = append(text, part...)
		}
		mac.Reset()
		mac.Write(text)
		sum = mac.Sum(sum[:0])
		return sum[:16]
	}
	add := func(what string, subject [2]string) {
		key = append(key[:0], s.prefix...)
		key = hex.AppendEncode(key, name(what, subject[0], subject[1]))
		keys = append(keys, string(key))
	}
	keys = make([]string, 0, 1+len(c.Buckets))
	add("member", c.Member)
	for _, b := range c.Buckets {
		add(b.Rule.Name, b.Subject)
	}
	if c.Number != "" {
		number = string(name("number", c.Number))
	}
	return keys, number
}

// rules packs the rules of a claim's buckets, as the scripts read them.
func rules(c *counts.Claim) []byte {
	packed := make([]byte, 0, 25*len(c.Buckets))
	for _, b := range c.Buckets {
		for _, x := range []float64{b.Rule.Max, b.Rule.Leak, b.Rule.Growth} {
			packed = binary.LittleEndian.AppendUint64(packed, math.Float64bits(x))
		}
		packed = append(packed, byte(b.Rule.Kind))
	}
	return packed
}
