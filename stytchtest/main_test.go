package stytchtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
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

const (
	sendPath         = "/v1/b2b/otps/sms/send"
	authenticatePath = "/v1/b2b/otps/sms/authenticate"
	passwordPath     = "/v1/b2b/passwords/authenticate"
	sessionPath      = "/v1/b2b/sessions/authenticate"
	revokePath       = "/v1/b2b/sessions/revoke"
)

// An answer is what the server says, in the fields that tests look at.
type answer struct {
	HTTPStatus int

	StatusCode               int                     `json:"status_code"`
	RequestID                string                  `json:"request_id"`
	ErrorType                string                  `json:"error_type"`
	ErrorMessage             string                  `json:"error_message"`
	ErrorURL                 string                  `json:"error_url"`
	MemberID                 string                  `json:"member_id"`
	SessionToken             string                  `json:"session_token"`
	SessionJWT               string                  `json:"session_jwt"`
	IntermediateSessionToken string                  `json:"intermediate_session_token"`
	MemberAuthenticated      bool                    `json:"member_authenticated"`
	MFARequired              any                     `json:"mfa_required"`
	MemberSession            stytchb2b.MemberSession `json:"member_session"`
	Organization             stytchb2b.Organization  `json:"organization"`
	Member                   struct {
		stytchb2b.Member
		IsLocked      bool   `json:"is_locked"`
		LockCreatedAt string `json:"lock_created_at"`
		LockExpiresAt string `json:"lock_expires_at"`
	} `json:"member"`
}

func (a answer) factors() string {
	var names []string
	for _, f := range a.MemberSession.AuthenticationFactors {
		names = append(names, f.Type)
	}
	return strings.Join(names, " ")
}

func (a answer) error() string { return fmt.Sprint(a.HTTPStatus, " ", a.ErrorType) }

type fields map[string]any

// limited returns a context that ends before the patience of a developer does.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// post makes a request for the server's first Member, changed by change.
func post(t *testing.T, s *stytchtest.Server, path string, change fields) answer {
	t.Helper()
	body := fields{"organization_id": s.OrganizationID, "member_id": s.MemberID}
	maps.Copy(body, change)
	return postOnly(t, s, path, body)
}

// postOnly makes a request with just these fields.
func postOnly(t *testing.T, s *stytchtest.Server, path string, f fields) (a answer) {
	t.Helper()
	resp := request(t, s, http.MethodPost, path, f, &a)
	a.HTTPStatus = resp.StatusCode
	assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	assert.Equal(t, a.HTTPStatus, a.StatusCode)
	assert.Regexp(t, "^request-id-test-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", a.RequestID)
	if a.StatusCode != 200 {
		assert.NotEmpty(t, a.ErrorMessage)
		assert.Contains(t, a.ErrorURL, fmt.Sprintf("/%d#%s", a.StatusCode, a.ErrorType))
	}
	return a
}

// request makes a request, whose answer is JSON.
func request(t *testing.T, s *stytchtest.Server, method, path string, f fields, into any) *http.Response {
	t.Helper()
	resp, body, err := do(t, s, method, path, f)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, into))
	return resp
}

// do makes a request, and reads 1 MiB of the answer.
func do(t *testing.T, s *stytchtest.Server, method, path string, f fields) (*http.Response, []byte, error) {
	t.Helper()
	text, err := json.Marshal(f)
	require.NoError(t, err)
	return exchange(t, s.HTTPClient(), method, s.URL+path, "application/json; charset=utf-8", text, s.ProjectID, s.Secret)
}

func exchange(t *testing.T, client *http.Client, method, url, contentType string, body []byte, projectID, secret string) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(limited(t), method, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	if projectID != "" {
		req.SetBasicAuth(projectID, secret)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp, answer, err
}

// enter has a code sent, and enters it. The fields are those of both requests.
func enter(t *testing.T, s *stytchtest.Server, f fields) answer {
	t.Helper()
	to := fields{}
	for _, name := range []string{"organization_id", "member_id", "mfa_phone_number"} {
		if value, ok := f[name]; ok {
			to[name] = value
		}
	}
	require.Equal(t, 200, post(t, s, sendPath, to).HTTPStatus)
	f["code"] = newest(s).Code
	return post(t, s, authenticatePath, f)
}

func member(t *testing.T, s *stytchtest.Server, m stytchtest.Member) stytchtest.Member {
	t.Helper()
	added, err := s.AddMember(m)
	require.NoError(t, err)
	return added
}

func organization(t *testing.T, s *stytchtest.Server, o stytchtest.Organization) stytchtest.Organization {
	t.Helper()
	added, err := s.AddOrganization(o)
	require.NoError(t, err)
	return added
}

// session adds a Member with a number who needs no MFA, and logs the Member in.
func session(t *testing.T, s *stytchtest.Server) stytchtest.PrimaryAuthentication {
	t.Helper()
	login, err := s.LogIn(member(t, s, stytchtest.Member{MFAPhoneNumber: "+12025550123"}).MemberID)
	require.NoError(t, err)
	return login
}

// rawSend is a Send for the server's first Member, whatever the answer is.
func rawSend(t *testing.T, s *stytchtest.Server) (*http.Response, []byte, error) {
	t.Helper()
	return do(t, s, http.MethodPost, sendPath, fields{"organization_id": s.OrganizationID, "member_id": s.MemberID})
}

// newest returns the last SMS.
func newest(s *stytchtest.Server) stytchtest.SMS { sms := s.SMS(); return sms[len(sms)-1] }
