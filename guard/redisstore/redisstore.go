// Package redisstore counts the Sends of several processes together, in Redis
// or Valkey.
package redisstore

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b/guard"
)

// A Store is a [guard.Store] in Redis, version 6.2 or newer, or Valkey. A decision
// is one round trip, by the server's clock. Its keys expire with their windows.
//
// All keys of a Store have one hash tag and with it one slot of a Redis Cluster:
// a decision is over several keys and must be of one piece. One slot of one node
// takes tens of thousands of decisions a second; those who need more split by
// prefix, one Store for each group of Organizations.
type Store struct {
	client redis.Scripter
	prefix string
	key    []byte
}

var _ guard.Store = (*Store)(nil)

// New makes a Store. The keys begin with prefix, which must not hold a brace.
//
// No phone number or ID is stored: the names of keys are made with HMAC-SHA-256
// and hmacKey, of at least 16 bytes, which all processes share and which must
// not be in Redis.
func New(client redis.Scripter, prefix string, hmacKey []byte) (*Store, error) {
	switch {
	case client == nil:
		return nil, errors.New("redisstore: client must not be nil")
	case prefix == "" || strings.ContainsAny(prefix, "{}"):
		return nil, errors.New("redisstore: prefix must not be empty or hold a brace")
	case len(hmacKey) < 16:
		return nil, errors.New("redisstore: hmacKey must have at least 16 bytes")
	}
	return &Store{client: client, prefix: "{" + prefix + "}:", key: append([]byte(nil), hmacKey...)}, nil
}

// take counts one against each key, or none. A counter is a string of two
// numbers: the count, and the end of its window in milliseconds.
var take = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local full, wait, counts, windows = -1, 0, {}, {}
for i, v in ipairs(redis.call('MGET', unpack(KEYS))) do
  local c, w = 0, 0
  if v then
    c, w = string.match(v, '(%d+) (%d+)')
    c, w = tonumber(c), tonumber(w)
  end
  if w <= now then
    c, w = 0, now + ARGV[2*i]
  elseif c >= tonumber(ARGV[2*i-1]) and w - now > wait then
    full, wait = i - 1, w - now
  end
  counts[i], windows[i] = c, w
end
if full >= 0 then return {full, wait} end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%d %d', counts[i] + 1, windows[i]), 'PXAT', windows[i])
end
table.insert(windows, 1, -1)
return windows
`)

// give takes one back from each key whose window is still the same.
var give = redis.NewScript(`
for i, v in ipairs(redis.call('MGET', unpack(KEYS))) do
  local c, w
  if v then c, w = string.match(v, '(%d+) (%d+)') end
  if w == ARGV[i] then
    if tonumber(c) > 1 then
      redis.call('SET', KEYS[i], string.format('%d %s', c - 1, w), 'KEEPTTL')
    else
      redis.call('DEL', KEYS[i])
    end
  end
end
return 0
`)

// Take implements [guard.Store].
func (s *Store) Take(ctx context.Context, claims []guard.Claim) (full int, wait time.Duration, err error) {
	if len(claims) == 0 {
		return -1, 0, nil
	}
	args := make([]any, 0, 2*len(claims))
	for _, c := range claims {
		args = append(args, c.N, max(1, c.Interval.Milliseconds()))
	}
	answer, err := take.Run(ctx, s.client, s.keys(claims), args...).Int64Slice()
	if err != nil {
		return -1, 0, fmt.Errorf("redisstore: %w", err)
	}
	switch {
	case len(answer) == 2 && answer[0] >= 0 && answer[0] < int64(len(claims)):
		return int(answer[0]), time.Duration(answer[1]) * time.Millisecond, nil
	case len(answer) == len(claims)+1 && answer[0] == -1:
		for i := range claims {
			claims[i].Window = answer[i+1]
		}
		return -1, 0, nil
	}
	return -1, 0, fmt.Errorf("redisstore: the script answered %v", answer)
}

// Give implements [guard.Store].
func (s *Store) Give(ctx context.Context, claims []guard.Claim) error {
	if len(claims) == 0 {
		return nil
	}
	args := make([]any, 0, len(claims))
	for _, c := range claims {
		args = append(args, c.Window)
	}
	if err := give.Run(ctx, s.client, s.keys(claims), args...).Err(); err != nil {
		return fmt.Errorf("redisstore: %w", err)
	}
	return nil
}

// keys names the counters.
func (s *Store) keys(claims []guard.Claim) []string {
	keys := make([]string, len(claims))
	for i, c := range claims {
		mac := hmac.New(sha256.New, s.key)
		for _, part := range []string{c.Limit, c.Subject[0], c.Subject[1]} {
			fmt.Fprintf(mac, "%d:%s", len(part), part)
		}
		keys[i] = s.prefix + hex.EncodeToString(mac.Sum(nil)[:16])
	}
	return keys
}
