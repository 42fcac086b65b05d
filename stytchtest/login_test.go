package stytchtest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

const (
	passwordPath = "/v1/b2b/passwords/authenticate"
	sessionPath  = "/v1/b2b/sessions/authenticate"
)

// What a primary authentication answers for each state of a Member, and whether
// Stytch sends an SMS by itself.
func TestLogIn(t *testing.T) {
	t.Parallel()
	const number = "+12025550123"
	required := stytchtest.Organization{MFAPolicy: "REQUIRED_FOR_ALL"}
	for _, tc := range []struct {
		name      string
		org       stytchtest.Organization
		member    stytchtest.Member
		prepare   func(*stytchtest.Server)
		mfa, sent bool
		masked    string
	}{
		{name: "not enrolled", member: stytchtest.Member{MFAPhoneNumber: number}},
		{name: "enrolled", member: stytchtest.Member{MFAPhoneNumber: number, MFAEnrolled: true}, mfa: true, sent: true, masked: "XXXXXXX0123"},
		{name: "MFA required", org: required, member: stytchtest.Member{MFAPhoneNumber: number}, mfa: true, sent: true, masked: "XXXXXXX0123"},
		{name: "MFA required, no number yet", org: required, mfa: true},
		{name: "an authenticator app by default", member: stytchtest.Member{MFAPhoneNumber: number, MFAEnrolled: true, TOTP: true, DefaultMFAMethod: "totp"}, mfa: true, masked: "XXXXXXX0123"},
		{name: "an authenticator app beside", member: stytchtest.Member{MFAPhoneNumber: number, MFAEnrolled: true, TOTP: true}, mfa: true, sent: true, masked: "XXXXXXX0123"},
		{name: "no SMS allowed", org: stytchtest.Organization{AllowedMFAMethods: []string{"totp"}}, member: stytchtest.Member{MFAPhoneNumber: number, MFAEnrolled: true}, mfa: true, masked: "XXXXXXX0123"},
		{name: "no SMS allowed, breakglass", org: stytchtest.Organization{AllowedMFAMethods: []string{"totp"}}, member: stytchtest.Member{MFAPhoneNumber: number, MFAEnrolled: true, IsBreakglass: true}, mfa: true, sent: true, masked: "XXXXXXX0123"},
		{name: "a country that is not allowed", member: stytchtest.Member{MFAPhoneNumber: "+4915112345678", MFAEnrolled: true}, mfa: true, masked: "XXXXXXXXX5678"},
		{name: "invited", member: stytchtest.Member{MFAPhoneNumber: number, MFAEnrolled: true, Status: "invited"}, mfa: true, sent: true, masked: "XXXXXXX0123"},
		{name: "pending, not enrolled", member: stytchtest.Member{Status: "pending"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			o := organization(t, s, tc.org)
			tc.member.OrganizationID = o.OrganizationID
			m := member(t, s, tc.member)
			login, err := s.LogIn(m.MemberID)
			require.NoError(t, err)
			assert.Equal(t, 200, login.StatusCode)
			assert.Contains(t, login.RawJSON(), `"primary_required":null`)
			assert.Contains(t, login.RequestID, "request-id-test-")
			assert.Equal(t, m.MemberID, login.MemberID)
			assert.Equal(t, m.MemberID, login.Member.MemberID)
			assert.Equal(t, "active", login.Member.Status)
			assert.Equal(t, o.OrganizationID, login.OrganizationID)
			assert.Equal(t, o.OrganizationID, login.Organization.OrganizationID)
			assert.Equal(t, !tc.mfa, login.MemberAuthenticated)
			if !tc.mfa {
				assert.Nil(t, login.MFARequired)
				assert.Empty(t, login.IntermediateSessionToken)
				require.NotNil(t, login.MemberSession)
				assert.Equal(t, "magic_link", login.MemberSession.AuthenticationFactors[0].Type)
				assert.NotEmpty(t, login.SessionToken)
				assert.NotEmpty(t, login.SessionJWT)
				assert.Empty(t, s.SMS())
				return
			}
			require.NotNil(t, login.MFARequired)
			assert.NotEmpty(t, login.IntermediateSessionToken)
			assert.Nil(t, login.MemberSession)
			assert.Empty(t, login.SessionToken)
			assert.Equal(t, tc.masked, login.MFARequired.MemberOptions.MFAPhoneNumber)
			assert.Equal(t, tc.member.TOTP, login.MFARequired.MemberOptions.TOTPRegistrationID != "")
			if !tc.sent {
				assert.Empty(t, login.MFARequired.SecondaryAuthInitiated)
				assert.Empty(t, s.SMS())
				return
			}
			assert.Equal(t, "sms_otp", login.MFARequired.SecondaryAuthInitiated)
			require.Len(t, s.SMS(), 1)
			sms := s.SMS()[0]
			assert.True(t, sms.Automatic)
			assert.Equal(t, m.MFAPhoneNumber, sms.To)

			// The code is as good as that of a Send, which makes it invalid.
			resp, err := s.Client().OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{
				OrganizationID: o.OrganizationID, MemberID: m.MemberID, Code: sms.Code, IntermediateSessionToken: login.IntermediateSessionToken,
			})
			require.NoError(t, err)
			assert.NotEmpty(t, resp.SessionToken)
		})
	}
}

func TestLogInRefuses(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	for _, id := range []string{"member-test-0", member(t, s, stytchtest.Member{Status: "deleted"}).MemberID} {
		_, err := s.LogIn(id)
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, 404, apiErr.StatusCode)
		assert.Equal(t, stytchb2b.ErrorTypeMemberNotFound, apiErr.ErrorType)
		assert.Contains(t, apiErr.ErrorURL, "404#member_not_found")
		assert.False(t, stytchb2b.MaybeSent(err))
	}
}

// An SMS of Stytch's own counts against the limits, and none goes over them.
func TestLogInIsLimited(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	s.SetRateLimit(stytchtest.RateLimit{PerNumber: 1})
	first, err := s.LogIn(s.MemberID)
	require.NoError(t, err)
	assert.Equal(t, "sms_otp", first.MFARequired.SecondaryAuthInitiated)
	second, err := s.LogIn(s.MemberID)
	require.NoError(t, err)
	assert.Empty(t, second.MFARequired.SecondaryAuthInitiated)
	assert.Len(t, s.SMS(), 1)
	assert.Equal(t, 429, post(t, s, sendPath, nil).HTTPStatus)
}

// postAny makes a request with just these fields, and returns the whole answer.
func postAny(t *testing.T, s *stytchtest.Server, path string, f fields) map[string]any {
	t.Helper()
	text, err := json.Marshal(f)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(string(text)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(s.ProjectID, s.Secret)
	resp, err := s.HTTPClient().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var object map[string]any
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&object))
	assert.EqualValues(t, resp.StatusCode, object["status_code"])
	return object
}

func TestPassword(t *testing.T) {
	t.Parallel()
	type change = func(*testing.T, *stytchtest.Server, fields)
	set := func(name string, value any) change {
		return func(_ *testing.T, _ *stytchtest.Server, f fields) { f[name] = value }
	}
	for _, tc := range []struct {
		name      string
		change    change
		status    int
		errorType string
	}{
		{"right", func(*testing.T, *stytchtest.Server, fields) {}, 200, ""},
		{"another case of the address", set("email_address", "ADA@example.com"), 200, ""},
		{"in French", set("locale", "fr"), 200, ""},
		{"an unknown locale", set("locale", "tlh"), 400, "invalid_locale"},
		{"wrong", set("password", "Babbage"), 401, "unauthorized_credentials"},
		{"none", set("password", ""), 400, "bad_request"},
		{"no address", set("email_address", ""), 400, "bad_request"},
		{"an unknown address", set("email_address", "grace@example.com"), 404, "member_not_found"},
		{"an unknown Organization", set("organization_id", "organization-test-0"), 404, "organization_not_found"},
		{"a wrong type", set("password", 1), 400, "bad_request"},
		{"a duration out of range", set("session_duration_minutes", 1), 400, "invalid_session_duration_minutes"},
		{"an unknown session", set("session_token", "a"), 404, "session_not_found"},
		{"a Member without a password", func(t *testing.T, s *stytchtest.Server, f fields) {
			f["email_address"] = member(t, s, stytchtest.Member{}).EmailAddress
		}, 404, "member_password_not_found"},
		{"a deleted Member", func(t *testing.T, s *stytchtest.Server, f fields) {
			f["email_address"] = member(t, s, stytchtest.Member{Status: "deleted", Password: "p"}).EmailAddress
		}, 404, "member_not_found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			m, _ := s.Member(s.MemberID)
			f := fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": m.Password}
			tc.change(t, s, f)
			a := postAny(t, s, passwordPath, f)
			assert.EqualValues(t, tc.status, a["status_code"])
			if tc.status != 200 {
				assert.Equal(t, tc.errorType, a["error_type"])
				assert.Empty(t, s.SMS())
				return
			}
			assert.Equal(t, map[string]any{
				"member_options":           map[string]any{"mfa_phone_number": "XXXXXXX0106", "totp_registration_id": ""},
				"secondary_auth_initiated": "sms_otp",
			}, a["mfa_required"])
			assert.Equal(t, false, a["member_authenticated"])
			assert.Nil(t, a["member_session"])
			require.Len(t, s.SMS(), 1)
			if f["locale"] != nil {
				assert.Equal(t, f["locale"], s.SMS()[0].Locale)
			}
			assert.NotContains(t, s.Requests()[0].Body, m.Password)

			done := post(t, s, authenticatePath, fields{"intermediate_session_token": a["intermediate_session_token"], "code": s.SMS()[0].Code})
			assert.Equal(t, "password otp", done.factors())
		})
	}
}

// A password beside a session that is there already.
func TestPasswordInSession(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	m, _ := s.Member(s.MemberID)
	f := func(more fields) fields {
		more["organization_id"], more["email_address"], more["password"] = s.OrganizationID, m.EmailAddress, m.Password
		return more
	}

	// With a session, MFA is not required again.
	sess := s.NewSession(s.MemberID, false)
	a := postAny(t, s, passwordPath, f(fields{"session_token": sess.Token, "session_duration_minutes": 30, "session_custom_claims": fields{"team": "blue"}}))
	assert.Equal(t, true, a["member_authenticated"])
	assert.Equal(t, sess.Token, a["session_token"])
	assert.Equal(t, map[string]any{"team": "blue"}, a["member_session"].(map[string]any)["custom_claims"])
	assert.Empty(t, s.SMS())

	// The claims have to be small, and a refusal leaves the session as it is.
	a = postAny(t, s, passwordPath, f(fields{"session_token": sess.Token, "session_custom_claims": fields{"big": strings.Repeat("x", 4096)}}))
	assert.Equal(t, "custom_claims_too_large", a["error_type"])

	// An intermediate session stays the same one, with one more factor.
	token := s.IntermediateSessionToken(s.MemberID)
	a = postAny(t, s, passwordPath, f(fields{"intermediate_session_token": token}))
	assert.Equal(t, token, a["intermediate_session_token"])
	done := post(t, s, authenticatePath, fields{"intermediate_session_token": token, "code": s.SMS()[0].Code})
	assert.Equal(t, "magic_link password otp", done.factors())

	// Where MFA is not required it is used up. A password is good for one
	// Organization only.
	o := organization(t, s, stytchtest.Organization{})
	other := member(t, s, stytchtest.Member{OrganizationID: o.OrganizationID, EmailAddress: m.EmailAddress, Password: "p"})
	token = s.IntermediateSessionToken(s.MemberID)
	login := func() map[string]any {
		return postAny(t, s, passwordPath, fields{"organization_id": o.OrganizationID, "email_address": m.EmailAddress, "password": "p", "intermediate_session_token": token})
	}
	a = login()
	assert.Equal(t, true, a["member_authenticated"])
	assert.Equal(t, other.MemberID, a["member_session"].(map[string]any)["member_id"])
	assert.Equal(t, "intermediate_session_not_found", login()["error_type"])
	token = postAny(t, s, passwordPath, f(fields{}))["intermediate_session_token"].(string)
	assert.Equal(t, "invalid_intermediate_session_token_for_organization", login()["error_type"])

	// With the password of one Member, an intermediate session is that Member's.
	required := organization(t, s, stytchtest.Organization{MFAPolicy: "REQUIRED_FOR_ALL"})
	member(t, s, stytchtest.Member{OrganizationID: required.OrganizationID, EmailAddress: m.EmailAddress, Password: "p"})
	token = s.IntermediateSessionToken(s.MemberID)
	a = postAny(t, s, passwordPath, fields{"organization_id": required.OrganizationID, "email_address": m.EmailAddress, "password": "p", "intermediate_session_token": token})
	assert.Equal(t, token, a["intermediate_session_token"])
	assert.Equal(t, "invalid_intermediate_session_token_for_organization", post(t, s, sendPath, fields{"intermediate_session_token": token}).ErrorType)
}

func TestSessionAuthenticate(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	sess := s.NewSession(s.MemberID, false)
	gone := s.NewSession(member(t, s, stytchtest.Member{Status: "deleted"}).MemberID, false)

	s.Advance(30 * time.Minute)
	a := postAny(t, s, sessionPath, fields{"session_jwt": sess.JWT})
	require.EqualValues(t, 200, a["status_code"], a["error_type"])
	assert.Equal(t, sess.Token, a["session_token"])
	assert.NotEqual(t, sess.JWT, a["session_jwt"])
	session := a["member_session"].(map[string]any)
	assert.Equal(t, now.Add(time.Hour).Format(time.RFC3339), session["expires_at"], "it is not extended")
	assert.Equal(t, now.Add(30*time.Minute).Format(time.RFC3339), session["last_accessed_at"])
	assert.Equal(t, s.MemberID, a["member"].(map[string]any)["member_id"])
	assert.Equal(t, s.OrganizationID, a["organization"].(map[string]any)["organization_id"])

	a = postAny(t, s, sessionPath, fields{"session_token": sess.Token, "session_duration_minutes": 45, "session_custom_claims": fields{"team": "blue"}})
	session = a["member_session"].(map[string]any)
	assert.Equal(t, now.Add(75*time.Minute).Format(time.RFC3339), session["expires_at"])
	assert.Equal(t, map[string]any{"team": "blue"}, session["custom_claims"])

	for _, tc := range []struct {
		fields    fields
		errorType string
	}{
		{fields{}, "no_session_arguments"},
		{fields{"session_token": sess.Token, "session_jwt": sess.JWT}, "too_many_session_arguments"},
		{fields{"session_token": 1}, "bad_request"},
		{fields{"session_token": "a"}, "session_not_found"},
		{fields{"session_token": gone.Token}, "session_not_found"},
		{fields{"session_token": s.IntermediateSessionToken(s.MemberID)}, "session_not_found"},
		{fields{"session_token": sess.Token, "session_duration_minutes": 4}, "invalid_session_duration_minutes"},
		{fields{"session_token": sess.Token, "session_custom_claims": fields{"big": strings.Repeat("x", 4096)}}, "custom_claims_too_large"},
		{fields{"session_token": sess.Token, "authorization_check": fields{}}, "bad_request"},
	} {
		assert.Equal(t, tc.errorType, postAny(t, s, sessionPath, tc.fields)["error_type"], tc.fields)
	}
	s.Advance(time.Hour)
	assert.Equal(t, "session_not_found", postAny(t, s, sessionPath, fields{"session_token": sess.Token})["error_type"])
}
