// Command fakestytch serves package stytchtest's Stytch to programs in any
// language.
//
//	go run ./stytchtest/cmd/fakestytch -addr 127.0.0.1:4010 [-tls] [-seed FILE] [-allow-remote]
//
// The first line on standard output is a JSON object with what a client needs:
// url, project_id, secret, organization_id, member_id,
// intermediate_session_token (a token of that Member, which lasts ten minutes
// and which authenticate uses up), and with -tls ca_file, the file of a
// certificate to trust. Each SMS that goes out is one more line: to, locale,
// code, organization_id, member_id, text, automatic and at.
//
// Port 0 picks a free one. Addresses that are not loopback need -allow-remote:
// the credentials are printed, and the certificate's key is nobody's secret.
//
// The file of -seed adds Organizations and Members: a JSON object as
// stytchtest.Server.Load takes it.
//
// It ends on SIGINT and SIGTERM with status 0; a wrong use has status 2, and
// what else fails 1.
package main

import (
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

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("fakestytch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:4010", "the `address` to listen on; port 0 picks a free one")
	useTLS := flags.Bool("tls", false, "serve https, with a certificate made anew")
	seed := flags.String("seed", "", "a JSON `file` with Organizations and Members to add")
	allowRemote := flags.Bool("allow-remote", false, "allow an address that is not loopback")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	err := serve(ctx, *addr, *useTLS, *seed, *allowRemote, flags.Args(), stdout)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "fakestytch:", err)
	if errors.As(err, &usageError{}) {
		return 2
	}
	return 1
}

func serve(ctx context.Context, addr string, useTLS bool, seed string, allowRemote bool, rest []string, stdout io.Writer) error {
	if len(rest) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", rest[0])}
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usageError{fmt.Errorf("-addr: %w", err)}
	}
	if ip, err := netip.ParseAddr(host); !allowRemote && host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return usageError{fmt.Errorf("-addr: %s is not a loopback address; -allow-remote allows it", addr)}
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := stytchtest.NewUnstartedServer()
	_ = srv.Listener.Close()
	srv.Listener = listener
	srv.EnableHTTP2 = true
	if useTLS {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	defer srv.Close()
	if seed != "" {
		file, err := os.Open(seed)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := srv.Load(file); err != nil {
			return fmt.Errorf("%s: %w", seed, err)
		}
	}
	start := struct {
		URL                      string `json:"url"`
		ProjectID                string `json:"project_id"`
		Secret                   string `json:"secret"`
		OrganizationID           string `json:"organization_id"`
		MemberID                 string `json:"member_id"`
		IntermediateSessionToken string `json:"intermediate_session_token"`
		CAFile                   string `json:"ca_file,omitempty"`
	}{
		URL:                      srv.URL,
		ProjectID:                srv.ProjectID,
		Secret:                   srv.Secret,
		OrganizationID:           srv.OrganizationID,
		MemberID:                 srv.MemberID,
		IntermediateSessionToken: srv.IntermediateSessionToken(srv.MemberID),
	}
	if useTLS {
		if start.CAFile, err = writeCertificate(srv.CertificatePEM()); err != nil {
			return err
		}
		defer os.Remove(start.CAFile)
	}
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	if err := out.Encode(start); err != nil {
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

func writeCertificate(pem []byte) (name string, err error) {
	file, err := os.CreateTemp("", "fakestytch-ca-*.pem")
	if err != nil {
		return "", err
	}
	if _, err = file.Write(pem); err == nil {
		err = file.Close()
	}
	return file.Name(), err
}
