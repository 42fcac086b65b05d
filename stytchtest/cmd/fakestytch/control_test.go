package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

type object = map[string]any

// ask makes a request, with the body if there is one.
func ask(t *testing.T, client *http.Client, method, url, body string) (status int, answer object) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	_ = json.Unmarshal(text, &answer)
	return resp.StatusCode, answer
}

// What a test in another language does: several logins, with the clock, faults,
// limits and countries.
func TestControl(t *testing.T) {
	t.Parallel()
	lines, stop := start(t, "-addr", "127.0.0.1:0", "-project-id", "project-test-mine", "-secret", "secret-test-mine")
	config := line(t, lines)
	go func() { // The SMS are lines, too.
		for lines.Scan() {
		}
	}()
	assert.Equal(t, "project-test-mine", config["project_id"])
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	post := func(path, body string) object {
		t.Helper()
		status, answer := ask(t, &http.Client{Transport: transport}, "POST", config["url"]+"/_fakestytch/"+path, body)
		require.Equal(t, 200, status, answer)
		return answer
	}
	get := func(path string) object {
		t.Helper()
		status, answer := ask(t, &http.Client{Transport: transport}, "GET", config["url"]+"/_fakestytch/"+path, "")
		require.Equal(t, 200, status, answer)
		return answer
	}
	client, err := stytchb2b.NewClient("project-test-mine", "secret-test-mine", stytchb2b.WithBaseURL(config["url"]),
		stytchb2b.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	member := config["member_id"]
	send := func() error {
		_, err := client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: config["organization_id"], MemberID: member})
		return err
	}

	assert.Equal(t, config["member_id"], get("config")["member_id"])
	post("seed", `{"members": [{"member_id": "member-test-1", "mfa_phone_number": "+12025550111", "mfa_enrolled": true}]}`)
	for range 2 {
		for _, member = range []string{config["member_id"], "member-test-1"} {
			login := post("login", `{"member_id": "`+member+`"}`)
			assert.Equal(t, false, login["member_authenticated"])
			sms := get("sms?member_id=" + member)["sms"].([]any)
			last := sms[len(sms)-1].(object)
			assert.Equal(t, true, last["automatic"])
			_, err = client.OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{
				OrganizationID: config["organization_id"], MemberID: member, Code: last["code"].(string),
				IntermediateSessionToken: login["intermediate_session_token"].(string),
			})
			require.NoError(t, err)
		}
	}
	member = config["member_id"]
	assert.Len(t, get("sms")["sms"], 4)
	assert.Empty(t, get("sms?member_id=nobody")["sms"])
	assert.NotNil(t, get("sms?member_id=nobody")["sms"])
	assert.Equal(t, member, post("login", "")["member_id"])

	session := post("session", `{"totp": true}`)
	assert.NotEmpty(t, session["session_token"])
	assert.Len(t, strings.Split(session["session_jwt"].(string), "."), 3)

	post("clock", `{"time": "2026-05-04T12:50:00Z"}`)
	assert.Equal(t, object{"now": "2026-05-04T12:52:00Z"}, post("clock", `{"advance": "2m"}`))
	assert.Equal(t, object{"now": "2026-05-04T12:52:00Z"}, get("clock"))

	post("rate_limit", `{"per_number": 1, "retry_after": true, "window": "1h"}`)
	require.NoError(t, send())
	assert.Equal(t, 8*time.Minute, stytchb2b.RetryAfter(send()))
	post("rate_limit", `{}`)
	require.NoError(t, send())

	post("countries", `{"countries": ["DE"]}`)
	assert.ErrorContains(t, send(), "invalid_phone_number_country_code")
	post("countries", `{"countries": ["US"]}`)

	post("faults", `{"status_code": 400, "error_type": "unsubscribed_phone_number", "times": 2}`)
	assert.ErrorContains(t, send(), "unsubscribed_phone_number")
	assert.ErrorContains(t, send(), "unsubscribed_phone_number")
	require.NoError(t, send())
	post("faults", `{"status_code": 429, "header": {"Retry-After": "30"}, "always": true}`)
	assert.Equal(t, 30*time.Second, stytchb2b.RetryAfter(send()))
	assert.Equal(t, 30*time.Second, stytchb2b.RetryAfter(send()))
	status, _ := ask(t, &http.Client{Transport: transport}, "DELETE", config["url"]+"/_fakestytch/faults", "")
	assert.Equal(t, 200, status)
	require.NoError(t, send())

	for _, tc := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "login", `{"member_id": "nobody"}`, 404, "member_not_found"},
		{"POST", "login", `{"member": ""}`, 400, "unknown field"},
		{"POST", "session", `{"member_id": "nobody"}`, 400, "there is no Member"},
		{"POST", "session", `{"totp": 1}`, 400, "cannot unmarshal"},
		{"POST", "seed", `[]`, 400, "must not be a JSON array"},
		{"POST", "clock", `{"advance": "soon"}`, 400, "invalid duration"},
		{"POST", "clock", `{"advance": "-2m"}`, 400, "is negative"},
		{"POST", "faults", `{"status": 1}`, 400, "unknown field"},
		{"POST", "faults", `{"status_code": 99}`, 400, "status_code must be"},
		{"POST", "rate_limit", `{"window": 1}`, 400, "window"},
		{"POST", "countries", `{"countries": ["XX"]}`, 400, "XX"},
		{"POST", "countries", `{"country": "US"}`, 400, "unknown field"},
		{"GET", "login", "", 404, "there is no GET /_fakestytch/login"},
	} {
		status, answer := ask(t, &http.Client{Transport: transport}, tc.method, config["url"]+"/_fakestytch/"+tc.path, tc.body)
		assert.Equal(t, tc.status, status, tc.path)
		assert.Contains(t, answer["error"], tc.says, tc.path)
	}
	assert.Zero(t, stop())
}

// The certificate is written where it is wanted, and is for the host.
func TestCertificate(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ca.pem")
	lines, stop := start(t, "-addr", "127.0.0.1:0", "-tls", "-ca-file", file, "-host", "stytch")
	config := line(t, lines)
	assert.Equal(t, file, config["ca_file"])
	ca, err := os.ReadFile(file)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "stytch"}}
	defer transport.CloseIdleConnections()
	status, answer := ask(t, &http.Client{Transport: transport}, "GET", config["url"]+"/_fakestytch/config", "")
	assert.Equal(t, 200, status)
	assert.Equal(t, file, answer["ca_file"])
	assert.Zero(t, stop())
	assert.NoFileExists(t, file)
}
