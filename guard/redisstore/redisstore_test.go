package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
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

func store(t testing.TB, client redis.Scripter) counts.Store {
	s, err := redisstore.New(client, "stytchb2b-test", hmacKey)
	require.NoError(t, err)
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	t.Run("suite", func(t *testing.T) { storetest.Run(t, store(t, connect(t, addr))) })
}

// The scripts decide as the store in memory does.
func TestStoreIsLikeMemory(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	client := connect(t, addr)
	for seed := range uint64(20) {
		clock := storetest.NewClock()
		s, err := redisstore.New(client, fmt.Sprint("alike-", seed), hmacKey)
		require.NoError(t, err)
		redisstore.SetClock(s, clock.Now)
		storetest.Alike(t, s, clock, seed, 1500)
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

func send(member, number string) stytchb2b.SMSSendParams {
	return stytchb2b.SMSSendParams{OrganizationID: "organization-test-1", MemberID: member, MFAPhoneNumber: number}
}

// enter tells the guard that the Member has entered the code.
func enter(t testing.TB, g *guard.Guard, p stytchb2b.SMSSendParams) {
	g.Verified(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: p.OrganizationID, MemberID: p.MemberID},
		&stytchb2b.SMSAuthenticateResponse{MemberID: p.MemberID, Member: stytchb2b.Member{MFAPhoneNumber: p.MFAPhoneNumber, MFAPhoneNumberVerified: true}})
}

// Two processes count together; keys expire, and hold nothing in the clear.
func TestWhatIsStored(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	client := connect(t, addr)
	opts := []guard.Option{guard.WithStore(store(t, client)), guard.StoreTimeout(time.Minute), guard.Recommended("US")}
	one, err := guard.New(opts...)
	require.NoError(t, err)
	other, err := guard.New(append(opts[1:], guard.WithStore(store(t, connect(t, addr))))...)
	require.NoError(t, err)
	_, err = one.AllowSend(t.Context(), send("member-test-1", "+12025550123"))
	require.NoError(t, err)
	_, err = other.AllowSend(t.Context(), send("member-test-1", "+12025550123"))
	assert.ErrorIs(t, err, guard.ErrCooldown)

	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 7, "the decision, the Member, four budgets and a limit")
	for _, key := range keys {
		assert.Regexp(t, `^\{stytchb2b-test\}:[0-9a-f]{32}$`, key)
		ttl, err := client.PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		assert.Greater(t, ttl, 9*time.Minute)
		assert.LessOrEqual(t, ttl, 31*24*time.Hour)
		value, err := client.Get(t.Context(), key).Result()
		require.NoError(t, err)
		for _, secret := range []string{"5550123", "member-test", "organization-test"} {
			assert.NotContains(t, value, secret)
		}
	}

	enter(t, one, send("member-test-1", "+12025550123"))
	lasting := 0
	for _, key := range client.Keys(t.Context(), "*").Val() {
		if client.PTTL(t.Context(), key).Val() > 30*24*time.Hour {
			lasting++
		}
	}
	assert.Equal(t, 5, lasting, "a code speaks for a month: for the Member and in four budgets")

	another, err := redisstore.New(client, "stytchb2b-test", []byte("another key, of more bytes"))
	require.NoError(t, err)
	third, err := guard.New(append(opts[1:], guard.WithStore(another))...)
	require.NoError(t, err)
	_, err = third.AllowSend(t.Context(), send("member-test-1", "+12025550123"))
	assert.NoError(t, err, "another HMAC key, other counters")
}
