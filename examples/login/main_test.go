package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/eb715825/stytchb2b"
)

func TestMain(m *testing.M) {
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
	ctx, cancel := context.WithCancel(t.Context())
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

func TestRun(t *testing.T) {
	url, stop := start(t, "project-test-1", "", "-log", "DEBUG")
	resp, err := http.Get(url)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Contains(t, string(body), "<title>Sign in – ")
	assert.Contains(t, stop(), "shutting down")
}

// Two programs with one Redis have the same sessions.
func TestRunRedis(t *testing.T) {
	url := redisServer(t)
	redisStoreOf(t, url) // It waits until the server answers.
	var v *visitor
	for range 2 {
		base, stop := start(t, "project-test-1", url, "-plain-http")
		if v == nil {
			v = &visitor{T: t, client: &http.Client{Jar: newJar(t)}, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}
			v.app = &testApp{Server: &httptest.Server{URL: strings.TrimSuffix(base, "/")}}
			v.look()
			v.post("/sign-in", "organization_id", "o", "member_id", "m", "intermediate_session_token", "t", "secondary_auth_initiated", "sms_otp")
		}
		v.app.URL = strings.TrimSuffix(base, "/")
		assert.Equal(t, "Enter your code", titleOf(v.look()))
		v.client.CloseIdleConnections()
		stop()
	}
}

// A request that is under way when the program is told to end is answered.
func TestGracefulShutdown(t *testing.T) {
	url, stop := start(t, "project-test-1", "")
	pr, pw := io.Pipe()
	req, err := http.NewRequest(http.MethodPost, url+"sign-in", pr)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	answered := make(chan int, 1)
	go func() {
		resp, err := transport.RoundTrip(req)
		if err != nil {
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	_, err = pw.Write([]byte("member_id=")) // It goes out when the handler reads.
	require.NoError(t, err)
	stopped := make(chan string, 1)
	go func() { stopped <- stop() }()
	require.Eventually(t, func() bool { // It takes no new connections any more.
		conn, err := net.Dial("tcp", req.URL.Host)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, time.Minute, time.Millisecond)
	require.NoError(t, pw.Close())
	assert.Equal(t, http.StatusSeeOther, <-answered)
	assert.Contains(t, <-stopped, "shutting down")
}

func TestRunRefuses(t *testing.T) {
	for _, tc := range []struct {
		name              string
		projectID, secret string
		args              []string
		says              string
	}{
		{"an address for everybody", "project-test-1", "secret-test-1", []string{"-addr", ":0"}, "loopback"},
		{"an address of the network", "project-test-1", "secret-test-1", []string{"-addr", "192.0.2.1:0"}, "loopback"},
		{"no address", "project-test-1", "secret-test-1", []string{"-addr", "nowhere"}, "missing port"},
		{"an argument", "", "", []string{"now"}, "unexpected argument"},
		{"no cooldown", "project-test-1", "secret-test-1", []string{"-cooldown", "0s"}, "Cooldown"},
		{"a level that is none", "", "", []string{"-log", "LOUD"}, "LOUD"},
		{"half of the credentials", "project-test-1", "", nil, "STYTCH_SECRET"},
		{"a URL that is not Redis's", "", "", nil, "REDIS_URL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("STYTCH_PROJECT_ID", tc.projectID)
			t.Setenv("STYTCH_SECRET", tc.secret)
			t.Setenv("REDIS_URL", map[bool]string{true: "http://127.0.0.1"}[tc.says == "REDIS_URL"])
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			var stderr strings.Builder
			err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, tc.args...), &stderr)
			assert.ErrorContains(t, err, tc.says)
		})
	}
}

// serveStytch serves the program's application, with credentials of nobody.
func serveStytch(t *testing.T, start func(*httptest.Server)) *testApp {
	t.Setenv("STYTCH_PROJECT_ID", "project-test-1")
	t.Setenv("STYTCH_SECRET", "secret-test-1")
	return serve(t, config{newClient: stytchb2b.NewClientFromEnv, authenticate: authenticate, cooldown: time.Minute}, application, start)
}

// With credentials the sign-in asks for what primary authentication would give,
// and nothing of the demonstration is there.
func TestRealStytch(t *testing.T) {
	v := newVisitor(t, serveStytch(t, (*httptest.Server).StartTLS))
	_, page := v.do(http.MethodGet, "/", nil)
	for _, field := range []string{"organization_id", "member_id", "intermediate_session_token"} {
		assert.Contains(t, page, `<label for="`+field+`">`)
		assert.Contains(t, page, `<input id="`+field+`" name="`+field+`"`)
	}
	status, _ := v.do(http.MethodPost, "/fault", nil)
	assert.Equal(t, http.StatusNotFound, status)
}

// What go-redis says of a Redis that has gone is in the log, for who looks closely.
func TestRunRedisGone(t *testing.T) {
	url := redisServer(t)
	store := redisStoreOf(t, url)
	base, stop := start(t, "project-test-1", url, "-log", "DEBUG")
	require.Error(t, store.client.Shutdown(t.Context()).Err()) // It has no answer.
	resp, err := http.PostForm(base+"sign-in", nil)
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	http.DefaultClient.CloseIdleConnections()
	assert.Contains(t, stop(), "level=DEBUG msg=redis")
}
