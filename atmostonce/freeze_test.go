//go:build unix

package atmostonce_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestFreeze stops a process that has kept connections, as a platform does that
// freezes a function between two calls. Meanwhile the server closes them. The
// first request after that gets through.
func TestFreeze(t *testing.T) {
	t.Parallel()
	for _, proto := range overHTTP1 {
		for _, conns := range []int{1, 16} {
			t.Run(fmt.Sprintf("%s/%d connections", proto, conns), func(t *testing.T) {
				t.Parallel()
				l := &ledger{}
				s := faults.Serve(t, proto, l)
				child := startChild(t, s, conns)
				through, rounds := 0, 2**times
				for i := range rounds {
					require.Equal(t, "warm", child.ask("warm"))
					child.freeze()
					s.CloseClientConnections()
					order := fmt.Sprint("order ", i)
					child.tell(order)
					child.thaw()
					answer := child.answer()
					if answer == "200" {
						through++
					} else {
						t.Log(answer)
					}
					assert.Equal(t, answer == "200", l.of(order) == 1)
				}
				t.Logf("%d of %d", through, rounds)
				assert.GreaterOrEqual(t, through, rounds-(rounds+199)/200)
			})
		}
	}
}

// A child is this program, run again as TestChild.
type child struct {
	*testing.T
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func startChild(t *testing.T, s *faults.Server, conns int) child {
	cmd := exec.CommandContext(limited(t), os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "ATMOSTONCE_URL="+s.URL, fmt.Sprint("ATMOSTONCE_CONNECTIONS=", conns))
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return child{t, cmd, in, bufio.NewScanner(out)}
}

func (c child) tell(line string) {
	_, err := fmt.Fprintln(c.in, line)
	require.NoError(c, err)
}

func (c child) answer() string {
	require.True(c, c.out.Scan(), "the child is dead, or was killed at the limit: %v", c.out.Err())
	return c.out.Text()
}

func (c child) ask(line string) string {
	c.tell(line)
	return c.answer()
}

func (c child) freeze() {
	require.NoError(c, c.cmd.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(c.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(c, err)
	require.True(c, status.Stopped())
}

func (c child) thaw() { require.NoError(c, c.cmd.Process.Signal(syscall.SIGCONT)) }

// TestChild is the process that is frozen. It keeps connections and makes a
// request for each line.
func TestChild(t *testing.T) {
	url := os.Getenv("ATMOSTONCE_URL")
	if url == "" {
		t.Skip("it is for TestFreeze")
	}
	var conns int
	_, _ = fmt.Sscan(os.Getenv("ATMOSTONCE_CONNECTIONS"), &conns)
	base := atmostonce.NewBase().(*http.Transport)
	faults.TrustAll(base)
	client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		line := lines.Text()
		if line == "warm" {
			open(t, client, url, conns)
			fmt.Println("warm")
			continue
		}
		resp, err := client.Do(newRequest(t, http.MethodPost, url, strings.NewReader(line)))
		if err != nil {
			fmt.Printf("maybe sent %v: %v\n", atmostonce.MaybeSent(err), err)
			continue
		}
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode)
	}
}
