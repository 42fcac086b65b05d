package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// The server is a separate process, so that its memory and processor time do not count
// as the client's.

// A protocol is the protocol of the server.
type protocol string

const (
	http1  protocol = "TCP, HTTP/1.1"
	https1 protocol = "TLS, HTTP/1.1"
	https2 protocol = "TLS, HTTP/2"
)

var protocols = []protocol{http1, https1, https2}

// exampleAnswer returns an answer of the fake: 1.5 KB, like Stytch's.
func exampleAnswer() []byte {
	srv := stytchtest.NewServer()
	defer srv.Close()
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, "/v1/b2b/otps/sms/send", strings.NewReader(
		fmt.Sprintf(`{"organization_id":%q,"member_id":%q}`, srv.OrganizationID, srv.MemberID)))
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(srv.ProjectID, srv.Secret)
	srv.ServeHTTP(w, req)
	return w.Body.Bytes()
}

// serve is the server's process. It answers a request to /delay/5ms/... after that time,
// and one to /hold/... after a request to /release.
func serve(proto protocol) {
	var connections, held atomic.Int64
	gate := make(chan struct{}) // one token for each held answer
	answer := exampleAnswer()
	mux := http.NewServeMux()
	respond := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}
	mux.HandleFunc("/delay/{time}/", func(w http.ResponseWriter, r *http.Request) {
		d, err := time.ParseDuration(r.PathValue("time"))
		check(err)
		time.Sleep(d)
		respond(w, r)
	})
	mux.HandleFunc("/hold/", func(w http.ResponseWriter, r *http.Request) {
		held.Add(1)
		<-gate
		respond(w, r)
	})
	mux.HandleFunc("/release", func(http.ResponseWriter, *http.Request) {
		for range held.Swap(0) {
			gate <- struct{}{}
		}
	})
	mux.HandleFunc("/held", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, held.Load()) })
	mux.HandleFunc("/connections", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, connections.Swap(0)) })

	server := httptest.NewUnstartedServer(mux)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.EnableHTTP2 = proto == https2
	// One connection has room for 10,000 calls. Otherwise, net/http would dial one for
	// nearly each call, and run out of ports.
	server.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 20_000}
	var ca []byte
	if proto == http1 {
		server.Start()
	} else {
		server.StartTLS()
		ca = server.Certificate().Raw
	}
	check(json.NewEncoder(os.Stdout).Encode(started{server.URL, ca}))
	_, _ = io.Copy(io.Discard, os.Stdin) // Until the benchmark ends.
}

type started struct {
	URL string
	CA  []byte
}

// A server is the server's process, as the benchmark uses it.
type server struct {
	started
	proto   protocol
	control *http.Client // uses its own connections
	stop    func()
}

func startServer(proto protocol) *server {
	self, err := os.Executable()
	check(err)
	cmd := exec.Command(self, "-serve", string(proto))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	check(err)
	stdout, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	check(err)
	s := &server{proto: proto}
	check(json.Unmarshal(line, &s.started))
	s.control = &http.Client{Transport: s.tuned()}
	s.stop = func() { _ = stdin.Close(); _ = cmd.Wait() }
	return s
}

// trust makes a transport trust the server and use its protocol.
func (s *server) trust(t *http.Transport) {
	if s.CA != nil {
		cert, err := x509.ParseCertificate(s.CA)
		check(err)
		roots := x509.NewCertPool()
		roots.AddCert(cert)
		t.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
}

// tuned returns a transport tuned by hand for 64 concurrent calls.
func (s *server) tuned() *http.Transport {
	t := &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true}
	s.trust(t)
	return t
}

// ask requests a path from the server, and returns the number in the answer, if any.
func (s *server) ask(what string) (n int) {
	resp, err := s.control.Get(s.URL + "/" + what)
	check(err)
	defer resp.Body.Close()
	_, _ = fmt.Fscan(resp.Body, &n)
	return n
}
