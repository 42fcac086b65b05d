package redisstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard"
)

// BenchmarkDecision is a decision with the recommended settings, of Members who have
// entered a code. It takes turns with a PING, and reports the median of both, and what
// a Member takes in Redis.
func BenchmarkDecision(b *testing.B) {
	_, addr := server(b)
	client := connect(b, addr)
	g := newGuard(b, client, patient(guard.Recommended("US"))...)
	memory := func() (used float64) {
		line := client.InfoMap(b.Context(), "memory").Item("Memory", "used_memory")
		_, err := fmt.Sscan(line, &used)
		require.NoError(b, err)
		return used
	}
	const members = 5000
	p := func(n int) (string, string) { return fmt.Sprint("member-", n), fmt.Sprintf("+1202%07d", 2550000+n) }
	before := memory()
	for n := range members {
		enter(b, g, send(p(n)))
	}
	both := memory()
	keys := client.Keys(b.Context(), "*:n:*").Val()
	for chunk := range slices.Chunk(keys, 500) {
		require.NoError(b, client.Del(b.Context(), chunk...).Err())
	}
	member := (memory() - before) / members
	var pings, decisions []time.Duration
	b.ResetTimer()
	for n := range b.N {
		start := time.Now()
		require.NoError(b, client.Ping(b.Context()).Err())
		ping := time.Since(start)
		_, err := g.AllowSend(b.Context(), send(p(n%members)))
		decisions = append(decisions, time.Since(start)-ping)
		pings = append(pings, ping)
		if n >= members {
			continue
		}
		require.NoError(b, err)
	}
	slices.Sort(pings)
	slices.Sort(decisions)
	ping, decision := float64(pings[b.N/2]), float64(decisions[b.N/2])
	b.ReportMetric(decision, "ns/decision")
	b.ReportMetric(ping, "ns/PING")
	b.ReportMetric(decision/ping, "PINGs")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(member, "B/Member")
	b.ReportMetric((both-before)/members-member, "B/phone")
}
