package main

import (
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

// What a test in another language does: logins, with the clock, faults and countries.
func TestControl(t *testing.T) {
	t.Parallel()
	seed := filepath.Join(t.TempDir(), "seed.json")
	require.NoError(t, os.WriteFile(seed, []byte(`{"organizations": [{"organization_name": "Other Inc."}], "members": [{"member_id": "member-test-1", "mfa_phone_number": "+12025550111", "mfa_enrolled": true}]}`), 0o600))
	config, lines, stop := start(t, "-addr", "127.0.0.1:0", "-project-id", "project-test-mine", "-secret", "secret-test-mine", "-seed", seed)
	go func() { // The SMS are lines, too.
		for lines.Scan() {
		}
	}()
	httpClient := clientOf(t, config)
	control := func(method, path, body string) object {
		t.Helper()
		status, answer := ask(t, httpClient, method, config.URL+"/_fakestytch/"+path, body)
		require.Equal(t, 200, status, answer)
		return answer
	}
	get := func(path string) object { t.Helper(); return control("GET", path, "") }
	post := func(path, body string) object { t.Helper(); return control("POST", path, body) }
	client, err := stytchb2b.NewClient("project-test-mine", "secret-test-mine", stytchb2b.WithBaseURL(config.URL), stytchb2b.WithHTTPClient(httpClient))
	require.NoError(t, err)
	send := func() error {
		_, err := client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: config.OrganizationID, MemberID: config.MemberID})
		return err
	}

	assert.Equal(t, config.MemberID, get("config")["member_id"])
	post("seed", `{"members": [{"member_id": "member-test-2", "mfa_phone_number": "+12025550112", "mfa_enrolled": true}]}`)
	for _, id := range []string{"member-test-1", "member-test-2"} {
		assert.Equal(t, id, post("login", `{"member_id": "`+id+`"}`)["member_id"])
		sms := get("sms?member_id=" + id)["sms"].([]any)
		require.Len(t, sms, 1)
		assert.Equal(t, true, sms[0].(object)["automatic"])
	}
	assert.Equal(t, config.MemberID, post("login", "")["member_id"])
	assert.Len(t, get("sms")["sms"], 3)
	assert.Equal(t, []any{}, get("sms?member_id=nobody")["sms"])

	post("clock", `{"time": "2026-05-04T12:50:00Z"}`)
	assert.Equal(t, object{"now": "2026-05-04T12:52:00Z"}, post("clock", `{"advance": "2m"}`))
	assert.Equal(t, object{"now": "2026-05-04T12:52:00Z"}, get("clock"))

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
	control("DELETE", "faults", "")
	control("DELETE", "clock", "")
	require.NoError(t, send())
	now, err := time.Parse(time.RFC3339Nano, get("clock")["now"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), now, time.Minute)

	for _, tc := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "login", `{"member_id": "nobody"}`, 404, "member_not_found"},
		{"POST", "seed", `[]`, 400, "cannot unmarshal array"},
		{"POST", "clock", `{"advance": "soon"}`, 400, "invalid duration"},
		{"POST", "faults", `{"status": 1}`, 400, "unknown field"},
		{"POST", "faults", `{"status_code": 99}`, 400, "status_code must be"},
		{"POST", "countries", `{"countries": ["XX"]}`, 400, "XX"},
		{"GET", "login", "", 404, "there is no GET /_fakestytch/login"},
	} {
		status, answer := ask(t, httpClient, tc.method, config.URL+"/_fakestytch/"+tc.path, tc.body)
		assert.Equal(t, tc.status, status, tc.path)
		assert.Contains(t, answer["error"], tc.says, tc.path)
	}
	assert.Zero(t, stop())
}
