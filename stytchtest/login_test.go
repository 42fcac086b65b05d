package stytchtest_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// What a primary authentication answers for each state of a Member, and whether
// Stytch sends an SMS automatically.
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
			assert.NotContains(t, login.RawJSON(), "null", "clients have types without it")
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

func TestPassword(t *testing.T) {
	t.Parallel()
	type change = func(*testing.T, *stytchtest.Server, fields)
	set := func(name string, value any) change {
		return func(_ *testing.T, _ *stytchtest.Server, f fields) { f[name] = value }
	}
	for _, tc := range []struct {
		name   string
		change change
		error  string
	}{
		{"right", func(*testing.T, *stytchtest.Server, fields) {}, ""},
		{"another case of the address", set("email_address", "ADA@example.com"), ""},
		{"in French", set("locale", "fr"), ""},
		{"an unknown locale", set("locale", "tlh"), "400 invalid_locale"},
		{"an unknown Organization", set("organization_id", "organization-test-0"), "404 organization_not_found"},
		{"a wrong type", set("password", 1), "400 bad_request"},
		{"a duration out of range", set("session_duration_minutes", 1), "400 invalid_session_duration_minutes"},
		{"an unknown session", set("session_token", "a"), "404 session_not_found"},
		{"a Member without a password", func(t *testing.T, s *stytchtest.Server, f fields) {
			f["email_address"] = member(t, s, stytchtest.Member{}).EmailAddress
		}, "404 member_password_not_found"},
		{"a deleted Member", func(t *testing.T, s *stytchtest.Server, f fields) {
			f["email_address"] = member(t, s, stytchtest.Member{Status: "deleted", Password: "p"}).EmailAddress
		}, "404 member_not_found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			m, _ := s.Member(s.MemberID)
			f := fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": m.Password}
			tc.change(t, s, f)
			a := postOnly(t, s, passwordPath, f)
			if tc.error != "" {
				assert.Equal(t, tc.error, a.error())
				assert.Empty(t, s.SMS())
				return
			}
			assert.Equal(t, map[string]any{
				"member_options":           map[string]any{"mfa_phone_number": "XXXXXXX0106", "totp_registration_id": ""},
				"secondary_auth_initiated": "sms_otp",
			}, a.MFARequired)
			assert.False(t, a.MemberAuthenticated)
			require.Len(t, s.SMS(), 1)
			if f["locale"] != nil {
				assert.Equal(t, f["locale"], s.SMS()[0].Locale)
			}
			done := post(t, s, authenticatePath, fields{"intermediate_session_token": a.IntermediateSessionToken, "code": s.SMS()[0].Code})
			assert.Equal(t, "password otp", done.factors())
		})
	}
}

// A password beside an existing session.
func TestPasswordInSession(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	m, _ := s.Member(s.MemberID)
	logIn := func(organizationID, password string, more fields) answer {
		f := fields{"organization_id": organizationID, "email_address": m.EmailAddress, "password": password}
		maps.Copy(f, more)
		return postOnly(t, s, passwordPath, f)
	}
	const tooLarge = 4096

	// With a session, MFA is not required again.
	token := enter(t, s, fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID)}).SessionToken
	sms := len(s.SMS())
	a := logIn(s.OrganizationID, m.Password, fields{"session_token": token, "session_duration_minutes": 30, "session_custom_claims": fields{"team": "blue"}})
	assert.True(t, a.MemberAuthenticated)
	assert.Equal(t, token, a.SessionToken)
	assert.Equal(t, map[string]any{"team": "blue"}, a.MemberSession.CustomClaims)
	assert.Len(t, s.SMS(), sms)
	a = logIn(s.OrganizationID, m.Password, fields{"session_token": token, "session_custom_claims": fields{"big": strings.Repeat("x", tooLarge)}})
	assert.Equal(t, "custom_claims_too_large", a.ErrorType)

	// An intermediate session stays the same one, with one more factor.
	token = s.IntermediateSessionToken(s.MemberID)
	a = logIn(s.OrganizationID, m.Password, fields{"intermediate_session_token": token})
	assert.Equal(t, token, a.IntermediateSessionToken)
	done := post(t, s, authenticatePath, fields{"intermediate_session_token": token, "code": newest(s).Code})
	assert.Equal(t, "magic_link password otp", done.factors())

	// Without MFA, it is consumed. A password is good for one Organization only.
	o := organization(t, s, stytchtest.Organization{}).OrganizationID
	other := member(t, s, stytchtest.Member{OrganizationID: o, EmailAddress: m.EmailAddress, Password: "p"})
	token = s.IntermediateSessionToken(s.MemberID)
	a = logIn(o, "p", fields{"intermediate_session_token": token})
	assert.True(t, a.MemberAuthenticated)
	assert.Equal(t, other.MemberID, a.MemberSession.MemberID)
	assert.Equal(t, "intermediate_session_not_found", logIn(o, "p", fields{"intermediate_session_token": token}).ErrorType)
	token = logIn(s.OrganizationID, m.Password, nil).IntermediateSessionToken
	assert.Equal(t, "invalid_intermediate_session_token_for_organization", logIn(o, "p", fields{"intermediate_session_token": token}).ErrorType)

	// After the password of one Member, an intermediate session is that Member's.
	o = organization(t, s, stytchtest.Organization{MFAPolicy: "REQUIRED_FOR_ALL"}).OrganizationID
	member(t, s, stytchtest.Member{OrganizationID: o, EmailAddress: m.EmailAddress, Password: "p"})
	token = s.IntermediateSessionToken(s.MemberID)
	assert.Equal(t, token, logIn(o, "p", fields{"intermediate_session_token": token}).IntermediateSessionToken)
	assert.Equal(t, "invalid_intermediate_session_token_for_organization", post(t, s, sendPath, fields{"intermediate_session_token": token}).ErrorType)
}

func TestSessionAuthenticate(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	login := session(t, s)

	s.Advance(30 * time.Minute)
	a := postOnly(t, s, sessionPath, fields{"session_jwt": login.SessionJWT})
	require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
	assert.Equal(t, login.SessionToken, a.SessionToken)
	assert.NotEqual(t, login.SessionJWT, a.SessionJWT)
	assert.Equal(t, now.Add(time.Hour), a.MemberSession.ExpiresAt, "it is not extended")
	assert.Equal(t, now.Add(30*time.Minute), a.MemberSession.LastAccessedAt)
	assert.Equal(t, login.MemberID, a.Member.MemberID)
	assert.Equal(t, s.OrganizationID, a.Organization.OrganizationID)

	a = postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken, "session_duration_minutes": 45, "session_custom_claims": fields{"team": "blue"}})
	assert.Equal(t, now.Add(75*time.Minute), a.MemberSession.ExpiresAt)
	assert.Equal(t, map[string]any{"team": "blue"}, a.MemberSession.CustomClaims)

	for _, tc := range []struct {
		fields    fields
		errorType string
	}{
		{fields{"session_token": 1}, "bad_request"},
		{fields{"session_token": s.IntermediateSessionToken(s.MemberID)}, "session_not_found"},
		{fields{"session_token": login.SessionToken, "session_custom_claims": fields{"big": strings.Repeat("x", 4096)}}, "custom_claims_too_large"},
		{fields{"session_token": login.SessionToken, "authorization_check": fields{}}, "bad_request"},
	} {
		assert.Equal(t, tc.errorType, postOnly(t, s, sessionPath, tc.fields).ErrorType, tc.fields)
	}
	s.Advance(time.Hour)
	assert.Equal(t, "session_not_found", postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken}).ErrorType)
}

// A revoked session is over for both of its tokens, and for no other session.
func TestRevoke(t *testing.T) {
	t.Parallel()
	type login = stytchtest.PrimaryAuthentication
	for name, named := range map[string]func(login) fields{
		"by token":      func(l login) fields { return fields{"session_token": l.SessionToken} },
		"by JWT":        func(l login) fields { return fields{"session_jwt": l.SessionJWT} },
		"by ID":         func(l login) fields { return fields{"member_session_id": l.MemberSession.MemberSessionID} },
		"of the Member": func(l login) fields { return fields{"member_id": l.MemberID} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			revoked, stranger := session(t, s), session(t, s)
			again, err := s.LogIn(revoked.MemberID)
			require.NoError(t, err)
			require.Equal(t, 200, postOnly(t, s, revokePath, named(revoked)).HTTPStatus)
			for _, f := range []fields{{"session_token": revoked.SessionToken}, {"session_jwt": revoked.SessionJWT}} {
				assert.Equal(t, "404 session_not_found", postOnly(t, s, sessionPath, f).error())
			}
			assert.Equal(t, name == "of the Member", postOnly(t, s, sessionPath, fields{"session_token": again.SessionToken}).HTTPStatus == 404)
			assert.Equal(t, 200, postOnly(t, s, sessionPath, fields{"session_token": stranger.SessionToken}).HTTPStatus)
			if name == "of the Member" {
				assert.Equal(t, 200, postOnly(t, s, revokePath, named(revoked)).HTTPStatus, "there may be none")
			}
		})
	}
}
