package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

// newGuard makes a Guard that says nothing.
func newGuard(t testing.TB, client redis.Scripter, opts ...guard.Option) *guard.Guard {
	opts = append([]guard.Option{guard.WithStore(store(t, client)), guard.WithLogger(slog.New(slog.DiscardHandler))}, opts...)
	g, err := guard.New(opts...)
	require.NoError(t, err)
	return g
}

// limited is a limit on all Sends.
func limited(n int) guard.Option {
	return guard.LimitBy("all", n, 24*time.Hour, func(context.Context, stytchb2b.SMSSendParams) string { return "all" })
}

// patient options wait long for Redis, and refuse without it.
func patient(opts ...guard.Option) []guard.Option {
	return append(opts, guard.StoreTimeout(time.Minute), guard.FailClosed())
}

// allow asks the guard, and tells it that the SMS was sent.
func allow(t testing.TB, g *guard.Guard, p stytchb2b.SMSSendParams) error {
	done, err := g.AllowSend(t.Context(), p)
	if err == nil {
		done(&stytchb2b.SMSSendResponse{MemberID: p.MemberID, Member: stytchb2b.Member{MFAPhoneNumber: p.MFAPhoneNumber}}, nil)
	}
	return err
}

var notSent = &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeNotApplied, Err: errors.New("refused")}

// A server is stopped in mid-run: killed, and frozen.
func TestServerGoesAway(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Kill, syscall.SIGSTOP} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			cmd, addr := server(t)
			var logged bytes.Buffer
			logger := guard.WithLogger(slog.New(slog.NewTextHandler(&logged, nil)))
			open := newGuard(t, connect(t, addr), logger, guard.AllowCountries("US"))
			closed := newGuard(t, connect(t, addr), logger, guard.AllowCountries("US"), guard.FailClosed())
			require.NoError(t, allow(t, open, send("a", "")))
			require.NoError(t, allow(t, closed, send("b", "")))
			require.NoError(t, cmd.Process.Signal(signal))

			for range 20 {
				assert.ErrorIs(t, allow(t, open, send("a", "")), guard.ErrCooldown, "memory has counted along")
				err := allow(t, closed, send("b", ""))
				assert.ErrorIs(t, err, guard.ErrStore)
				assert.False(t, stytchb2b.MaybeSent(err))
				assert.ErrorIs(t, allow(t, open, send("a", "+18762101234")), guard.ErrCountry)
			}
			assert.NoError(t, allow(t, open, send("c", "")))
			assert.Contains(t, logged.String(), "level=ERROR")

			if signal == syscall.SIGSTOP { // and back
				require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
			} else {
				again(t, cmd, addr)
			}
			assert.Eventually(t, func() bool { return !errors.Is(allow(t, closed, send("b", "")), guard.ErrStore) }, time.Minute, 50*time.Millisecond)
		})
	}
}

// go-redis asks again when the connection breaks after the script has run. It
// finds its own count, and goes out: a hundred of a hundred.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	p := newProxy(t, addr)
	client := connect(t, p.addr)
	g := newGuard(t, client, patient(limited(101))...)
	lose := func() { p.lose.Store(true) }
	warm, err := g.AllowSend(t.Context(), send("warm", "")) // The scripts are loaded.
	require.NoError(t, err)
	warm(nil, notSent)
	enter(t, g, send("warm", ""))
	require.NoError(t, allow(t, g, send("warm", "")))

	var ends []func(*stytchb2b.SMSSendResponse, error)
	for i := range 100 {
		lose()
		done, err := g.AllowSend(t.Context(), send(fmt.Sprint(i), ""))
		require.NoError(t, err)
		ends = append(ends, done)
	}
	assert.EqualValues(t, 100, p.lost.Load())
	assert.ErrorIs(t, allow(t, g, send("one more", "")), guard.ErrLimit, "each is counted")

	for _, end := range ends[:50] {
		lose()
		end(nil, notSent)
		end(nil, notSent)
	}
	assert.EqualValues(t, 150, p.lost.Load())
	another := newGuard(t, connect(t, addr), patient(limited(101))...)
	let := 0
	for i := range 60 {
		if allow(t, another, send(fmt.Sprint("later ", i), "")) == nil {
			let++
		}
	}
	assert.Equal(t, 50, let, "each is given back once")
}

// What other programs have written under the keys counts for nothing.
func TestOtherContents(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	client := connect(t, addr)
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.UintN(256))
		}
		return string(b)
	}
	ctx := t.Context()
	for round := range 60 {
		g := newGuard(t, client, patient(guard.Recommended("US"))...)
		p := send("member-test-1", "+12025550123")
		done, err := g.AllowSend(ctx, p)
		require.NoError(t, err, "round %d", round)
		for _, key := range client.Keys(ctx, "*").Val() {
			good := strings.Fields(client.Get(ctx, key).Val())
			require.NoError(t, client.Del(ctx, key).Err())
			switch round % 6 {
			case 0:
				require.NoError(t, client.LPush(ctx, key, "x").Err())
			case 1:
				require.NoError(t, client.HSet(ctx, key, "x", "y").Err())
			case 2:
				require.NoError(t, client.Set(ctx, key, noise(random.IntN(100)), 0).Err())
			default: // One word is another.
				good[random.IntN(min(7, len(good)))] = [...]string{"nan", "inf", "-1e300", "x", "1 2", ""}[random.IntN(6)]
				require.NoError(t, client.Set(ctx, key, strings.Join(good, " "), 0).Err())
			}
		}
		if round%2 == 0 {
			done(nil, notSent)
		} else {
			done(&stytchb2b.SMSSendResponse{MemberID: "other", Member: stytchb2b.Member{MFAPhoneNumber: "+12125550123", MFAPhoneNumberVerified: true}}, nil)
		}
		assert.NoError(t, allow(t, newGuard(t, client, patient(guard.Recommended("US"))...), p), "round %d", round)
		enter(t, g, p)
		require.NoError(t, client.FlushAll(ctx).Err())
	}
}

// The user may do no more than the package's documentation says.
func TestACL(t *testing.T) {
	t.Parallel()
	for _, clustered := range []bool{false, true} {
		t.Run(fmt.Sprint("cluster: ", clustered), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			var args []string
			if clustered {
				args = []string{"--cluster-enabled", "yes"}
			}
			_, addr := server(t, args...)
			admin := connect(t, addr)
			line := []any{"ACL", "SETUSER", "guard", "on", ">secret"}
			for _, word := range permissions(t) {
				line = append(line, word)
			}
			var client redis.UniversalClient = redis.NewClient(&redis.Options{Addr: addr, Username: "guard", Password: "secret", DisableIdentity: true})
			if clustered {
				require.NoError(t, admin.ClusterAddSlotsRange(ctx, 0, 16383).Err())
				require.Eventually(t, func() bool {
					return strings.Contains(admin.ClusterInfo(ctx).Val(), "cluster_state:ok")
				}, time.Minute, 20*time.Millisecond)
				line = append(line, "+cluster|slots")
				client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, Username: "guard", Password: "secret", DisableIdentity: true})
			}
			defer client.Close()
			require.NoError(t, admin.Do(ctx, line...).Err())
			g := newGuard(t, client, patient(guard.Recommended("US"))...)
			p := send("member-test-1", "+12025550123")
			for range 3 {
				done, err := g.AllowSend(ctx, p)
				require.NoError(t, err)
				done(nil, notSent)
			}
			require.NoError(t, allow(t, g, p))
			enter(t, g, p)
			assert.NoError(t, allow(t, g, p))
			log, err := admin.Do(ctx, "ACL", "LOG").Slice()
			require.NoError(t, err)
			assert.Empty(t, log, "it was refused nothing")

			assert.ErrorContains(t, client.Get(ctx, "{stytchb2b-test}:x").Err(), "NOPERM")
			assert.ErrorContains(t, client.Set(ctx, "other", "x", 0).Err(), "NOPERM")
			log, err = admin.Do(ctx, "ACL", "LOG").Slice()
			require.NoError(t, err)
			assert.Len(t, log, 2)
		})
	}
}

// permissions returns the documentation's, for the tests' prefix.
func permissions(t *testing.T) []string {
	doc, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, line, found := strings.Cut(string(doc), "ACL SETUSER guard on >password ")
	require.True(t, found)
	line, _, _ = strings.Cut(line, "\n")
	return strings.Fields(strings.ReplaceAll(line, "{stytchb2b}", "{stytchb2b-test}"))
}

// A Redis that starts again goes on with its data, and without: trust is lost
// then, and Stytch's next answer brings it back.
func TestRestart(t *testing.T) {
	t.Parallel()
	cmd, addr := server(t, "--appendonly", "yes", "--appendfsync", "always")
	client := connect(t, addr)
	var last guard.Decision
	g := newGuard(t, client, patient(guard.Recommended("US"), guard.OnDecision(func(_ context.Context, d guard.Decision) { last = d }))...)
	verified := func(p stytchb2b.SMSSendParams) *stytchb2b.SMSSendResponse {
		return &stytchb2b.SMSSendResponse{MemberID: p.MemberID, Member: stytchb2b.Member{MFAPhoneNumber: p.MFAPhoneNumber, MFAPhoneNumberVerified: true}}
	}
	p := func(i int) stytchb2b.SMSSendParams { return send(fmt.Sprint("member-", i), "+12025550123") }
	for i := range 4 {
		enter(t, g, p(i))
	}
	require.NoError(t, allow(t, g, p(0)))
	assert.True(t, last.Trusted)

	require.NoError(t, cmd.Process.Kill())
	again(t, cmd, addr)
	var err error
	require.Eventually(t, func() bool {
		err = allow(t, g, p(0))
		return !errors.Is(err, guard.ErrStore)
	}, time.Minute, 50*time.Millisecond)
	assert.ErrorIs(t, err, guard.ErrCooldown, "with its data")
	require.NoError(t, allow(t, g, p(1)))
	assert.True(t, last.Trusted)

	require.NoError(t, client.ScriptFlush(t.Context()).Err())
	require.NoError(t, allow(t, g, p(2)))
	assert.True(t, last.Trusted)

	require.NoError(t, client.FlushAll(t.Context()).Err())
	done, err := g.AllowSend(t.Context(), p(3))
	require.NoError(t, err)
	assert.False(t, last.Trusted, "without its data")
	done(verified(p(3)), nil)
	assert.ErrorIs(t, allow(t, g, p(3)), guard.ErrCooldown)
	assert.True(t, last.Trusted)
}

// A Redis that is full answers with an error to all that writes.
func TestFull(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	client := connect(t, addr)
	open := newGuard(t, client, guard.StoreTimeout(time.Minute), limited(3))
	closed := newGuard(t, client, patient(limited(100))...)
	require.NoError(t, allow(t, closed, send("a", "")))
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	err := allow(t, closed, send("b", ""))
	assert.ErrorIs(t, err, guard.ErrStore)
	assert.ErrorContains(t, err, "OOM")
	for i := range 5 {
		err := allow(t, open, send(fmt.Sprint(i), ""))
		assert.Equal(t, i < 3, err == nil, "%d: %v", i, err)
	}
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "0").Err())
	assert.Eventually(t, func() bool { return allow(t, closed, send("b", "")) == nil }, time.Minute, 50*time.Millisecond)
}

// The master of the guard's slot is killed, and its replica takes over.
func TestClusterLosesAMaster(t *testing.T) {
	t.Parallel()
	const masters = 3
	cmds, addrs := cluster(t, masters)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { _ = client.Close() })
	var last guard.Decision
	g := newGuard(t, client, guard.FailClosed(), guard.Recommended("US"), guard.OnDecision(func(_ context.Context, d guard.Decision) { last = d }))
	p := send("member-test-1", "+12025550123")
	enter(t, g, p)
	require.NoError(t, allow(t, g, p))
	assert.True(t, last.Trusted)
	key := client.ClusterKeySlot(t.Context(), "{stytchb2b-test}:x").Val()
	master := int(key) * masters / 16384
	require.NoError(t, connect(t, addrs[master]).Wait(t.Context(), 1, time.Minute).Err())
	require.NoError(t, cmds[master].Process.Kill())

	killed := time.Now()
	var err error
	require.Eventually(t, func() bool {
		err = allow(t, g, p)
		return !errors.Is(err, guard.ErrStore)
	}, time.Minute, 50*time.Millisecond)
	t.Logf("answered %v after the kill", time.Since(killed).Round(100*time.Millisecond))
	assert.Less(t, time.Since(killed), 30*time.Second)
	assert.ErrorIs(t, err, guard.ErrCooldown, "the replica has the data")
	assert.True(t, last.Trusted)
}

// Sentinel makes the replica the master, while sixteen ask all the time.
func TestSentinelFailsOver(t *testing.T) {
	t.Parallel()
	const limit = 20
	master, masterAddr, replicaAddr, sentinelAddr := sentinel(t)
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: "guard", SentinelAddrs: []string{sentinelAddr}, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = client.Close() })
	// Each has a memory of its own, and counts with the others in Redis only.
	closed := func() *guard.Guard {
		return newGuard(t, client, guard.FailClosed(), limited(limit))
	}
	for i := range limit {
		require.NoError(t, allow(t, closed(), send(fmt.Sprint(i), "")))
	}
	require.ErrorIs(t, allow(t, closed(), send("one more", "")), guard.ErrLimit)
	require.NoError(t, connect(t, masterAddr).Wait(t.Context(), 1, time.Minute).Err())

	other, err := redisstore.New(client, "stytchb2b-load", hmacKey)
	require.NoError(t, err)
	open := newGuard(t, client, guard.WithStore(other))
	var asked, slowest atomic.Int64
	over := make(chan struct{})
	var load sync.WaitGroup
	for i := range 16 {
		load.Go(func() {
			for j := 0; ; j++ {
				select {
				case <-over:
					return
				default:
				}
				begin := time.Now()
				assert.NoError(t, allow(t, open, send(fmt.Sprint(i, " ", j), "")))
				asked.Add(1)
				slowest.Store(max(slowest.Load(), int64(time.Since(begin))))
			}
		})
	}
	require.NoError(t, master.Process.Kill())
	killed := time.Now()
	require.Eventually(t, func() bool {
		err = allow(t, closed(), send("one more", ""))
		return !errors.Is(err, guard.ErrStore)
	}, time.Minute, 20*time.Millisecond)
	t.Logf("answered %v after the kill", time.Since(killed).Round(100*time.Millisecond))
	close(over)
	load.Wait()
	t.Logf("%d decisions, the slowest took %v", asked.Load(), time.Duration(slowest.Load()))
	assert.Less(t, time.Duration(slowest.Load()), 3*time.Second, "a decision waits for %v, and for its turn", guard.DefaultStoreTimeout)
	assert.ErrorIs(t, err, guard.ErrLimit, "the replica has the counts")
	assert.ErrorIs(t, allow(t, closed(), send("0", "")), guard.ErrLimit)
	enter(t, closed(), send("0", "+12025550123"))
	assert.Contains(t, connect(t, replicaAddr).Info(t.Context(), "replication").Val(), "role:master")
	trusted := false
	g := newGuard(t, client, patient(guard.OnDecision(func(_ context.Context, d guard.Decision) { trusted = d.Trusted }))...)
	require.NoError(t, allow(t, g, send("0", "+12025550123")))
	assert.True(t, trusted, "and counts on")
}

// Two Guards with clients of their own share what they count: of fifty Sends at once
// for one Member one goes out, and of a hundred in all the limit's twenty.
func TestTwoGuards(t *testing.T) {
	t.Parallel()
	_, addr := server(t)
	var ofOne, ofAll atomic.Int64
	var wg sync.WaitGroup
	for g := range 2 {
		one, all := newGuard(t, connect(t, addr), patient()...), newGuard(t, connect(t, addr), patient(limited(20))...)
		for i := range 50 {
			wg.Go(func() {
				if _, err := one.AllowSend(t.Context(), send("one Member", "")); err == nil {
					ofOne.Add(1)
				}
				if _, err := all.AllowSend(t.Context(), send(fmt.Sprint(g, " ", i), "")); err == nil {
					ofAll.Add(1)
				}
			})
		}
	}
	wg.Wait()
	assert.EqualValues(t, 1, ofOne.Load())
	assert.EqualValues(t, 20, ofAll.Load())
}
