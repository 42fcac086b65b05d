package stytchb2b_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestNewClientRefuses(t *testing.T) {
	t.Parallel()
	const id, secret = "project-test-1", "secret-test-hunter2hunter2"
	option := func(o stytchb2b.Option) []stytchb2b.Option { return []stytchb2b.Option{o} }
	for _, tc := range []struct {
		name       string
		id, secret string
		opts       []stytchb2b.Option
		field      string
		says       string
	}{
		{"no project ID", "", secret, nil, "projectID", "empty"},
		{"no secret", id, "", nil, "secret", "empty"},
		{"a newline behind the project ID", id + "\n", secret, nil, "projectID", "newline"},
		{"a newline behind the secret", id, secret + "\n", nil, "secret", "newline"},
		{"a space in the secret", id, "secret test-hunter2", nil, "secret", "without spaces"},
		{"a zero-width space", id, secret + "\u200b", nil, "secret", "ASCII"},
		{"no UTF-8", id, secret + "\xff", nil, "secret", "ASCII"},
		{"a control character", id, secret + "\x7f", nil, "secret", "printable"},
		{"a colon", "project-test-1:2", secret, nil, "projectID", "colon"},
		{"another prefix", "hunter2", secret, nil, "projectID", `begin with "project-test-"`},
		{"the arguments swapped", secret, id, nil, "projectID", `begin with "project-test-"`},
		{"a live secret for a test project", id, "secret-live-hunter2hunter2", nil, "secret", "live environment"},
		{"a test secret for a live project", "project-live-1", secret, nil, "secret", "test environment"},
		{"a nil option", id, secret, option(nil), "opts", "nil"},

		{"a relative URL", id, secret, option(stytchb2b.WithBaseURL("login.example.com")), "WithBaseURL", "absolute https URL"},
		{"no host", id, secret, option(stytchb2b.WithBaseURL("https://:443/")), "WithBaseURL", "absolute https URL"},
		{"another scheme", id, secret, option(stytchb2b.WithBaseURL("ftp://login.example.com")), "WithBaseURL", "absolute https URL"},
		{"an opaque URL", id, secret, option(stytchb2b.WithBaseURL("https:login.example.com")), "WithBaseURL", "absolute https URL"},
		{"plain http", id, secret, option(stytchb2b.WithBaseURL("http://login.example.com")), "WithBaseURL", "loopback"},
		{"plain http to a name like a loopback one", id, secret, option(stytchb2b.WithBaseURL("http://localhost.example.com")), "WithBaseURL", "loopback"},
		{"plain http to a private address", id, secret, option(stytchb2b.WithBaseURL("http://192.168.0.1")), "WithBaseURL", "loopback"},
		{"a query", id, secret, option(stytchb2b.WithBaseURL("https://login.example.com?a=b")), "WithBaseURL", "query"},
		{"an empty query", id, secret, option(stytchb2b.WithBaseURL("https://login.example.com?")), "WithBaseURL", "query"},
		{"a fragment", id, secret, option(stytchb2b.WithBaseURL("https://login.example.com#a")), "WithBaseURL", "fragment"},
		{"a user", id, secret, option(stytchb2b.WithBaseURL("https://ada:hunter2@login.example.com")), "WithBaseURL", "user"},
		{"a password in a broken URL", id, secret, option(stytchb2b.WithBaseURL("https://ada:hunter2@login.example.com:port")), "WithBaseURL", "absolute https URL"},
		{"a newline in the URL", id, secret, option(stytchb2b.WithBaseURL("https://login.example.com\n")), "WithBaseURL", "absolute https URL"},

		{"a nil http.Client", id, secret, option(stytchb2b.WithHTTPClient(nil)), "WithHTTPClient", "nil"},
		{"a transport that retries", id, secret, option(stytchb2b.WithHTTPClient(retryablehttp.NewClient().StandardClient())), "WithHTTPClient", "more than once"},
		{"negative attempts", id, secret, option(stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxAttempts: -1})), "WithRetry", "MaxAttempts"},
		{"a negative MinBackoff", id, secret, option(stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: -1})), "WithRetry", "MinBackoff"},
		{"a negative MaxBackoff", id, secret, option(stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxBackoff: -1})), "WithRetry", "MaxBackoff"},
		{"a MinBackoff over MaxBackoff", id, secret, option(stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 3 * time.Second, MaxBackoff: time.Second})), "WithRetry", "MinBackoff, 3s, must not be more than MaxBackoff, 1s"},
		{"a nil logger", id, secret, option(stytchb2b.WithLogger(nil)), "WithLogger", "nil"},
		{"no timeout", id, secret, option(stytchb2b.WithTimeout(0)), "WithTimeout", "more than 0"},
		{"a negative timeout", id, secret, option(stytchb2b.WithTimeout(-time.Second)), "WithTimeout", "-1s"},
		{"no user agent", id, secret, option(stytchb2b.WithUserAgent(" ")), "WithUserAgent", "empty"},
		{"a newline in the user agent", id, secret, option(stytchb2b.WithUserAgent("a\r\nX-Injected: b")), "WithUserAgent", "printable"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client, err := stytchb2b.NewClient(tc.id, tc.secret, tc.opts...)
			assert.Nil(t, client)
			var configErr *stytchb2b.ConfigError
			require.ErrorAs(t, err, &configErr)
			assert.Equal(t, tc.field, configErr.Name)
			assert.Contains(t, configErr.Reason, tc.says)
			assert.Equal(t, "stytchb2b: "+configErr.Name+" "+configErr.Reason, err.Error())
			assert.False(t, stytchb2b.MaybeSent(err))
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ id, baseURL, url string }{
		{"project-test-1", "", "https://test.stytch.com/v1/b2b/otps/sms/send"},
		{"project-live-1", "", "https://api.stytch.com/v1/b2b/otps/sms/send"},
		{"project-live-1", "https://login.example.com", "https://login.example.com/v1/b2b/otps/sms/send"},
		{"project-live-1", "https://login.example.com/", "https://login.example.com/v1/b2b/otps/sms/send"},
		{"project-live-1", "https://example.com:8443/stytch//", "https://example.com:8443/stytch/v1/b2b/otps/sms/send"},
		{"project-live-1", "HTTPS://Example.com/a%2Fb", "https://Example.com/a%2Fb/v1/b2b/otps/sms/send"},
		{"another one", "", ""},
		{"another-one", "https://login.example.com", "https://login.example.com/v1/b2b/otps/sms/send"},
		{"another-one", "http://localhost:8080", "http://localhost:8080/v1/b2b/otps/sms/send"},
		{"another-one", "http://127.1.2.3", "http://127.1.2.3/v1/b2b/otps/sms/send"},
		{"another-one", "http://[::1]:80", "http://[::1]:80/v1/b2b/otps/sms/send"},
	} {
		var sent string
		transport := roundTripper(func(req *http.Request) (*http.Response, error) {
			sent = req.URL.String()
			assert.Equal(t, req.URL.Host, req.Host)
			return ok.do(req)
		})
		client, err := stytchb2b.NewClient(tc.id, "secret", stytchb2b.WithHTTPClient(&http.Client{Transport: transport}),
			stytchb2b.WithBaseURL("https://first.example.com"), stytchb2b.WithBaseURL(tc.baseURL))
		if tc.url == "" {
			assert.Error(t, err)
			continue
		}
		require.NoError(t, err, tc.baseURL)
		_, err = client.OTPs.SMS.Send(t.Context(), params)
		require.NoError(t, err)
		assert.Equal(t, tc.url, sent)
	}
}

func TestNewClientFromEnv(t *testing.T) {
	for _, tc := range []struct{ id, secret, field string }{
		{"", "secret-test-1", "STYTCH_PROJECT_ID"},
		{"project-test-1", "", "STYTCH_SECRET"},
		{"project-test-1", "secret-live-1", "secret"},
		{"project-test-1", "secret-test-1", ""},
	} {
		t.Setenv("STYTCH_PROJECT_ID", tc.id)
		t.Setenv("STYTCH_SECRET", tc.secret)
		client, err := stytchb2b.NewClientFromEnv(stytchb2b.WithTimeout(time.Second))
		if tc.field == "" {
			require.NoError(t, err)
			assert.Contains(t, client.String(), "project-test-1")
			continue
		}
		var configErr *stytchb2b.ConfigError
		require.ErrorAs(t, err, &configErr)
		assert.Equal(t, tc.field, configErr.Name)
	}
}

// However a client or an option is printed, the secret does not show.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	const secret = "secret-test-hunter2hunter2"
	basic := base64.StdEncoding.EncodeToString([]byte("project-test-1:" + secret))
	client, err := stytchb2b.NewClient("project-test-1", secret)
	require.NoError(t, err)
	type wrapper struct {
		Public  *stytchb2b.Client
		private stytchb2b.Client
	}
	values := []any{
		client, *client, client.OTPs, client.OTPs.SMS, &client.OTPs.SMS, wrapper{client, *client}, &wrapper{client, *client},
		[]*stytchb2b.Client{client}, map[string]stytchb2b.Client{"a": *client},
		stytchb2b.WithTimeout(1), stytchb2b.WithUserAgent("a"),
	}
	var out strings.Builder
	text, jsonText := slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		text.Info("text", "value", v)
		jsonText.Info("json", "value", v)
		object, _ := json.Marshal(v) // Functions cannot be marshaled, and that is fine.
		out.Write(object)
		// What a failed assertion prints follows pointers to private fields.
		assert.Equal(quiet{&out}, v, "something else")
	}
	for _, hidden := range []string{secret, basic, fmt.Sprintf("%x", secret), fmt.Sprintf("%x", basic)} {
		assert.NotContains(t, out.String(), hidden)
	}
	assert.Equal(t, "stytchb2b.Client(project-test-1, https://test.stytch.com)", fmt.Sprintf("%v", client))
	assert.Equal(t, client.String(), client.GoString())
}

// quiet writes down what an assertion says when it fails.
type quiet struct{ io.Writer }

func (q quiet) Errorf(format string, args ...any) { fmt.Fprintf(q, format, args...) }

// Nothing is written to standard error or the default loggers.
func TestSilence(t *testing.T) {
	// Not parallel: it replaces what is global.
	var out bytes.Buffer
	log.SetOutput(&out)
	defaultLogger := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer func() { slog.SetDefault(defaultLogger); log.SetOutput(os.Stderr) }()
	stderr := os.Stderr
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	os.Stderr = writer
	defer func() { os.Stderr = stderr }()

	for _, e := range []end{refused, broken, ok, garbage, {status: 429}, {status: 500}, {status: 302}} {
		_, _ = newClient(t, &script{ends: []end{e}}, stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1, MaxBackoff: 1})).OTPs.SMS.Send(t.Context(), params)
	}
	both := roundTripper(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200}, errNetwork })
	_, _ = newClient(t, both).OTPs.SMS.Send(t.Context(), params)

	require.NoError(t, writer.Close())
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	assert.Empty(t, string(text))
	assert.Empty(t, out.String())
}

// Redirects are never followed, whatever the http.Client says.
func TestRedirect(t *testing.T) {
	t.Parallel()
	srv := stytchtest.NewServer()
	defer srv.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	asked := false
	httpClient := &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { asked = true; return nil },
	}
	client := srv.Client(stytchb2b.WithHTTPClient(httpClient))
	send := stytchb2b.SMSSendParams{OrganizationID: srv.OrganizationID, MemberID: srv.MemberID}
	for _, status := range []int{300, 301, 302, 303, 307, 308} {
		for _, location := range []string{"/v1/b2b/otps/sms/send", "https://%zz", "http://192.0.2.1/"} {
			srv.Fail(stytchtest.Fault{StatusCode: status, Header: http.Header{"Location": {location}}, Body: "elsewhere"})
			_, err := client.OTPs.SMS.Send(t.Context(), send)
			var apiErr *stytchb2b.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, status, apiErr.StatusCode)
			assert.Equal(t, "elsewhere", apiErr.RawBody())
			assert.Contains(t, err.Error(), "is the base URL right?")
			assert.True(t, stytchb2b.MaybeSent(err), "a gateway may redirect after Stytch has acted")
		}
	}
	assert.Empty(t, srv.SMS())
	assert.False(t, asked)
	assert.Len(t, srv.Requests(), 18)
}

// Without WithHTTPClient, concurrent calls share connections.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	const atOnce, rounds = 64, 5
	var connections atomic.Int32
	stytch := stytchtest.NewUnstartedServer()
	defer stytch.Close()
	server := httptest.NewUnstartedServer(stytch)
	server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { connections.Add(1); return ctx }
	server.Start()
	defer server.Close()
	client, err := stytchb2b.NewClient(stytch.ProjectID, stytch.Secret, stytchb2b.WithBaseURL(server.URL))
	require.NoError(t, err)
	for range rounds {
		var wg sync.WaitGroup
		for i := range atOnce {
			wg.Go(func() {
				fault := []stytchtest.Fault{{}, {StatusCode: 500, Body: strings.Repeat("a", 100_000)}, {StatusCode: 400, Body: "{}"}}[i%3]
				stytch.Fail(fault)
				_, _ = client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: stytch.OrganizationID, MemberID: stytch.MemberID})
			})
		}
		wg.Wait()
	}
	assert.LessOrEqual(t, connections.Load(), int32(2*atOnce))
}

// The Client's own transport uses HTTP/1.1, even if http.DefaultTransport is set up for
// HTTP/2, and resumes TLS sessions.
func TestNewBase(t *testing.T) {
	// Not parallel: it changes what is global.
	var mu sync.Mutex
	var resumed []bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		resumed = append(resumed, r.TLS.DidResume)
		assert.Equal(t, "HTTP/1.1", r.Proto)
		_, _ = io.WriteString(w, ok.body)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	original := http.DefaultTransport
	defer func() { http.DefaultTransport = original }()
	used := original.(*http.Transport).Clone()
	used.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	http.DefaultTransport = used
	_, _ = used.RoundTrip(httptest.NewRequest(http.MethodGet, "http://"+faults.Nobody, nil))
	require.Contains(t, used.TLSClientConfig.NextProtos, "h2")

	client, err := stytchb2b.NewClient("project-test-1", "secret-test-1", stytchb2b.WithBaseURL(server.URL))
	require.NoError(t, err)
	for range 2 {
		_, err = client.OTPs.SMS.Send(t.Context(), params)
		require.NoError(t, err)
		client.CloseIdleConnections()
	}
	assert.Equal(t, []bool{false, true}, resumed)
}

// Each attempt gets the cookies that are in the Jar at that time, and no others.
func TestJarAndRetry(t *testing.T) {
	t.Parallel()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	var cookies []string
	transport := roundTripper(func(req *http.Request) (*http.Response, error) {
		cookies = append(cookies, req.Header.Get("Cookie"))
		if len(cookies) == 3 {
			return ok.do(req)
		}
		resp, err := limited.do(req)
		resp.Header.Set("Set-Cookie", fmt.Sprintf("node=%d", len(cookies)))
		return resp, err
	})
	client, err := stytchb2b.NewClient("project-test-1", "secret-test-1",
		stytchb2b.WithHTTPClient(&http.Client{Transport: transport, Jar: jar}), stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxBackoff: 1}))
	require.NoError(t, err)
	_, err = client.OTPs.SMS.Send(t.Context(), params)
	require.NoError(t, err)
	assert.Equal(t, []string{"", "node=1", "node=2"}, cookies)
}

func debugLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
