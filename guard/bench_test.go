package guard_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// members are the IDs of many Members.
var members = func() (ids [1 << 16]string) {
	for i := range ids {
		ids[i] = fmt.Sprintf("member-test-%d", i)
	}
	return ids
}()

// BenchmarkAllow is a decision in memory and the end of its Send, by 64
// goroutines, about numbers that have been looked up.
func BenchmarkAllow(b *testing.B) {
	var numbers [1000]string
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+1202555%04d", i)
	}
	for _, tc := range []struct {
		name    string
		members int // that ask in turn: with many, the processor's caches do not hold them
		trusted bool
		opts    []guard.Option
	}{
		{"without options", 4096, false, nil},
		{"recommended, trusted", 4096, true, []guard.Option{guard.Recommended("US"), guard.Cooldown(time.Millisecond)}},
		{"recommended, trusted, 65536 members", 65536, true, []guard.Option{guard.Recommended("US"), guard.Cooldown(time.Millisecond)}},
		{"recommended, not trusted", 4096, false, []guard.Option{guard.Recommended("US"), guard.Cooldown(time.Millisecond)}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			g := newGuard(b, tc.opts...)
			for i, n := range numbers {
				_, _ = g.AllowSend(b.Context(), params("", n))
				if tc.trusted {
					for j := i; j < tc.members; j += len(numbers) {
						enter(b, g, params(members[j], n))
					}
				}
			}
			var next atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				i := int(next.Add(1)) * 1000
				for pb.Next() {
					i++
					member := i % tc.members
					if done, err := g.AllowSend(b.Context(), params(members[member], numbers[member%len(numbers)])); err == nil {
						done(nil, notKnown)
					}
				}
			})
		})
	}
}

var notKnown = &stytchb2b.TransportError{}

// BenchmarkAllowRefused is a decision that refuses: the attack's.
func BenchmarkAllowRefused(b *testing.B) {
	g := newGuard(b, guard.Recommended("US"))
	_, err := g.AllowSend(b.Context(), params("a", "+12025550123"))
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := g.AllowSend(b.Context(), params("a", "+12025550123")); err == nil {
				b.Error("allowed")
			}
		}
	})
}

// BenchmarkNewNumber is a decision about a number that was never looked up.
func BenchmarkNewNumber(b *testing.B) {
	g := newGuard(b, guard.AllowCountries("US"))
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		_, _ = g.AllowSend(b.Context(), params(members[i%len(members)], fmt.Sprintf("+1202%07d", 2000000+i%7999999)))
	}
}

// BenchmarkMemoryPerKey reports the memory of what is known of a Member.
func BenchmarkMemoryPerKey(b *testing.B) {
	const keys = 1 << 18
	var before, after runtime.MemStats
	for b.Loop() {
		s := memory(2 * keys)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range keys {
			_, _ = s.Do(b.Context(), counts.Event{Kind: counts.Send, Member: [2]string{members[i%len(members)], members[i/len(members)]}, Cooldown: time.Second})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(s.Len()), "B/key")
	}
}
