// Command fakestytch serves package stytchtest's Stytch to programs in any
// language.
//
//	go run ./stytchtest/cmd/fakestytch [flags]
//
// The flags are
//
//	-addr address      the address to listen on, by default 127.0.0.1:4010; port 0
//	                   picks a free one
//	-allow-remote      allow an address that is not loopback; the control API
//	                   below needs no credentials
//	-project-id id     the project's ID; made up by default
//	-secret secret     the project's secret; made up by default
//	-seed file         a JSON file with Organizations and Members to add, as
//	                   stytchtest.Server.Load takes it
//	-tls               serve https, with a new certificate
//	-ca-file file      write that certificate to file, not to a temporary one
//	-host name         make that certificate for this name, too, such as a
//	                   container's
//
// The first line on standard output is a JSON object with what a client needs:
// url, project_id, secret, organization_id, member_id, email_address and
// password (of that Member), and with -tls ca_file, the certificate to trust.
// Each SMS that goes out is one more line: to, locale, code, organization_id,
// member_id, text, automatic and at.
//
// # Control
//
// Tests control the fake over HTTP. Requests and answers are JSON. Every field is
// optional; without a member_id, the first Member is meant:
//
//	fake=http://127.0.0.1:4010/_fakestytch
//	curl $fake/config                                          # the first line of the output
//	curl -d '{"members": [{"member_id": "member-test-1"}]}' $fake/seed
//	curl -d '{"member_id": "member-test-1"}' $fake/login       # a primary authentication, with Stytch's answer
//	curl -d '{"totp": true}' $fake/session                     # session_token and session_jwt
//	curl $fake/sms?member_id=member-test-1                     # what has gone out
//	curl -d '{"advance": "2m"}' $fake/clock                    # or {"time": "2026-05-04T12:00:00Z"}
//	curl -d '{"status_code": 429, "header": {"Retry-After": "30"}}' $fake/faults
//	curl -d '{"reset": true, "processed": true, "times": 2}' $fake/faults
//	curl -d '{"status_code": 502, "body": "<html>", "always": true}' $fake/faults
//	curl -X DELETE $fake/faults                                # removes all
//	curl -d '{"per_number": 2, "window": "1h"}' $fake/rate_limit
//	curl -d '{"countries": ["US", "DE"]}' $fake/countries
//
// The fields are those of stytchtest.Fault and stytchtest.RateLimit. An error is
// {"error": "..."} with a status of 4xx.
//
// # Exit status
//
// It exits with status 0 on SIGINT and SIGTERM, 2 for wrong usage, and 1 for any
// other failure.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"github.com/eb715825/stytchb2b/stytchtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// usageError is a wrong use of the command.
type usageError struct{ error }

// options are the flags.
type options struct {
	addr, seed, projectID, secret, caFile, host string
	tls, allowRemote                            bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("fakestytch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:4010", "the `address` to listen on; port 0 picks a free one")
	flags.BoolVar(&o.allowRemote, "allow-remote", false, "allow an address that is not loopback")
	flags.StringVar(&o.projectID, "project-id", "", "the project's `ID`; made up by default")
	flags.StringVar(&o.secret, "secret", "", "the project's `secret`; made up by default")
	flags.StringVar(&o.seed, "seed", "", "a JSON `file` with Organizations and Members to add")
	flags.BoolVar(&o.tls, "tls", false, "serve https, with a certificate made anew")
	flags.StringVar(&o.caFile, "ca-file", "", "write that certificate to this `file`, not to a temporary one")
	flags.StringVar(&o.host, "host", "", "make that certificate for this `name`, too")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	err := serve(ctx, o, flags.Args(), stdout)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "fakestytch:", err)
	if errors.As(err, &usageError{}) {
		return 2
	}
	return 1
}

// check finds a wrong use.
func (o options) check(rest []string) error {
	if len(rest) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", rest[0])}
	}
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil {
		return usageError{fmt.Errorf("-addr: %w", err)}
	}
	if ip, err := netip.ParseAddr(host); !o.allowRemote && host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return usageError{fmt.Errorf("-addr: %s is not a loopback address; -allow-remote allows it", o.addr)}
	}
	if !o.tls && (o.caFile != "" || o.host != "") {
		return usageError{errors.New("-ca-file and -host are for -tls")}
	}
	return nil
}

func serve(ctx context.Context, o options, rest []string, stdout io.Writer) error {
	if err := o.check(rest); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	srv := stytchtest.NewUnstartedServer()
	_ = srv.Listener.Close()
	srv.Listener = listener
	srv.EnableHTTP2 = true
	srv.ProjectID, srv.Secret = cmp.Or(o.projectID, srv.ProjectID), cmp.Or(o.secret, srv.Secret)
	if o.host != "" {
		srv.Hosts = []string{o.host}
	}
	if err := load(srv, o.seed); err != nil {
		_ = listener.Close()
		return err
	}
	var config startLine
	ready := make(chan struct{}) // closed when config is whole
	srv.Config.Handler = control{srv, &config, ready}.handler(srv.Config.Handler)
	if o.tls {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	defer srv.Close()
	member, _ := srv.Member(srv.MemberID)
	config = startLine{
		URL:            srv.URL,
		ProjectID:      srv.ProjectID,
		Secret:         srv.Secret,
		OrganizationID: srv.OrganizationID,
		MemberID:       srv.MemberID,
		EmailAddress:   member.EmailAddress,
		Password:       member.Password,
	}
	if o.tls {
		if config.CAFile, err = writeCertificate(o.caFile, srv.CertificatePEM()); err != nil {
			return err
		}
		defer os.Remove(config.CAFile)
	}
	close(ready)
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
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

// load adds what is in the file, if there is one.
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

// writeCertificate writes the certificate to the file, or to a temporary one, and
// returns its name.
func writeCertificate(name string, pem []byte) (string, error) {
	if name != "" {
		return name, os.WriteFile(name, pem, 0o644)
	}
	file, err := os.CreateTemp("", "fakestytch-ca-*.pem")
	if err != nil {
		return "", err
	}
	if _, err = file.Write(pem); err == nil {
		err = file.Close()
	}
	return file.Name(), err
}
