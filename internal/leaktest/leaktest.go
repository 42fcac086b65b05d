// Package leaktest looks for goroutines that the tests of a package have left
// behind.
package leaktest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main is for a TestMain: it runs the tests, and fails if goroutines are left.
func Main(m *testing.M) {
	code := m.Run()
	if left := leftBehind(5 * time.Second); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines are left:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// leftBehind returns the stacks of goroutines that do not end in time.
func leftBehind(patience time.Duration) (stacks []string) {
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		stacks = nil
		buf := make([]byte, 4<<20)
		buf = buf[:runtime.Stack(buf, true)]
		for i, stack := range bytes.Split(buf, []byte("\n\n")) {
			// Besides this one: the runtime's and the testing package's own, which
			// watch signals and fuzzing workers.
			if i > 0 && !bytes.Contains(stack, []byte("os/signal.")) && !bytes.Contains(stack, []byte("internal/fuzz.")) {
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
