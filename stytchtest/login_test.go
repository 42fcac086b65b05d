package stytchtest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// What a primary authentication answers for each state of a Member, and whether
// Stytch sends an SMS automatically.
func TestLogIn(t *testing.T) {
	t.Parallel()
	type (
		M = stytchtest.Member
		O = stytchtest.Organization
	)
	required := O{MFAPolicy: "REQUIRED_FOR_ALL"}
	for _, tc := range []struct {
		name      string
		org       O
		member    M
		mfa, sent bool
	}{
		{name: "not enrolled", member: M{MFAPhoneNumber: firstNumber}},
		{name: "enrolled", member: M{MFAPhoneNumber: firstNumber, MFAEnrolled: true}, mfa: true, sent: true},
		{name: "MFA required", org: required, member: M{MFAPhoneNumber: firstNumber}, mfa: true, sent: true},
		{name: "MFA required, no number yet", org: required, mfa: true},
		{name: "an authenticator app by default", member: M{MFAPhoneNumber: firstNumber, MFAEnrolled: true, TOTP: true, DefaultMFAMethod: "totp"}, mfa: true},
		{name: "a country that is not allowed", member: M{MFAPhoneNumber: "+4915112340123", MFAEnrolled: true}, mfa: true},
		{name: "invited", member: M{MFAPhoneNumber: firstNumber, MFAEnrolled: true, Status: "invited"}, mfa: true, sent: true},
		{name: "pending, not enrolled", member: M{Status: "pending"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewTestServer(t)
			o := organization(t, s, tc.org)
			tc.member.OrganizationID = o.OrganizationID
			m := member(t, s, tc.member)
			login, err := s.LogIn(m.MemberID)
			require.NoError(t, err)
			assert.NotRegexp(t, `null|external_id|lock_`, login.RawJSON(), "clients have types without null")
			assert.Equal(t, 200, login.StatusCode)
			assert.Contains(t, login.RequestID, "request-id-test-")
			assert.Equal(t, []string{m.MemberID, m.MemberID}, []string{login.MemberID, login.Member.MemberID})
			assert.Equal(t, []string{o.OrganizationID, o.OrganizationID}, []string{login.OrganizationID, login.Organization.OrganizationID})
			assert.Equal(t, "active", login.Member.Status)
			assert.Equal(t, !tc.mfa, login.MemberAuthenticated)
			assert.Equal(t, tc.mfa, login.MFARequired != nil)
			assert.Equal(t, tc.mfa, login.IntermediateSessionToken != "")
			assert.Equal(t, !tc.mfa, login.MemberSession != nil)
			assert.Equal(t, !tc.mfa, login.SessionToken != "")
			assert.Equal(t, tc.sent, len(s.SMS()) == 1)
			if tc.mfa {
				assert.Equal(t, tc.sent, login.MFARequired.SecondaryAuthInitiated == "sms_otp")
				options := login.MFARequired.MemberOptions
				assert.Equal(t, m.MFAPhoneNumber != "", strings.HasSuffix(options.MFAPhoneNumber, "XXXX0123"), options.MFAPhoneNumber)
				assert.Equal(t, tc.member.TOTP, options.TOTPRegistrationID != "")
			}
			if tc.sent {
				assert.True(t, newest(s).Automatic)
				assert.Equal(t, m.MFAPhoneNumber, newest(s).To)
				done := post(t, s, authenticatePath, fields{
					"organization_id": o.OrganizationID, "member_id": m.MemberID,
					"code": newest(s).Code, "intermediate_session_token": login.IntermediateSessionToken,
				})
				assert.Equal(t, "200 ", done.error())
				assert.True(t, done.Member.MFAEnrolled)
			}
		})
	}
}

func TestLogInRefuses(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	for _, id := range []string{"member-test-0", member(t, s, stytchtest.Member{Status: "deleted"}).MemberID} {
		_, err := s.LogIn(id)
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Contains(t, apiErr.RequestID, "request-id-test-")
		apiErr.RequestID = ""
		assert.Equal(t, &stytchb2b.APIError{
			StatusCode: 404, ErrorType: stytchb2b.ErrorTypeMemberNotFound, ErrorMessage: "Member could not be found.",
			ErrorURL: "https://stytch.com/docs/api-reference/b2b/api/errors/404#member_not_found",
		}, apiErr)
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	m, _ := s.Member(s.MemberID)
	logIn := func(pairs ...any) answer {
		return postOnly(t, s, passwordPath, with(fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": m.Password}, pairs...))
	}
	without, deleted := member(t, s, stytchtest.Member{}), member(t, s, stytchtest.Member{Status: "deleted", Password: "p"})
	assert.Equal(t, "404 member_password_not_found", logIn("email_address", without.EmailAddress).error())
	assert.Equal(t, "404 member_not_found", logIn("email_address", deleted.EmailAddress, "password", "p").error())
	assert.Equal(t, "404 member_not_found", logIn("organization_id", organization(t, s, stytchtest.Organization{}).OrganizationID).error())
	assert.Empty(t, s.SMS())

	a := logIn("email_address", "ADA@example.com", "locale", "fr")
	assert.Equal(t, map[string]any{
		"member_options":           map[string]any{"mfa_phone_number": "XXXXXXX0106", "totp_registration_id": ""},
		"secondary_auth_initiated": "sms_otp",
	}, a.MFARequired)
	assert.Equal(t, "fr", newest(s).Locale)
	done := post(t, s, authenticatePath, fields{"intermediate_session_token": a.IntermediateSessionToken, "code": newest(s).Code})
	assert.Equal(t, "password otp", done.factors())

	// An intermediate session stays the same one, with one more factor.
	token := s.IntermediateSessionToken(s.MemberID)
	assert.Equal(t, token, logIn("intermediate_session_token", token).IntermediateSessionToken)
	done = post(t, s, authenticatePath, fields{"intermediate_session_token": token, "code": newest(s).Code})
	assert.Equal(t, "magic_link password otp", done.factors())

	// With a session, MFA is not required again.
	a = logIn("session_token", done.SessionToken, "session_duration_minutes", 30, "session_custom_claims", fields{"team": "blue"})
	assert.True(t, a.MemberAuthenticated)
	assert.Equal(t, done.SessionToken, a.SessionToken)
	assert.Equal(t, map[string]any{"team": "blue"}, a.MemberSession.CustomClaims)
	assert.Len(t, s.SMS(), 2)
	a = logIn("session_token", done.SessionToken, "session_custom_claims", fields{"big": strings.Repeat("x", 4096)})
	assert.Equal(t, "400 custom_claims_too_large", a.error())
}
