package guard_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/guard"
)

// members are the IDs of many Members.
var members = func() (ids [1 << 16]string) {
	for i := range ids {
		ids[i] = fmt.Sprintf("member-test-%d", i)
	}
	return ids
}()

// BenchmarkAllow is a decision in memory, by 64 goroutines, about numbers that
// have been looked up.
func BenchmarkAllow(b *testing.B) {
	var numbers [1000]string
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+1202555%04d", i)
	}
	for name, opts := range map[string][]guard.Option{
		"cooldown": nil,
		"cooldown and 4 limits": {
			guard.Limit(guard.PerPhoneNumber, 1e9, time.Hour), guard.Limit(guard.PerPrefix, 1e9, time.Hour),
			guard.Limit(guard.PerOrganization, 1e9, time.Hour), guard.Limit(guard.InAll, 1e9, time.Hour),
		},
	} {
		b.Run(name, func(b *testing.B) {
			g := newGuard(b, append(opts, guard.AllowCountries("US"), guard.Cooldown(time.Millisecond))...)
			for _, n := range numbers {
				_, _ = g.Allow(b.Context(), params("", n))
			}
			var next atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				i := int(next.Add(1)) * 1000
				for pb.Next() {
					i++
					_, _ = g.Allow(b.Context(), params(members[i%len(members)], numbers[i%len(numbers)]))
				}
			})
		})
	}
}

// BenchmarkAllowRefused is a decision that refuses: the attack's.
func BenchmarkAllowRefused(b *testing.B) {
	g := newGuard(b, guard.Cooldown(time.Hour))
	_, err := g.Allow(b.Context(), params("a", "+12025550123"))
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := g.Allow(b.Context(), params("a", "+12025550123")); err == nil {
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
		_, _ = g.Allow(b.Context(), params(members[i%len(members)], fmt.Sprintf("+1202%07d", 2000000+i%7999999)))
	}
}

// BenchmarkMemoryPerKey reports the memory of a counter.
func BenchmarkMemoryPerKey(b *testing.B) {
	const keys = 1 << 18
	var before, after runtime.MemStats
	for b.Loop() {
		s := memory(b, 2*keys)
		runtime.GC()
		runtime.ReadMemStats(&before)
		claims := make([]guard.Claim, 1)
		for i := range keys {
			claims[0] = guard.Claim{Limit: "l", Subject: [2]string{members[i%len(members)], members[i/len(members)]}, N: 1, Interval: time.Hour}
			_, _, _ = s.Take(b.Context(), claims)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(s.Len()), "B/key")
	}
}
