package redisstore_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// A wideStore has room for everybody, so that budgets are counted and never full.
type wideStore struct{ counts.Store }

func (s wideStore) Take(ctx context.Context, c *counts.Claim) (counts.Verdict, error) {
	for _, b := range c.Buckets {
		b.Rule.Max = 1e12
	}
	return s.Store.Take(ctx, c)
}

// BenchmarkDecision is a decision with the recommended settings, about a number
// that has been looked up: of Members who have entered a code, and of others. It
// takes turns with a PING, and reports the median of both.
func BenchmarkDecision(b *testing.B) {
	for _, trusted := range []bool{true, false} {
		b.Run(fmt.Sprint("trusted=", trusted), func(b *testing.B) {
			_, addr := server(b)
			client := connect(b, addr)
			g, err := guard.New(guard.WithStore(wideStore{store(b, client)}), guard.StoreTimeout(time.Minute), guard.Recommended("US"))
			require.NoError(b, err)
			p := func(n int) stytchb2b.SMSSendParams {
				return send(fmt.Sprint("member-", n), fmt.Sprintf("+1202%07d", 5550000+n%1000))
			}
			for n := range 1000 {
				enter(b, g, p(n))
			}
			for n := range b.N {
				if trusted {
					enter(b, g, p(n))
				}
			}
			var pings, decisions []time.Duration
			b.ResetTimer()
			for n := range b.N {
				if !trusted {
					n += 1000
				}
				start := time.Now()
				require.NoError(b, client.Ping(b.Context()).Err())
				ping := time.Since(start)
				_, err := g.AllowSend(b.Context(), p(n))
				decisions = append(decisions, time.Since(start)-ping)
				pings = append(pings, ping)
				require.NoError(b, err)
			}
			slices.Sort(pings)
			slices.Sort(decisions)
			ping, decision := float64(pings[b.N/2]), float64(decisions[b.N/2])
			b.ReportMetric(decision, "ns/decision")
			b.ReportMetric(ping, "ns/PING")
			b.ReportMetric(decision/ping, "PINGs")
			b.ReportMetric(0, "ns/op")
		})
	}
}
