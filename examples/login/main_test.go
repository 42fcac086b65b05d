package main

import (
	"bufio"
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "4") // They wait more than they compute.
	logging.Disable()                  // go-redis writes to stderr when a Redis is gone.
	// A memory store of the sessions' library has a goroutine for good. Stopping it
	// is a data race in that library.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/alexedwards/scs/v2/memstore.(*MemStore).startCleanup"))
}

// start runs the program until the test ends it, and returns its address.
func start(t *testing.T, projectID, redisURL string, args ...string) (url string, stop func() string) {
	t.Helper()
	t.Setenv("STYTCH_PROJECT_ID", projectID)
	t.Setenv("STYTCH_SECRET", strings.Replace(projectID, "project", "secret", 1))
	t.Setenv("REDIS_URL", redisURL)
	t.Setenv("GUARD_KEY", "a key of the guard's")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	errReader, stderr := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), stderr)
		_ = stderr.Close()
	}()
	lines := bufio.NewReader(errReader)
	var log string
	for url == "" {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		log += line
		url = regexp.MustCompile(`http://\S+`).FindString(line)
	}
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(lines)
		rest <- log + string(text)
	}()
	return url, func() string {
		cancel()
		assert.NoError(t, <-ended)
		return <-rest
	}
}

// With credentials, the sign-in asks for what a primary authentication gives, and
// nothing of the demonstration is there.
func TestRun(t *testing.T) {
	url, stop := start(t, "project-test-1", "")
	assert.Contains(t, get(t, url), `<input id="answer" name="answer"`)
	assert.Equal(t, "404 page not found\n", get(t, url+"fault"))
	stop()
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}

// A program that starts again has the sessions of before.
func TestRunRedis(t *testing.T) {
	server := newRedisServer(t)
	var v *visitor
	for range 2 {
		base, stop := start(t, "project-test-1", server.url, "-plain-http")
		if v == nil {
			v = newVisitor(t, &testApp{Server: &httptest.Server{URL: strings.TrimSuffix(base, "/")}})
			v.post("/sign-in", "answer", `{"organization_id": "o", "member_id": "m", "intermediate_session_token": "t", "mfa_required": {"secondary_auth_initiated": "sms_otp"}}`)
		}
		v.app.URL = strings.TrimSuffix(base, "/")
		assert.Equal(t, "Enter your code", titleOf(v.look()))
		v.client.CloseIdleConnections()
		stop()
	}
	for _, key := range server.Keys(t.Context(), "*").Val() {
		assert.Positive(t, server.TTL(t.Context(), key).Val(), key)
		assert.NotContains(t, key, v.token())
	}
}

// A request in progress is answered after the program is told to stop.
func TestGracefulShutdown(t *testing.T) {
	url, stop := start(t, "project-test-1", "")
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	line, err := answers.ReadString('\n') // when the handler reads the body
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	stopped := make(chan string, 1)
	go func() { stopped <- stop() }()
	require.Eventually(t, func() bool { // It takes no new connections any more.
		conn, err := net.Dial("tcp", conn.RemoteAddr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, time.Minute, time.Millisecond)
	_, err = io.WriteString(conn, "answer=")
	require.NoError(t, err)
	_, err = answers.ReadString('\n')
	require.NoError(t, err)
	line, err = answers.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 200 OK\r\n", line)
	<-stopped
}

func TestRunRefuses(t *testing.T) {
	for _, tc := range []struct{ name, projectID, secret, redisURL, flag, says string }{
		{"an address for everybody", "project-test-1", "secret-test-1", "", "-addr=0.0.0.0:0", "loopback"},
		{"no address", "project-test-1", "secret-test-1", "", "-addr=nowhere", "loopback"},
		{"no cooldown", "project-test-1", "secret-test-1", "", "-cooldown=0s", "Cooldown"},
		{"no credentials", "", "", "", "", "STYTCH_PROJECT_ID"},
		{"half of the credentials", "project-test-1", "", "", "", "STYTCH_SECRET"},
		{"a URL of HTTP", "project-test-1", "secret-test-1", "http://:s3cret@host", "", "REDIS_URL"},
		{"a URL with a bad port", "project-test-1", "secret-test-1", "redis://:s3cret@host:port", "", "REDIS_URL"},
		// A key that came from STYTCH_SECRET would make the guard forget whom it trusts with each new secret.
		{"no key for the guard", "project-test-1", "secret-test-1", "redis://127.0.0.1:1", "", "GUARD_KEY"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("STYTCH_PROJECT_ID", tc.projectID)
			t.Setenv("STYTCH_SECRET", tc.secret)
			t.Setenv("REDIS_URL", tc.redisURL)
			t.Setenv("GUARD_KEY", "")
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := run(ctx, []string{"-addr=127.0.0.1:0", tc.flag}, io.Discard)
			require.ErrorContains(t, err, tc.says)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}
