package redisstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
		assert.Greater(t, n, 50, "cause %d", by)
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
	done, err := g.AllowAuthenticate(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: p.OrganizationID, MemberID: p.MemberID})
	require.NoError(t, err)
	done(&stytchb2b.SMSAuthenticateResponse{MemberID: p.MemberID, Member: stytchb2b.Member{MFAPhoneNumber: p.MFAPhoneNumber, MFAPhoneNumberVerified: true}}, nil)
}

// Two processes count together; keys expire, and hold nothing in the clear. What is
// refused leaves none behind.
func TestWhatIsStored(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	client := connect(t, addr)
	one, other := newGuard(t, client, patient(guard.Recommended("US"))...), newGuard(t, connect(t, addr), patient(guard.Recommended("US"))...)
	p := send("member-test-1", "+12025550123")
	_, err := one.AllowSend(t.Context(), p)
	require.NoError(t, err)
	_, err = other.AllowSend(t.Context(), p)
	assert.ErrorIs(t, err, guard.ErrCooldown)
	kinds := func() (kinds []string) {
		for _, key := range client.Keys(t.Context(), "*").Val() {
			kinds = append(kinds, strings.Split(key, ":")[1])
			ttl := client.PTTL(t.Context(), key).Val()
			assert.Greater(t, ttl, 50*time.Minute)
			assert.LessOrEqual(t, ttl, 90*24*time.Hour)
			for _, secret := range []string{"5550123", "member-test", "organization-test"} {
				assert.NotContains(t, key+client.Get(t.Context(), key).Val(), secret)
			}
		}
		slices.Sort(kinds)
		return kinds
	}
	assert.Equal(t, []string{"m", "n", "o", "pool"}, kinds())
	enter(t, one, p)
	assert.Equal(t, []string{"m", "n", "o"}, kinds(), "the pool is empty")

	for i := range 400 {
		_ = allow(t, one, send(fmt.Sprint("m", i), fmt.Sprintf("+1212555%04d", i)))
	}
	before := len(kinds())
	for i := range 100 {
		refused := send(fmt.Sprint("refused ", i), fmt.Sprintf("+1213555%04d", i))
		refused.OrganizationID = fmt.Sprint("another-", i)
		require.ErrorIs(t, allow(t, one, refused), guard.ErrUnanswered)
	}
	assert.Len(t, kinds(), before)

	another, err := redisstore.New(client, "stytchb2b-test", []byte("another key, of more bytes"))
	require.NoError(t, err)
	third := newGuard(t, client, patient(guard.Recommended("US"), guard.WithStore(another))...)
	_, err = third.AllowSend(t.Context(), p)
	assert.False(t, errors.Is(err, guard.ErrCooldown), "another HMAC key, other Members")
}
