package guard_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

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

// BenchmarkAllow is a decision in memory and the end of its Send, by 64 goroutines,
// about numbers that have been looked up.
func BenchmarkAllow(b *testing.B) {
	for _, trusted := range []bool{true, false} {
		b.Run(fmt.Sprint("trusted: ", trusted), func(b *testing.B) {
			g := newGuard(b, guard.Recommended("US"), guard.Cooldown(time.Millisecond))
			p := func(i int) stytchb2b.SMSSendParams {
				return params(members[i%4096], fmt.Sprintf("+1202555%04d", i%4096))
			}
			for i := range 4096 {
				_, _ = g.AllowSend(b.Context(), p(i))
				if trusted {
					enter(b, g, p(i))
				}
			}
			var next atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := int(next.Add(1)) * 1000; pb.Next(); i++ {
					if done, err := g.AllowSend(b.Context(), p(i)); err == nil {
						done(nil, notKnown)
					}
				}
			})
		})
	}
}

var notKnown = &stytchb2b.TransportError{}

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
