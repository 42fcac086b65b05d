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
// store counts the SMS once.
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
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// A Store is where several processes count together. It is safe for concurrent use.
type Store struct {
	client redis.Scripter
	prefix string
	key    []byte
}

// New makes a store for guard.WithStore. It is safe for concurrent use. A decision
// is one round trip, by the server's clock. Everything expires. A Member who has
// entered a code is kept for 90 days.
//
// The keys begin with prefix, which must not hold a brace. All of them have one
// hash tag, and so are in one slot of a Redis Cluster: a decision covers several
// keys and must be atomic. One slot takes thousands of decisions a second. If you
// need more, use one store, with its own prefix, for each group of Organizations.
//
// No phone number or ID is stored, only their HMAC-SHA-256 with hmacKey: a secret of
// at least 16 bytes that all processes share and that must not be in Redis. With
// another key, all counts start anew.
func New(client redis.Scripter, prefix string, hmacKey []byte) (*Store, error) {
	switch {
	case client == nil:
		return nil, errors.New("redisstore: client must not be nil")
	case prefix == "" || strings.ContainsAny(prefix, "{}"):
		return nil, errors.New("redisstore: prefix must not be empty or hold a brace")
	case len(hmacKey) < 16:
		return nil, errors.New("redisstore: hmacKey must have at least 16 bytes")
	}
	return &Store{client, "{" + prefix + "}:", bytes.Clone(hmacKey)}, nil
}

//go:embed guard.lua
var guardLua string

var script = redis.NewScript(guardLua)

// Do decides on an event and counts it, for the Guard.
func (s *Store) Do(ctx context.Context, e counts.Event) (counts.Verdict, error) {
	mac := hmac.New(sha256.New, s.key)
	hash := func(parts ...string) string {
		mac.Reset()
		for _, part := range parts {
			fmt.Fprintf(mac, "%d:%s", len(part), part)
		}
		return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
	}
	numbers, number := s.prefix+"n:", "-" // It is not known.
	if e.Number != "" {
		number = hash(e.Number)
	}
	keys := []string{s.prefix + "m:" + hash(e.Member[0], e.Member[1]), s.prefix + "o:" + hash(e.Member[0]), s.prefix + "pool", numbers + number}
	args := []any{int(e.Kind), e.At, e.Cooldown.Milliseconds(), number, numbers, e.ID, e.Budget, e.Force, e.Verified, e.Answer}
	for _, l := range e.Limits {
		keys = append(keys, s.prefix+"l:"+hash(l.Name, l.Interval.String(), l.Value))
		args = append(args, l.Max, l.One().Milliseconds())
	}
	answer, err := script.Run(ctx, s.client, keys, args...).Text()
	if err != nil {
		// In a cluster, another node may answer now for the slot: go-redis asks for that
		// once in a while only.
		if cluster, ok := s.client.(interface{ ReloadState(context.Context) }); ok {
			cluster.ReloadState(ctx)
		}
		return counts.Verdict{}, fmt.Errorf("redisstore: %w", err)
	}
	var v counts.Verdict
	var wait float64
	var trusted int
	if _, err := fmt.Sscan(answer, &v.By, &v.Limit, &wait, &trusted, &v.Count, &v.Max); err != nil {
		return counts.Verdict{}, fmt.Errorf("redisstore: the script's answer is not a verdict: %w", err)
	}
	v.Wait, v.Trusted = time.Duration(wait*float64(time.Millisecond)), trusted == 1
	return v, nil
}
