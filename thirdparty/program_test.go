//go:build linux

package thirdparty_test

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// A scenario is a configuration of a program, and what the origin behind it does.
type scenario struct {
	name string
	// config goes into the program's configuration.
	config string
	// tls makes clients use TLS, and HTTP/2 if the program offers it.
	tls bool
	// fault is what happens to requests at the origin: to all, or with some probability.
	fault  stytchtest.Fault
	chance float64
	// event sometimes happens to the program, between an SMS and its answer.
	event func(*program)
	// canceled cancels contexts at random.
	canceled bool
	// throughProxy makes clients send to the origin, with the program as a proxy.
	throughProxy bool

	// Sends continue until all of this has happened: an error with each of the
	// statuses, a Send that failed after its SMS went out, one that failed without an
	// SMS, and this many connections.
	statuses    []int
	sent        bool
	unsent      bool
	connections int
}

// runAll runs the scenarios with a program. Its configuration is a template for
// settings.
func runAll(t *testing.T, name, config string, scenarios []scenario, args ...string) {
	path := look(t, name)
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t, path, config, args)
		})
	}
}

func (s scenario) run(t *testing.T, path, config string, args []string) {
	l := newLab(t)
	l.fault, l.chance = s.fault, cmp.Or(s.chance, 1)
	p := l.start(path, config, s.config, args)
	if s.event != nil {
		l.event = func() { s.event(p) }
	}
	scheme := map[bool]string{false: "http://", true: "https://"}[s.tls]
	clients := l.clients(scheme+p.addr, nil, &http.Client{Transport: l.transport()})
	if s.throughProxy {
		clients = l.clients(l.URL, &http.Client{Transport: l.transport(func(t *http.Transport) {
			t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: p.addr})
		})})
	}
	var results []faults.Result
	for end := time.Now().Add(time.Minute); ; {
		results = append(results, l.Send(*sends, atOnce, s.canceled, clients...)...)
		if len(s.unseen(l, results)) == 0 || time.Now().After(end) {
			break
		}
	}
	if s.canceled {
		l.settle()
	}
	assert.Empty(t, s.unseen(l, results), "the scenario shows nothing")
	l.Check(results)
}

// unseen returns what should have happened and has not yet.
func (s scenario) unseen(l *lab, results []faults.Result) (missing []string) {
	tally := l.Tally(results)
	for _, status := range s.statuses {
		if tally.Statuses[status] == 0 {
			missing = append(missing, fmt.Sprint("errors with status ", status))
		}
	}
	if s.sent && tally.SentAndFailed == 0 {
		missing = append(missing, "Sends that failed after their SMS")
	}
	if s.unsent && tally.UnsentAndFailed == 0 {
		missing = append(missing, "Sends that failed without an SMS")
	}
	from := map[string]bool{}
	for _, r := range l.Stytch.Requests() {
		from[r.Header.Get("X-From")] = true
	}
	if len(from) < s.connections {
		missing = append(missing, "connections to the program")
	}
	return missing
}

// look returns the path of a program, or skips the test if it is not installed.
func look(t *testing.T, name string) string {
	for _, file := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(file); err == nil {
			return path
		}
	}
	t.Skipf("there is no %s here", name)
	return ""
}

// A program is a process that stands between the client and the origin.
type program struct {
	addr string
	cmd  *exec.Cmd
}

// settings are the data of a configuration template.
type settings struct {
	Port   int    // of 127.0.0.1, to listen on
	Origin string // its address
	// OriginPort is part of it.
	OriginPort string
	Dir        string // for any files that it needs; anyone can write there
	PEM        string // a file with the certificate of all servers here, and its key
	Config     string // the scenario's part
	File       string // the configuration file
	Root       bool   // whether root runs it
}

// start runs a program with a configuration file until the test ends. The args are
// templates as well.
func (l *lab) start(path, config, scenario string, args []string) *program {
	set := settings{
		Port:   freePort(l),
		Origin: l.Listener.Addr().String(),
		Dir:    l.dir(),
		Root:   os.Getuid() == 0,
	}
	_, set.OriginPort, _ = net.SplitHostPort(set.Origin)
	key, err := x509.MarshalPKCS8PrivateKey(faults.Certificate().PrivateKey)
	require.NoError(l, err)
	set.PEM = filepath.Join(set.Dir, "server.pem")
	require.NoError(l, os.WriteFile(set.PEM, append(certPEM(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), 0o644))
	set.Config = l.execute(scenario, set)
	set.File = filepath.Join(set.Dir, "config")
	require.NoError(l, os.WriteFile(set.File, []byte(l.execute(config, set)), 0o644))

	p := &program{addr: fmt.Sprintf("127.0.0.1:%d", set.Port)}
	command := make([]string, len(args))
	for i, arg := range args {
		command[i] = l.execute(arg, set)
	}
	var output bytes.Buffer
	p.cmd = exec.Command(path, command...)
	p.cmd.Env = append(os.Environ(), "HOME="+set.Dir, "XDG_DATA_HOME="+set.Dir, "XDG_CONFIG_HOME="+set.Dir)
	p.cmd.Stdout, p.cmd.Stderr = &output, &output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // to end its workers with it
		Pdeathsig: syscall.SIGTERM, // in case this process dies first
	}
	require.NoError(l, p.cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = p.cmd.Wait()
		close(ended)
	}()
	l.Cleanup(func() {
		select {
		case <-ended:
			l.Errorf("%s has ended unexpectedly", path)
		default:
		}
		// A program with children waits for them when it is told to end.
		p.signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(300 * time.Millisecond):
		}
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		// If Squid is killed, it leaves its shared memory behind.
		left, _ := filepath.Glob(fmt.Sprintf("/dev/shm/squid%d-*", set.Port))
		for _, file := range left {
			_ = os.Remove(file)
		}
		if l.Failed() {
			l.Logf("%s: %s", filepath.Base(path), output.Bytes()[max(0, output.Len()-1000):])
		}
	})
	require.Eventually(l, func() bool {
		conn, err := net.Dial("tcp", p.addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 20*time.Second, 5*time.Millisecond, "%s does not listen", path)
	return p
}

func (l *lab) execute(text string, set settings) string {
	var b strings.Builder
	require.NoError(l, template.Must(template.New("").Parse(text)).Execute(&b, set))
	return b.String()
}

// dir makes a directory that any user can open: some programs change their user, and
// t.TempDir's directories are private.
func (l *lab) dir() string {
	dir, err := os.MkdirTemp("", "thirdparty")
	require.NoError(l, err)
	require.NoError(l, os.Chmod(dir, 0o777))
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

var lastPort = rand.Int64N(15000)

// freePort returns a port below the ephemeral range, so that the kernel assigns it to
// no other server or connection of these tests.
func freePort(l *lab) int {
	for range 1000 {
		port := int(15000 + atomic.AddInt64(&lastPort, 1)%15000)
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = listener.Close()
			return port
		}
	}
	require.Fail(l, "no port is free")
	return 0
}

// signal sends a signal to the program's first process.
func (p *program) signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

// killChildren kills the processes that the program started.
func (p *program) killChildren() {
	statuses, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, file := range statuses {
		status, _ := os.ReadFile(file) // Its process may have ended.
		if bytes.Contains(status, fmt.Appendf(nil, "\nPPid:\t%d\n", p.cmd.Process.Pid)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
