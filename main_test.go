package stytchb2b_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain looks for goroutines that the tests have left behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if leaked := leakedGoroutines(5 * time.Second); code == 0 && len(leaked) > 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines leaked:\n\n%s\n", len(leaked), strings.Join(leaked, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// leakedGoroutines returns the stacks of goroutines that do not end in time.
func leakedGoroutines(patience time.Duration) (leaked []string) {
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		leaked = nil
		buf := make([]byte, 4<<20)
		buf = buf[:runtime.Stack(buf, true)]
		for i, stack := range bytes.Split(buf, []byte("\n\n")) {
			// Besides this one: the testing package's own, which watch signals and
			// fuzzing workers.
			if i > 0 && !bytes.Contains(stack, []byte("os/signal.")) && !bytes.Contains(stack, []byte("internal/fuzz.")) {
				leaked = append(leaked, string(stack))
			}
		}
		if len(leaked) == 0 {
			return nil
		}
		select {
		case <-deadline:
			return leaked
		case <-tick.C:
		}
	}
}
