package stytchtest_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// Tests see what arrived, and how it was answered.
func TestRequests(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTLSServer()
	defer s.Close()
	_, err := s.Client().OTPs.SMS.Send(limited(t), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: s.MemberID, Locale: "es"})
	require.NoError(t, err)
	s.Fail(stytchtest.Fault{Reset: true})
	_, _, err = rawSend(t, s)
	require.Error(t, err)
	requests := s.Requests()
	require.Len(t, requests, 2)
	r := requests[0]
	assert.Equal(t, "POST "+sendPath+" 200", fmt.Sprint(r.Method, " ", r.Path, " ", r.StatusCode))
	assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
	assert.JSONEq(t, fmt.Sprintf(`{"organization_id":%q,"member_id":%q,"locale":"es"}`, s.OrganizationID, s.MemberID), r.Body)
	assert.Zero(t, requests[1].StatusCode)
}

// What is added must be what Stytch has.
func TestAddRefuses(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	for says, o := range map[string]stytchtest.Organization{
		"mfa_policy": {MFAPolicy: "SOMETIMES"},
		"already":    {OrganizationID: s.OrganizationID},
	} {
		_, err := s.AddOrganization(o)
		assert.ErrorContains(t, err, says)
	}
	for says, m := range map[string]stytchtest.Member{
		"there is no Organization": {OrganizationID: "organization-test-0"},
		"status":                   {Status: "gone"},
		"E.164":                    {MFAPhoneNumber: "555"},
		"default_mfa_method":       {DefaultMFAMethod: "email"},
		"already":                  {MemberID: s.MemberID},
	} {
		_, err := s.AddMember(m)
		assert.ErrorContains(t, err, says)
	}
	assert.ErrorContains(t, s.AllowCountries("US", "XX"), `"XX"`)
	assert.Error(t, s.AllowCountries(""))
	assert.Panics(t, func() { s.IntermediateSessionToken("member-test-0") })
	assert.Panics(t, func() { s.Client(stytchb2b.WithTimeout(-1)) })
	_, ok := s.Member("member-test-0")
	assert.False(t, ok)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	for text, says := range map[string]string{
		"[]":                               "cannot unmarshal array",
		`{"members": [{}, {"phone": ""}]}`: `unknown field "phone"`,
		`{"members": [{}, {"organization_id": "o"}]}`: `members[1]: stytchtest: organization_id: there is no Organization "o"`,
		`{"organizations": [{"mfa_policy": "o"}]}`:    "organizations[0]: stytchtest: mfa_policy",
	} {
		assert.ErrorContains(t, s.Load(strings.NewReader(text)), says)
	}
}

// Each fault, and whether the SMS went out nevertheless.
func TestFaults(t *testing.T) {
	t.Parallel()
	type F = stytchtest.Fault
	for _, tc := range []struct {
		name   string
		fault  F
		sms    int
		status int    // 0 for no answer
		body   string // what it contains
		broken bool
	}{
		{"none", F{}, 1, 200, `"member_id"`, false},
		{"a gateway's page", F{StatusCode: 503, Header: http.Header{"Via": {"1.1 proxy"}}, Body: "<html>"}, 0, 503, "<html>", false},
		{"a status after processing", F{StatusCode: 500, Processed: true, Header: http.Header{"Via": {"1.1 proxy"}}}, 1, 500, "internal_server_error", false},
		{"Stytch's own 403", F{StatusCode: 403}, 0, 403, `"error_type":"organization_suspended"`, false},
		{"a gateway's 502", F{StatusCode: 502}, 0, 502, "", false},
		{"a type of Stytch's", F{StatusCode: 400, ErrorType: "billing_not_verified"}, 0, 400, `"error_type":"billing_not_verified"`, false},
		{"reset before", F{Reset: true}, 0, 0, "", true},
		{"reset after", F{Reset: true, Processed: true}, 1, 0, "", true},
		{"truncated", F{Truncate: true}, 1, 200, `{"status_code":200`, true},
		{"endless", F{Endless: true}, 1, 200, strings.Repeat(" ", 1<<19), false},
		{"delays", F{Delay: time.Millisecond, BodyDelay: time.Millisecond}, 1, 200, `Z"}}`, false},
	} {
		for name, newServer := range map[string]func() *stytchtest.Server{
			"HTTP/1.1": stytchtest.NewServer,
			"HTTP/1.1 over TLS": func() *stytchtest.Server {
				s := stytchtest.NewUnstartedServer()
				s.StartTLS()
				return s
			},
			"HTTP/2": stytchtest.NewTLSServer,
		} {
			t.Run(tc.name+", "+name, func(t *testing.T) {
				t.Parallel()
				s := newServer()
				defer s.Close()
				s.Fail(F{MemberID: "another"}, tc.fault)
				resp, body, err := rawSend(t, s)
				assert.Equal(t, tc.broken, err != nil, "%v", err)
				if tc.fault.Reset && name != "HTTP/2" {
					assert.ErrorIs(t, err, syscall.ECONNRESET)
				}
				if tc.status != 0 {
					assert.Equal(t, tc.status, resp.StatusCode)
					assert.Equal(t, tc.fault.Header.Get("Via"), resp.Header.Get("Via"))
					assert.Contains(t, string(body), tc.body)
					assert.Equal(t, tc.body == "", len(body) == 0)
				}
				assert.Len(t, s.SMS(), tc.sms)
				resp, _, err = rawSend(t, s)
				require.NoError(t, err, "the fault is gone")
				assert.Equal(t, name == "HTTP/2", resp.ProtoMajor == 2)
				assert.Len(t, s.SMS(), tc.sms+1)
			})
		}
	}
}

// A fault may last until Recover.
func TestFailAlways(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	status := func(f fields) int { return post(t, s, sendPath, f).HTTPStatus }
	s.FailAlways(stytchtest.Fault{StatusCode: 401, MemberID: s.MemberID})
	s.FailAlways(stytchtest.Fault{StatusCode: 503})
	s.Fail(stytchtest.Fault{StatusCode: 400})
	assert.Equal(t, 400, status(nil), "the next one goes first")
	for range 3 {
		assert.Equal(t, 401, status(nil))
		assert.Equal(t, 503, status(fields{"member_id": "another"}))
	}
	s.Fail(stytchtest.Fault{StatusCode: 400})
	s.Recover()
	assert.Equal(t, 200, status(nil))
}

// Close ends the delays of faults.
func TestCloseEndsDelays(t *testing.T) {
	t.Parallel()
	for _, fault := range []stytchtest.Fault{{Delay: time.Hour}, {BodyDelay: time.Hour}} {
		s := stytchtest.NewServer()
		s.Fail(fault)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _, err := rawSend(t, s)
			assert.Error(t, err)
		})
		_, err := s.NextSMS(limited(t))
		require.NoError(t, err)
		s.Close()
		wg.Wait()
		s.Close() // A second time does no harm.
	}
}

// The caller's listener and credentials.
func TestUnstarted(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewUnstartedServer()
	s.Listener = struct{ net.Listener }{s.Listener}
	s.ProjectID, s.Secret = "project-test-mine", "secret-test-mine"
	s.Start()
	defer s.Close()
	assert.Equal(t, 200, post(t, s, sendPath, nil).HTTPStatus)
}

// FuzzServer gives the server any request: it answers with JSON and does not
// panic.
func FuzzServer(f *testing.F) {
	s := stytchtest.NewServer()
	f.Cleanup(s.Close)
	f.Add("POST", sendPath, "application/json", []byte(fmt.Sprintf(`{"organization_id":%q,"member_id":%q}`, s.OrganizationID, s.MemberID)))
	f.Add("POST", authenticatePath, "application/json", []byte(`{"organization_id":"","code":"1","session_jwt":"a.b.c","session_duration_minutes":1e9}`))
	f.Add("POST", revokePath, "application/json", []byte(`{"member_session_id":"a","member_id":null}`))
	f.Add("POST", sessionPath, "application/json", []byte(`{"session_jwt":"a.b.c","session_custom_claims":{"a":{"b":null}}}`))
	f.Fuzz(func(t *testing.T, method, path, contentType string, body []byte) {
		req, err := http.NewRequest(method, s.URL, strings.NewReader(string(body)))
		if err != nil {
			return
		}
		req.URL.Path = path
		req.Header.Set("Content-Type", contentType)
		req.SetBasicAuth(s.ProjectID, s.Secret)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		assert.True(t, json.Valid(w.Body.Bytes()), w.Body)
	})
}
