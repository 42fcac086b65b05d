package redisstore_test

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard/internal/counts"
	"github.com/eb715825/stytchb2b/guard/internal/storetest"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

var hmacKey = []byte("0123456789abcdef")

func connect(t testing.TB, addr string) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func store(t testing.TB, client redis.Scripter) *redisstore.Store {
	s, err := redisstore.New(client, "stytchb2b-test", hmacKey)
	require.NoError(t, err)
	return s
}

// The script decides as the store in memory does.
func TestStoreIsLikeMemory(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	client := connect(t, addr)
	var refused [counts.Guesses + 1]int
	for seed := range uint64(24) {
		s, err := redisstore.New(client, fmt.Sprint("alike-", seed), hmacKey)
		require.NoError(t, err)
		for by, n := range storetest.Alike(t, s, seed, 1500) {
			refused[by] += n
		}
	}
	for by, n := range refused {
		assert.Greater(t, n, 100, "cause %d", by)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{})
	defer client.Close()
	for _, tc := range []struct {
		says   string
		client redis.Scripter
		prefix string
		key    []byte
	}{
		{"client", nil, "p", hmacKey}, {"prefix", client, "", hmacKey}, {"prefix", client, "{p}", hmacKey}, {"hmacKey", client, "p", hmacKey[:15]},
	} {
		_, err := redisstore.New(tc.client, tc.prefix, tc.key)
		assert.ErrorContains(t, err, tc.says)
	}
}
