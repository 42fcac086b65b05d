// Package leaktest finds goroutines that a package's tests leave behind.
package leaktest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// Main is for a TestMain. It runs the tests, and fails if goroutines are left, except
// those with one of the given functions in their stacks.
func Main(m *testing.M, besides ...string) {
	code := m.Run()
	// The runtime and package testing have some that watch signals and fuzzing workers.
	if left := leftBehind(time.Minute, append(besides, "os/signal.", "internal/fuzz.")); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines are left:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// leftBehind waits, and returns the stacks of goroutines that did not end.
func leftBehind(patience time.Duration, besides []string) (stacks []string) {
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		stacks = nil
		buf := make([]byte, 4<<20)
		buf = buf[:runtime.Stack(buf, true)]
		for i, stack := range bytes.Split(buf, []byte("\n\n")) {
			// The first is this goroutine.
			if i > 0 && !slices.ContainsFunc(besides, func(s string) bool { return bytes.Contains(stack, []byte(s)) }) {
				stacks = append(stacks, string(stack))
			}
		}
		if len(stacks) == 0 {
			return nil
		}
		select {
		case <-deadline:
			return stacks
		case <-tick.C:
		}
	}
}
