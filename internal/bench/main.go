// Command bench compares stytchb2b with the same call written by hand with net/http,
// and prints the figures of its README: ratios, from one run on one machine. All
// traffic stays on loopback.
//
//	go run ./internal/bench
//
// It takes two minutes, or the time in -time. Under ten seconds, it only checks that
// everything works.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/byhand"
)

var length = flag.Duration("time", 2*time.Minute, "how long to measure")

func main() {
	mode := flag.String("serve", "", "be the server, of this `protocol`; for the command's own use")
	flag.Parse()
	if *mode != "" {
		serve(protocol(*mode))
		return
	}
	machine()
	kept()
	throughput()
	scale()
	size()
}

// atLength returns n, or a fraction of it in a short run.
func atLength(n int) int {
	if *length < 10*time.Second {
		return n / 20
	}
	return n
}

var began = time.Now()

// progress prints the next measurement to stderr.
func progress(step int, what ...any) {
	fmt.Fprintf(os.Stderr, "bench: %d of 7, after %2.0f s: %s\n", step, time.Since(began).Seconds(), fmt.Sprint(what...))
}

// rounds calls f for some tenths of the time, and at least once.
func rounds(tenths time.Duration, f func()) {
	for end := time.Now().Add(tenths * *length / 10); ; {
		f()
		if !time.Now().Before(end) {
			return
		}
	}
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
	fmt.Printf("%s, %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
}

func median(v []float64) float64 { return slices.Sorted(slices.Values(v))[len(v)/2] }

const (
	projectID = "project-test-11111111-1111-4111-8111-111111111111"
	secret    = "secret-test-11111111-1111-4111-8111-111111111111"
)

var params = stytchb2b.SMSSendParams{
	OrganizationID: "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931",
	MemberID:       "member-test-32fc5024-9c09-4da3-bd2e-c9ce4da9375f",
	Locale:         stytchb2b.LocaleEs,
}

// A send makes the call once. If the call fails, it ends the program.
type send func()

const timeout = time.Minute

// library makes a client of the library. If the transport is nil, it uses its own.
func library(url string, transport http.RoundTripper) send {
	opts := []stytchb2b.Option{stytchb2b.WithBaseURL(url), stytchb2b.WithTimeout(timeout)}
	if transport != nil {
		opts = append(opts, stytchb2b.WithHTTPClient(&http.Client{Transport: transport}))
	}
	client, err := stytchb2b.NewClient(projectID, secret, opts...)
	check(err)
	return func() {
		_, err := client.OTPs.SMS.Send(context.Background(), params)
		check(err)
	}
}

func handWritten(url string, transport http.RoundTripper) send {
	client := byhand.Client{HTTP: &http.Client{Transport: transport}, BaseURL: url, ProjectID: projectID, Secret: secret, Timeout: timeout}
	return func() { check(client.Send(context.Background(), params, &stytchb2b.SMSSendResponse{})) }
}

// kept measures Sends in sequence on one kept connection.
func kept() {
	sends := atLength(500)
	var rows []string
	for step, proto := range []protocol{http1, https1} {
		progress(1+step, "one Send on a kept connection, ", proto)
		s := startServer(proto)
		url := s.URL + "/delay/0s"
		clients := []send{handWritten(url, s.tuned()), library(url, s.tuned())}
		times := make([][]float64, len(clients))
		rounds(1, func() { // in turn, so that slow moments affect all equally
			for i, send := range clients {
				start := time.Now()
				for range sends {
					send()
				}
				times[i] = append(times[i], float64(time.Since(start))/float64(sends))
			}
		})
		rows = append(rows, fmt.Sprintf("%s|1.00|%.2f|%.0f µs", proto, median(times[1])/median(times[0]), median(times[1])/1000))
		s.stop()
	}
	table("One Send on a kept connection, over loopback", "protocol|by hand|stytchb2b|time", rows...)
}

// throughput measures concurrent calls to a server that takes 5 ms.
func throughput() {
	const atOnce = 64
	sends := atLength(5000)
	var rows []string
	for step, proto := range protocols {
		progress(3+step, sends, " Sends, ", atOnce, " at once, ", proto)
		s := startServer(proto)
		url := s.URL + "/delay/5ms"
		// The library derives its transport from the default one: that is how it gets the
		// server's certificate.
		s.trust(http.DefaultTransport.(*http.Transport))
		clients := []struct {
			name string
			make func() (send, func())
		}{
			{"tuned by hand", func() (send, func()) { t := s.tuned(); return handWritten(url, t), t.CloseIdleConnections }},
			{"stytchb2b, default", func() (send, func()) { return library(url, nil), func() {} }},
			{"http.DefaultTransport", func() (send, func()) {
				t := http.DefaultTransport.(*http.Transport).Clone()
				return handWritten(url, t), t.CloseIdleConnections
			}},
		}
		ratios, connections := make([][]float64, len(clients)), make([]int, len(clients))
		rounds(2, func() {
			var tuned float64
			for i, c := range clients {
				send, done := c.make()
				s.ask("connections")
				rate := 1 / load(sends, atOnce, send).Seconds()
				connections[i] = max(connections[i], s.ask("connections"))
				done()
				if i == 0 {
					tuned = rate
				}
				ratios[i] = append(ratios[i], rate/tuned)
			}
		})
		for i, c := range clients {
			rows = append(rows, fmt.Sprintf("%s, %s|%.2f|%d", proto, c.name, median(ratios[i]), connections[i]))
		}
		s.stop()
	}
	table(fmt.Sprintf("%d Sends, %d at once, to a server that takes 5 ms", sends, atOnce), "transport|rate|connections, at most", rows...)
}

// load makes n calls, some concurrently, and returns the total time.
func load(n, atOnce int, send send) time.Duration {
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range atOnce {
		wg.Go(func() {
			for next.Add(1) <= int64(n) {
				send()
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// scale measures a large number of Sends in flight.
func scale() {
	inFlight := atLength(10_000)
	progress(6, inFlight, " Sends in flight")
	s := startServer(https2)
	defer s.stop()
	s.ask("held") // opens the control connection

	measure := func(newSend func(string, http.RoundTripper) send) (memory float64, left int) {
		before, goroutines := settledMemory(), runtime.NumGoroutine()
		transport := s.tuned()
		send := newSend(s.URL+"/hold", transport)
		var wg sync.WaitGroup
		start := func(n, held int) {
			for range n {
				wg.Go(send)
			}
			for s.ask("held") < held {
				time.Sleep(10 * time.Millisecond)
			}
		}
		start(1, 1) // makes the connection
		start(inFlight-1, inFlight)
		memory = float64(settledMemory()-before) / float64(inFlight) / 1024
		s.ask("release")
		wg.Wait()
		transport.CloseIdleConnections()
		for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		return memory, max(0, runtime.NumGoroutine()-goroutines)
	}
	measure(handWritten) // warms up
	var base, ours []float64
	left := 0
	for range 3 { // Stacks grow at random times.
		m, _ := measure(handWritten)
		base = append(base, m)
		m, l := measure(library)
		ours, left = append(ours, m), left+l
	}
	table(fmt.Sprintf("%d Sends in flight, %s", inFlight, https2), "client|memory|memory of one|goroutines left behind",
		fmt.Sprintf("net/http by hand|1.00|%.1f KB|", median(base)),
		fmt.Sprintf("stytchb2b|%.2f|%.1f KB|%d", median(ours)/median(base), median(ours), left))
}

// settledMemory returns the memory in use after a garbage collection: heap and stacks.
func settledMemory() int {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// size measures how much the library adds to a program.
func size() {
	progress(7, "the size of a program")
	dir, err := os.MkdirTemp("", "bench")
	check(err)
	defer os.RemoveAll(dir)
	of := func(program string) float64 {
		out := filepath.Join(dir, program)
		_, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "github.com/eb715825/stytchb2b/internal/bench/minimal/"+program).Output()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		check(err)
		info, err := os.Stat(out)
		check(err)
		return float64(info.Size())
	}
	with, without := of("stytchb2b"), of("nethttp")
	table("The stripped size of a minimal program", "client|size|size",
		fmt.Sprintf("net/http by hand|1.00|%.1f MB", without/1e6), fmt.Sprintf("stytchb2b|%.2f|%.1f MB", with/without, with/1e6))
}
