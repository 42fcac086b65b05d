package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/eb715825/stytchb2b"
)

// kept is one Send after the other on one kept connection, at which the library
// looks before each. net/http writes the header and the body of a request apart,
// unless it knows the body's type, and it does not know the library's, which can
// be read once: that is the rest of what it costs.
func kept() {
	rounds, sends := atLength(40), atLength(500)
	var rows []string
	for _, proto := range []protocol{http1, https1} {
		s := startServer(proto)
		url := s.URL + "/delay/0s"
		clients := []send{byHand.make(url, s.tuned()), byHand.make(url, apart(s.tuned())), ours.make(url, s.tuned())}
		times := make([][]float64, len(clients))
		for range rounds { // in turn, so that a slow moment of the machine meets all
			for i, send := range clients {
				start := time.Now()
				for range sends {
					check(send(context.Background()))
				}
				times[i] = append(times[i], float64(time.Since(start))/float64(sends))
			}
		}
		rows = append(rows, fmt.Sprintf("%s|1.00|%.2f|%.2f|%.1f µs", proto,
			median(times[1])/median(times[0]), median(times[2])/median(times[0]), median(times[2])/1000))
		s.stop()
	}
	table("One Send on a kept connection, over loopback", "protocol|by hand|by hand, header and body written apart|stytchb2b|time", rows...)
}

// apart hides the type of a request's body.
func apart(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Body = struct{ io.ReadCloser }{req.Body}
		return next.RoundTrip(req)
	})
}

// frozen is the first Send of a process that was stopped, while the server closed
// its kept connections.
func frozen() {
	const conns = 64
	rounds := atLength(100)
	var rows []string
	for _, p := range peers {
		row := p.name
		for _, proto := range []protocol{http1, https1} {
			s := startServer(proto)
			c := startChild(s, p.name)
			s.ask("sent")
			through := 0
			for range rounds {
				c.tell("warm")
				for s.ask("held") < conns {
					time.Sleep(time.Millisecond)
				}
				s.ask("release")
				c.hear()
				c.freeze()
				s.ask("close")
				c.tell("send")
				c.thaw()
				if c.hear() == "ok" {
					through++
				}
			}
			row += fmt.Sprintf("|%d of %d, %d SMS", through, rounds, s.ask("sent"))
			c.stop()
			s.stop()
		}
		rows = append(rows, row)
	}
	table(fmt.Sprintf("The first Send after a freeze, with %d kept connections that the server has closed: got through", conns), "client|TCP|TLS", rows...)
}

// A child is a client in a process of its own, which can be frozen.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startChild(s *server, name string) child {
	self, err := os.Executable()
	check(err)
	cmd := exec.Command(self, "-child", name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	check(err)
	out, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	check(json.NewEncoder(in).Encode(s.started))
	return child{cmd, in, bufio.NewScanner(out)}
}

func (c child) tell(line string) {
	_, err := fmt.Fprintln(c.in, line)
	check(err)
}

func (c child) hear() string {
	if !c.out.Scan() {
		check(fmt.Errorf("the child is gone: %v", c.out.Err()))
	}
	return c.out.Text()
}

func (c child) freeze() {
	check(c.cmd.Process.Signal(syscall.SIGSTOP))
	_, err := syscall.Wait4(c.cmd.Process.Pid, nil, syscall.WUNTRACED, nil)
	check(err)
}

func (c child) thaw() { check(c.cmd.Process.Signal(syscall.SIGCONT)) }

func (c child) stop() {
	check(c.in.Close())
	check(c.cmd.Wait())
}

// beChild makes a Send, or many at once, for each line that it reads.
func beChild(name string) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Scan()
	var s server
	check(json.Unmarshal(lines.Bytes(), &s.started))
	transport := s.tuned()
	if name == ours.name {
		transport = stytchb2b.NewTransport().(*http.Transport)
		s.trust(transport)
	}
	transport.ForceAttemptHTTP2 = false
	for _, p := range peers {
		if p.name != name {
			continue
		}
		hold, send := p.make(s.URL+"/hold", transport), p.make(s.URL+"/counted", transport)
		for lines.Scan() {
			answer := "ok"
			if lines.Text() == "warm" {
				transport.CloseIdleConnections()
				var wg sync.WaitGroup
				for range 64 {
					wg.Go(func() { check(hold(context.Background())) })
				}
				wg.Wait()
			} else if send(context.Background()) != nil {
				answer = "failed"
			}
			fmt.Println(answer)
		}
	}
}
