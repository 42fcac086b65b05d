// Command bench holds stytchb2b against what people would use instead, and
// prints what its README quotes: ratios, from one run on one machine.
//
//	go -C thirdparty run ./bench
//
// It takes about three minutes, and all its traffic stays on loopback. With
// -short it takes seconds, and shows that it works rather than numbers.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/eb715825/stytchb2b"
)

func main() {
	testing.Init()
	mode := flag.String("serve", "", "be the server, of this `protocol`; for the command's own use")
	childOf := flag.String("child", "", "be the client of this `name`; for the command's own use")
	flag.BoolVar(&short, "short", false, "measure little, and quickly")
	flag.Parse()
	if *mode != "" {
		serve(protocol(*mode))
		return
	}
	if *childOf != "" {
		beChild(*childOf)
		return
	}
	if short {
		check(flag.Set("test.benchtime", "20ms"))
	}
	machine()
	cpu()
	kept()
	throughput()
	frozen()
	scale()
	footprint()
}

var short bool

// atLength is n, or a little of it with -short.
func atLength(n int) int {
	if short {
		return max(1, n/20)
	}
	return n
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// table prints rows under a title.
func table(title string, header string, rows ...string) {
	fmt.Printf("\n## %s\n\n", title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	columns := strings.Count(header, "|")
	fmt.Fprintln(w, "| "+strings.ReplaceAll(header, "|", "\t| ")+"\t|")
	fmt.Fprintln(w, "| ---"+strings.Repeat("\t| ---:", columns)+"\t|")
	for _, row := range rows {
		fmt.Fprintln(w, "| "+strings.ReplaceAll(row, "|", "\t| ")+"\t|")
	}
	check(w.Flush())
}

func machine() {
	fmt.Printf("%s, %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name\t: "); ok {
			name, _, _ := strings.Cut(rest, "\n")
			fmt.Print(", ", strings.TrimSpace(name))
		}
	}
	fmt.Println()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/hashicorp/go-retryablehttp", "github.com/go-resty/resty/v2":
			fmt.Println(m.Path, m.Version)
		}
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func last(v []float64) float64 { return v[len(v)-1] }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// cpu is one call after the other, without a network.
func cpu() {
	answer := exampleAnswer()
	memory := roundTripper(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
		return &http.Response{
			StatusCode:    http.StatusOK,
			Header:        http.Header{"Content-Type": {"application/json"}},
			ContentLength: int64(len(answer)),
			Body:          io.NopCloser(bytes.NewReader(answer)),
			Request:       req,
		}, nil
	})
	rounds := atLength(5) // in turn, so that a slow moment of the machine meets all
	times, allocs := map[string][]float64{}, map[string]int64{}
	for range rounds {
		for _, p := range peers {
			send := p.make("https://stytch.example.com", memory)
			result := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					check(send(context.Background()))
				}
			})
			times[p.name] = append(times[p.name], float64(result.NsPerOp()))
			allocs[p.name] = result.AllocsPerOp()
		}
	}
	var rows []string
	for _, p := range peers {
		rows = append(rows, fmt.Sprintf("%s|%.2f|%.2f|%.1f µs|%d", p.name,
			median(times[p.name])/median(times[byHand.name]), float64(allocs[p.name])/float64(allocs[byHand.name]),
			median(times[p.name])/1000, allocs[p.name]))
	}
	table(fmt.Sprintf("One Send, in memory, %d-byte answer", len(answer)), "client|time|allocations|time|allocations", rows...)
}

// load makes n calls, some at once, and returns how long all took.
func load(n, atOnce int, send send) time.Duration {
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range atOnce {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				check(send(context.Background()))
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// throughput is many calls at once to a server that takes 5 ms.
func throughput() {
	const atOnce, tuned = 64, "tuned by hand"
	sends, rounds := atLength(5000), atLength(9)
	var rows []string
	for _, proto := range protocols {
		s := startServer(proto)
		url := s.URL + "/delay/5ms"
		// The library makes its transport from the default one, which is how the
		// certificate of the server gets there.
		s.trust(http.DefaultTransport.(*http.Transport))
		clients := []struct {
			name string
			make func() (send, func())
		}{
			{tuned, func() (send, func()) { t := s.tuned(); return byHand.make(url, t), t.CloseIdleConnections }},
			{"stytchb2b, default", func() (send, func()) { return library(url), func() {} }},
			{"http.DefaultTransport", func() (send, func()) {
				t := http.DefaultTransport.(*http.Transport).Clone()
				return byHand.make(url, t), t.CloseIdleConnections
			}},
		}
		rates, ratios, connections := map[string][]float64{}, map[string][]float64{}, map[string]int{}
		for range rounds {
			for _, c := range clients {
				send, done := c.make()
				s.ask("connections")
				took := load(sends, atOnce, send)
				rates[c.name] = append(rates[c.name], float64(sends)/took.Seconds())
				connections[c.name] = max(connections[c.name], s.ask("connections"))
				done()
			}
			for _, c := range clients {
				ratios[c.name] = append(ratios[c.name], last(rates[c.name])/last(rates[tuned]))
			}
		}
		for _, c := range clients {
			rows = append(rows, fmt.Sprintf("%s, %s|%.2f|%d|%.0f/s", proto, c.name,
				median(ratios[c.name]), connections[c.name], median(rates[c.name])))
		}
		s.stop()
	}
	table(fmt.Sprintf("%d Sends, %d at once, to a server that takes 5 ms", sends, atOnce), "transport|rate|connections, at most|rate", rows...)
}

// scale is very many Sends in flight at once.
func scale() {
	inFlight := atLength(10_000)
	s := startServer(https2)
	defer s.stop()
	s.trust(http.DefaultTransport.(*http.Transport))
	s.ask("held") // opens the control connection

	newHand := func(what string) (send, *http.Transport) {
		t := s.tuned()
		return handWritten(time.Minute)(s.URL+what, t), t
	}
	newOurs := func(what string) (send, *http.Transport) {
		t := s.tuned()
		return library(s.URL+what, stytchb2b.WithTimeout(time.Minute), stytchb2b.WithHTTPClient(&http.Client{Transport: t})), t
	}

	type footprint struct{ memory, goroutines, left int }
	measure := func(newSend func(string) (send, *http.Transport)) footprint {
		before, goroutines := settledMemory(), runtime.NumGoroutine()
		send, transport := newSend("/hold")
		var wg sync.WaitGroup
		start := func(n int) {
			for range n {
				wg.Go(func() { check(send(context.Background())) })
			}
		}
		start(1) // makes the connection
		for s.ask("held") < 1 {
			time.Sleep(time.Millisecond)
		}
		start(inFlight - 1)
		for s.ask("held") < inFlight {
			time.Sleep(20 * time.Millisecond)
		}
		f := footprint{memory: settledMemory() - before, goroutines: runtime.NumGoroutine() - goroutines}
		s.ask("release")
		wg.Wait()
		transport.CloseIdleConnections()
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if f.left = runtime.NumGoroutine() - goroutines; f.left <= 0 {
				break
			}
		}
		return f
	}
	measure(newHand) // warms up
	var rows []string
	base := measure(newHand)
	for _, c := range []struct {
		name string
		footprint
	}{{byHand.name, base}, {ours.name, measure(newOurs)}} {
		rows = append(rows, fmt.Sprintf("%s|%.2f|%.1f KB|%.2f|%d", c.name, float64(c.memory)/float64(base.memory),
			float64(c.memory)/float64(inFlight)/1024, float64(c.goroutines)/float64(inFlight), max(0, c.left)))
	}
	table(fmt.Sprintf("%d Sends in flight, %s", inFlight, https2), "client|memory|memory of one|goroutines of one|goroutines left behind", rows...)
}

// settledMemory is the memory in use after a collection: heap and stacks.
func settledMemory() int {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// footprint is what the library costs before the first call.
func footprint() {
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := stytchb2b.NewClient(projectID, secret)
			check(err)
		}
	})
	size := func(program string) float64 {
		dir, err := os.MkdirTemp("", "bench")
		check(err)
		defer os.RemoveAll(dir)
		out := filepath.Join(dir, "program")
		command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, minimal+program)
		info, err := os.Stat(out)
		check(err)
		return float64(info.Size())
	}
	with, without := size("stytchb2b"), size("nethttp")
	modules := strings.Fields(command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", minimal+"stytchb2b"))
	slices.Sort(modules)
	modules = slices.Compact(modules)
	table("Footprint", "what|how much",
		fmt.Sprintf("NewClient|%.1f µs, %d allocations, no I/O", float64(result.NsPerOp())/1000, result.AllocsPerOp()),
		fmt.Sprintf("stripped size of a minimal program, over net/http alone|%.2f (%.1f MB)", with/without, with/1e6),
		fmt.Sprintf("modules compiled into it|%d: %s", len(modules), strings.Join(modules, ", ")))
}

const minimal = "github.com/eb715825/stytchb2b/thirdparty/bench/minimal/"

func command(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%s %v: %w: %s", name, args, err, exit.Stderr)
	}
	check(err)
	return string(out)
}
