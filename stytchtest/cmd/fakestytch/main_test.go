package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/leaktest"
)

// TestMain lets a test run the command as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("FAKESTYTCH_TEST_MAIN") != "" {
		main()
	}
	leaktest.Main(m)
}

// start runs the command until the test ends, and returns its lines.
func start(t *testing.T, args ...string) (lines *bufio.Scanner, stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, args, writer, io.Discard)
		_ = writer.Close()
	}()
	t.Cleanup(cancel)
	return bufio.NewScanner(reader), func() int {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, reader) }()
		return <-done
	}
}

func line(t *testing.T, lines *bufio.Scanner) map[string]string {
	t.Helper()
	require.True(t, lines.Scan())
	var object map[string]any
	require.NoError(t, json.Unmarshal(lines.Bytes(), &object), lines.Text())
	text := map[string]string{}
	for name, value := range object {
		text[name] = fmt.Sprint(value)
	}
	return text
}

func TestServe(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-addr", "127.0.0.1:0"}, {"-addr", "localhost:0", "-tls"}, {"-addr", "[::1]:0", "-allow-remote"}} {
		lines, stop := start(t, args...)
		config := line(t, lines)
		opts := []stytchb2b.Option{stytchb2b.WithBaseURL(config["url"])}
		if config["ca_file"] != "" {
			ca, err := os.ReadFile(config["ca_file"])
			require.NoError(t, err)
			roots := x509.NewCertPool()
			require.True(t, roots.AppendCertsFromPEM(ca))
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			opts = append(opts, stytchb2b.WithHTTPClient(&http.Client{Transport: transport}))
		}
		client, err := stytchb2b.NewClient(config["project_id"], config["secret"], opts...)
		require.NoError(t, err)
		for _, locale := range []stytchb2b.Locale{"fr", "fa"} {
			_, err = client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{
				OrganizationID: config["organization_id"],
				MemberID:       config["member_id"],
				Locale:         locale,
			})
			require.NoError(t, err)
			sms := line(t, lines)
			assert.Equal(t, config["member_id"], sms["member_id"])
			assert.Equal(t, string(locale), sms["locale"])
			assert.Contains(t, sms["text"], sms["code"])
			assert.Equal(t, "false", sms["automatic"])
			assert.Regexp(t, `^\+1\d{10}$`, sms["to"])
			at, err := time.Parse(time.RFC3339Nano, sms["at"])
			require.NoError(t, err)
			assert.WithinDuration(t, time.Now(), at, time.Hour)
		}
		assert.Zero(t, stop())
		if config["ca_file"] != "" {
			assert.NoFileExists(t, config["ca_file"])
		}
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-addr", "127.0.0.1:0", "-tls")
		cmd.Env = append(os.Environ(), "FAKESTYTCH_TEST_MAIN=1")
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		config := line(t, bufio.NewScanner(stdout))
		require.FileExists(t, config["ca_file"])
		require.NoError(t, cmd.Process.Signal(sig))
		require.NoError(t, cmd.Wait(), "its status is 0")
		assert.NoFileExists(t, config["ca_file"])
	}
}

func TestSeed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "seed.json")
	require.NoError(t, os.WriteFile(file, []byte(`{
		"members": [{"organization_id": "acme", "member_id": "member-test-1", "mfa_phone_number": "+12025550111"}],
		"organizations": [{"organization_id": "organization-test-1", "organization_slug": "acme"}]
	}`), 0o600))
	lines, stop := start(t, "-addr", "127.0.0.1:0", "-seed", file)
	config := line(t, lines)
	client, err := stytchb2b.NewClient(config["project_id"], config["secret"], stytchb2b.WithBaseURL(config["url"]))
	require.NoError(t, err)
	_, err = client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: "acme", MemberID: "member-test-1"})
	require.NoError(t, err)
	assert.Equal(t, "+12025550111", line(t, lines)["to"])
	assert.Zero(t, stop())
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte("{\n \"members\": [\n  {\"status\": \"gone\"}\n ]\n}"), 0o600))
	for _, tc := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-addr", "0.0.0.0:0"}, 2, "not a loopback address"},
		{[]string{"-addr", ":4010"}, 2, "not a loopback address"},
		{[]string{"-addr", "example.com:0"}, 2, "not a loopback address"},
		{[]string{"-addr", "127.0.0.1"}, 2, "missing port"},
		{[]string{"-addr", "127.0.0.1:99999"}, 1, "port"},
		{[]string{"4010"}, 2, "unexpected argument"},
		{[]string{"-port", "4010"}, 2, "-addr"},
		{[]string{"-h"}, 0, "-addr"},
		{[]string{"-addr", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem"}, 2, "go together"},
		{[]string{"-addr", "127.0.0.1:0", "-tls", "-cert", "cert.pem"}, 2, "go together"},
		{[]string{"-addr", "127.0.0.1:0", "-tls", "-cert", "no-such-directory/cert.pem", "-key", "no-such-directory/key.pem"}, 1, "no-such-directory"},
		{[]string{"-addr", "127.0.0.1:0", "-tls", "-cert", "main_test.go", "-key", "no-such-file"}, 1, "no-such-file"},
		{[]string{"-addr", "127.0.0.1:0", "-seed", "no-such-file"}, 1, "no-such-file"},
		{[]string{"-addr", "127.0.0.1:0", "-seed", bad}, 1, "members[0]: stytchtest: status"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, tc.status, run(t.Context(), tc.args, &stdout, &stderr), tc.args)
		assert.Contains(t, stderr.String(), tc.says)
		assert.Empty(t, stdout.String())
	}
}
