// Command fakestytch serves package stytchtest's Stytch to programs in any
// language.
//
//	go run ./stytchtest/cmd/fakestytch [flags]
//
// The flags are
//
//	-tls               serve https
//	-cert file         with -tls, the certificate, which clients must trust
//	-key file          its private key
//	-host name         the host name that clients use, such as a container's name;
//	                   it goes into the url and into a new certificate
//	-addr address      the address to listen on, by default 127.0.0.1:4010; port 0
//	                   picks a free one
//	-allow-remote      allow an address that is not loopback; the control API
//	                   below needs no credentials
//	-project-id id     the project's ID; random by default
//	-secret secret     the project's secret; random by default
//	-seed file         a JSON file with Organizations and Members to add, as
//	                   stytchtest.Server.Load takes it
//
// If neither the -cert file nor the -key file exists, fakestytch creates both. It uses
// them again after a restart, so clients need to trust the certificate only once.
// Without these flags, it creates a temporary certificate.
//
// The first line on standard output is a JSON object with what a client needs: url,
// project_id, secret, organization_id, member_id, email_address, password and, with
// -tls, ca_file, the certificate to trust. For each SMS, another line follows, with to,
// locale, code, organization_id, member_id, text, automatic and at.
//
// # Control
//
// Tests control the fake over HTTP. Requests and answers are JSON. Every field is
// optional. member_id defaults to the first Member:
//
//	fake=https://127.0.0.1:4010/_fakestytch
//	curl $fake/config                                          # the first line of the output
//	curl -d '{"members": [{"member_id": "member-test-1"}]}' $fake/seed
//	curl -d '{"member_id": "member-test-1"}' $fake/login       # a primary authentication, with Stytch's answer
//	curl $fake/sms?member_id=member-test-1                     # the SMS so far
//	curl -d '{"advance": "2m"}' $fake/clock                    # or {"time": "2026-05-04T12:00:00Z"}, which stops it
//	curl -X DELETE $fake/clock                                 # back to real time
//	curl -d '{"status_code": 429, "header": {"Retry-After": "30"}}' $fake/faults
//	curl -d '{"reset": true, "processed": true, "times": 2}' $fake/faults
//	curl -d '{"status_code": 502, "body": "<html>", "always": true}' $fake/faults
//	curl -X DELETE $fake/faults                                # removes all
//	curl -d '{"countries": ["US", "DE"]}' $fake/countries
//
// The fields of a fault are those of stytchtest.Fault. An error is {"error": "..."}
// with a 4xx status.
//
// Stytch's clients verify a session's JWT by their own clock. By that clock, a JWT
// issued after "advance" is not valid yet: after testing an expired code or session,
// return to real time before the next login. To give a client an expired JWT, set the
// clock back ("advance": "-6m") for a login.
//
// # Exit status
//
// The exit status is 0 after SIGINT or SIGTERM, 2 for a flag that does not exist or
// has a malformed value, and 1 for any other failure.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/eb715825/stytchb2b/stytchtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are the flags.
type options struct {
	addr, seed, projectID, secret, cert, key, host string
	tls, allowRemote                               bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("fakestytch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.tls, "tls", false, "serve https")
	flags.StringVar(&o.cert, "cert", "", "the certificate's `file`; it and the key are created if neither exists")
	flags.StringVar(&o.key, "key", "", "the `file` of the certificate's private key")
	flags.StringVar(&o.host, "host", "", "the `name` by which clients know the server")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:4010", "the `address` to listen on; port 0 picks a free one")
	flags.BoolVar(&o.allowRemote, "allow-remote", false, "allow an address that is not loopback")
	flags.StringVar(&o.projectID, "project-id", "", "the project's `ID`; random by default")
	flags.StringVar(&o.secret, "secret", "", "the project's `secret`; random by default")
	flags.StringVar(&o.seed, "seed", "", "a JSON `file` with Organizations and Members to add")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if err := serve(ctx, o, flags.Args(), stdout); err != nil {
		fmt.Fprintln(stderr, "fakestytch:", err)
		return 1
	}
	return 0
}

// check reports wrong usage.
func (o options) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q", rest[0])
	}
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	if ip, err := netip.ParseAddr(host); !o.allowRemote && host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("-addr: %s is not a loopback address; -allow-remote allows it", o.addr)
	}
	if (o.cert == "") != (o.key == "") || o.cert != "" && !o.tls {
		return errors.New("-tls, -cert and -key go together")
	}
	return nil
}

func serve(ctx context.Context, o options, rest []string, stdout io.Writer) error {
	if err := o.check(rest); err != nil {
		return err
	}
	srv := stytchtest.NewUnstartedServer()
	defer srv.Close()
	srv.EnableHTTP2 = true
	srv.ProjectID, srv.Secret = cmp.Or(o.projectID, srv.ProjectID), cmp.Or(o.secret, srv.Secret)
	if err := load(srv, o.seed); err != nil {
		return err
	}
	start := srv.Start
	if o.tls {
		if o.cert == "" {
			dir, err := os.MkdirTemp("", "fakestytch-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			o.cert, o.key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		}
		cert, err := certificate(o.cert, o.key, o.host)
		if err != nil {
			return err
		}
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		start = srv.StartTLS
	}
	_ = srv.Listener.Close()
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	srv.Listener = listener
	config := o.config(srv)
	srv.Config.Handler = control{srv, config}.handler(srv.Config.Handler)
	start()
	out := json.NewEncoder(stdout)
	if err := out.Encode(config); err != nil {
		return err
	}
	for {
		sms, err := srv.NextSMS(ctx)
		if err != nil {
			return nil // It was told to stop.
		}
		if err := out.Encode(sms); err != nil {
			return err
		}
	}
}

// startLine is what a client needs.
type startLine struct {
	URL            string `json:"url"`
	ProjectID      string `json:"project_id"`
	Secret         string `json:"secret"`
	OrganizationID string `json:"organization_id"`
	MemberID       string `json:"member_id"`
	EmailAddress   string `json:"email_address"`
	Password       string `json:"password"`
	CAFile         string `json:"ca_file,omitempty"`
}

func (o options) config(srv *stytchtest.Server) startLine {
	scheme, addr := "http", srv.Listener.Addr().(*net.TCPAddr)
	if o.tls {
		scheme = "https"
	}
	host := cmp.Or(o.host, addr.IP.String())
	if o.host == "" && addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	member, _ := srv.Member(srv.MemberID)
	return startLine{
		URL:            scheme + "://" + net.JoinHostPort(host, strconv.Itoa(addr.Port)),
		ProjectID:      srv.ProjectID,
		Secret:         srv.Secret,
		OrganizationID: srv.OrganizationID,
		MemberID:       srv.MemberID,
		EmailAddress:   member.EmailAddress,
		Password:       member.Password,
		CAFile:         o.cert,
	}
}

// load adds the contents of the seed file, if there is one.
func load(srv *stytchtest.Server, name string) error {
	if name == "" {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := srv.Load(file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
