package redisstore_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/internal/storetest"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

var hmacKey = []byte("0123456789abcdef")

// server starts redis-server, or valkey-server, on a loopback port.
func server(t testing.TB, args ...string) (cmd *exec.Cmd, addr string) {
	binary := ""
	for _, name := range []string{os.Getenv("STYTCHB2B_TEST_REDIS"), "redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			binary = path
			break
		}
	}
	if binary == "" {
		t.Skip("there is no redis-server or valkey-server on this machine")
	}
	for range 5 {
		if cmd, addr := start(t, binary, args); cmd != nil {
			return cmd, addr
		}
	}
	require.Fail(t, binary+" does not start")
	return nil, ""
}

// start returns nil where the port, or the second one of a server in a cluster,
// was given to somebody else after all.
func start(t testing.TB, binary string, args []string) (*exec.Cmd, string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	cmd := exec.Command(binary, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir()}, args...)...)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Kill()
		<-ended
	})
	client := connect(t, addr)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		select {
		case <-ended:
			return nil, ""
		case <-late:
			require.Fail(t, binary+" does not answer")
		case <-tick.C:
			if client.Ping(t.Context()).Err() == nil {
				return cmd, addr
			}
		}
	}
}

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
		s.SetClock(clock.Now)
		storetest.Alike(t, s, clock, seed, 1000)
	}
}

func TestStoreInCluster(t *testing.T) {
	t.Parallel()
	_, addr := server(t, "--cluster-enabled", "yes")
	require.NoError(t, connect(t, addr).ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}})
	t.Cleanup(func() { _ = cluster.Close() })
	require.Eventually(t, func() bool {
		info, err := cluster.ClusterInfo(t.Context()).Result()
		return err == nil && strings.Contains(info, "cluster_state:ok")
	}, 10*time.Second, 20*time.Millisecond)
	t.Run("suite", func(t *testing.T) { storetest.Run(t, store(t, cluster)) })
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
	_, err = one.Allow(t.Context(), send("member-test-1", "+12025550123"))
	require.NoError(t, err)
	_, err = other.Allow(t.Context(), send("member-test-1", "+12025550123"))
	assert.ErrorIs(t, err, guard.ErrCooldown)

	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 10, "the decision, the Member, seven budgets and a limit")
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

	another, err := redisstore.New(client, "stytchb2b-test", []byte("another key, of more bytes"))
	require.NoError(t, err)
	third, err := guard.New(append(opts[1:], guard.WithStore(another))...)
	require.NoError(t, err)
	_, err = third.Allow(t.Context(), send("member-test-1", "+12025550123"))
	assert.NoError(t, err, "another HMAC key, other counters")
}

// A real server is stopped in mid-run: killed, and frozen.
func TestServerGoesAway(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Kill, syscall.SIGSTOP} {
		cmd, addr := server(t)
		var logged bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&logged, nil))
		newGuard := func(opts ...guard.Option) *guard.Guard {
			g, err := guard.New(append(opts, guard.WithStore(store(t, connect(t, addr))), guard.WithLogger(logger), guard.AllowCountries("US"))...)
			require.NoError(t, err)
			return g
		}
		open, closed := newGuard(), newGuard(guard.FailClosed())
		_, err := open.Allow(t.Context(), send("a", ""))
		require.NoError(t, err)
		_, err = closed.Allow(t.Context(), send("b", ""))
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(signal))

		start := time.Now()
		for range 20 {
			_, err = open.Allow(t.Context(), send("a", ""))
			assert.ErrorIs(t, err, guard.ErrCooldown, "memory has counted along")
			_, err = closed.Allow(t.Context(), send("b", ""))
			assert.ErrorIs(t, err, guard.ErrStore)
			assert.False(t, stytchb2b.MaybeSent(err))
			_, err = open.Allow(t.Context(), send("a", "+18762101234"))
			assert.ErrorIs(t, err, guard.ErrCountry)
		}
		assert.Less(t, time.Since(start), 5*time.Second, "it does not wait for each")
		assert.Contains(t, logged.String(), "level=ERROR")

		if signal == syscall.SIGSTOP { // and back
			require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
			assert.Eventually(t, func() bool {
				_, err := closed.Allow(t.Context(), send("b", ""))
				return err != nil && !strings.Contains(err.Error(), guard.ErrStore.Error())
			}, 20*time.Second, 50*time.Millisecond)
		}
	}
}
