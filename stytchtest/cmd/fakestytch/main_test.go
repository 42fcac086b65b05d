package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/leaktest"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// start runs the command until the test ends, for a minute at most, and returns its
// first line, the lines after it, and a function that returns its exit status.
func start(t *testing.T, args ...string) (config startLine, lines *bufio.Scanner, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	reader, writer := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, args, writer, io.Discard)
		_ = writer.Close()
	}()
	t.Cleanup(cancel)
	lines = bufio.NewScanner(reader)
	next(t, lines, &config)
	return config, lines, func() int {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, reader) }()
		return <-done
	}
}

func next(t *testing.T, lines *bufio.Scanner, object any) {
	t.Helper()
	require.True(t, lines.Scan())
	require.NoError(t, json.Unmarshal(lines.Bytes(), object), lines.Text())
}

// clientOf returns an HTTP client that trusts the command's certificate.
func clientOf(t *testing.T, config startLine) *http.Client {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true}
	if config.CAFile != "" {
		ca, err := os.ReadFile(config.CAFile)
		require.NoError(t, err)
		transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		require.True(t, transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(ca))
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func TestServe(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-addr", "127.0.0.1:0"}, {"-addr", "localhost:0", "-tls"}, {"-addr", "[::1]:0", "-allow-remote"}} {
		config, lines, stop := start(t, args...)
		client, err := stytchb2b.NewClient(config.ProjectID, config.Secret, stytchb2b.WithBaseURL(config.URL), stytchb2b.WithHTTPClient(clientOf(t, config)))
		require.NoError(t, err)
		for _, locale := range []stytchb2b.Locale{"fr", "fa"} {
			_, err = client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: config.OrganizationID, MemberID: config.MemberID, Locale: locale})
			require.NoError(t, err)
			var sms stytchtest.SMS
			next(t, lines, &sms)
			assert.WithinDuration(t, time.Now(), sms.At, time.Minute)
			assert.Equal(t, []string{"+12025550106", string(locale), config.OrganizationID, config.MemberID}, []string{sms.To, sms.Locale, sms.OrganizationID, sms.MemberID})
			assert.Regexp(t, sms.Code+`\.$`, sms.Text)
		}
		assert.Zero(t, stop())
		if config.CAFile != "" {
			assert.NoFileExists(t, config.CAFile)
		}
	}
}

// A stored certificate is used again at the next start, and is valid for the host. The
// URL contains the host.
func TestCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	args := []string{"-addr", "0.0.0.0:0", "-allow-remote", "-tls", "-cert", cert, "-key", key}
	var client *http.Client
	for _, host := range []string{"stytch", "", "stytch"} {
		config, _, stop := start(t, append(args, "-host", host)...)
		assert.Equal(t, cert, config.CAFile)
		assert.Regexp(t, "^https://"+cmp.Or(host, "127.0.0.1")+":[0-9]+$", config.URL)
		if client == nil {
			client = clientOf(t, config) // It reads the certificate once.
			client.Transport.(*http.Transport).TLSClientConfig.ServerName = "stytch"
		}
		status, _ := ask(t, client, "GET", strings.Replace(config.URL, "stytch", "127.0.0.1", 1)+"/_fakestytch/config", "")
		assert.Equal(t, 200, status)
		assert.Zero(t, stop())
	}
	info, err := os.Stat(key)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode())

	var stderr bytes.Buffer
	assert.Equal(t, 1, run(t.Context(), append(args, "-host", "other"), io.Discard, &stderr))
	assert.Contains(t, stderr.String(), "not other")
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"members": [{"status": "gone"}]}`), 0o600))
	for _, tc := range []struct {
		args   string
		status int
		says   string
	}{
		{"-addr 0.0.0.0:0", 1, "not a loopback address"},
		{"-addr example.com:0", 1, "not a loopback address"},
		{"-addr 127.0.0.1", 1, "missing port"},
		{"-addr 127.0.0.1:99999", 1, "port"},
		{"4010", 1, "unexpected argument"},
		{"-port 4010", 2, "-addr"},
		{"-h", 0, "-addr"},
		{"-addr 127.0.0.1:0 -cert cert.pem -key key.pem", 1, "go together"},
		{"-addr 127.0.0.1:0 -tls -cert cert.pem", 1, "go together"},
		{"-addr 127.0.0.1:0 -tls -cert no-such-directory/cert.pem -key no-such-directory/key.pem", 1, "no-such-directory"},
		{"-addr 127.0.0.1:0 -tls -cert main_test.go -key no-such-file", 1, "no-such-file"},
		{"-addr 127.0.0.1:0 -seed no-such-file", 1, "no-such-file"},
		{"-addr 127.0.0.1:0 -seed " + bad, 1, "members[0]: stytchtest: status"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, tc.status, run(t.Context(), strings.Fields(tc.args), &stdout, &stderr), tc.args)
		assert.Contains(t, stderr.String(), tc.says)
		assert.Empty(t, stdout.String())
	}
}
