package stytchtest_test

import (
	"cmp"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

const (
	adasNumber  = "+12025550106" // of the server's first Member
	firstNumber = "+12025550123"
)

// What Send answers in each state, and whether an SMS goes out.
func TestSend(t *testing.T) {
	t.Parallel()
	type (
		M = stytchtest.Member
		O = stytchtest.Organization
	)
	for _, tc := range []struct {
		name   string
		org    *O // if not the server's first
		member *M // if not the server's first
		fields fields
		error  string
		to     string
	}{
		{name: "the Member's own number", to: adasNumber},
		{name: "the same number", fields: fields{"mfa_phone_number": adasNumber}, to: adasNumber},
		{name: "a first number", member: &M{}, fields: fields{"mfa_phone_number": firstNumber}, to: firstNumber},
		{name: "no number at all", member: &M{}, error: "400 missing_sms_parameter"},
		{name: "another Member's number", member: &M{}, fields: fields{"mfa_phone_number": adasNumber}, error: "400 duplicate_member_phone_number"},
		{name: "the number of a Member of another Organization", org: &O{}, member: &M{}, fields: fields{"mfa_phone_number": adasNumber}, to: adasNumber},
		{name: "a first number beside an authenticator app", member: &M{TOTP: true}, fields: fields{"mfa_phone_number": firstNumber}, error: "403 session_authorization_error"},
		{name: "a Member of another Organization", org: &O{}, error: "404 member_not_found"},
		{name: "external IDs", org: &O{ExternalID: "tenant 7"}, member: &M{ExternalID: "ada-1", MFAPhoneNumber: firstNumber}, fields: fields{"organization_id": "tenant 7", "member_id": "ada-1"}, to: firstNumber},
		{name: "a pending Member", member: &M{MFAPhoneNumber: firstNumber, Status: "pending"}, error: "400 action_available_only_for_active_members"},
		{name: "a deleted Member", member: &M{MFAPhoneNumber: firstNumber, Status: "deleted"}, error: "404 member_not_found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewTestServer(t)
			f := fields{}
			if tc.org != nil {
				f["organization_id"] = organization(t, s, *tc.org).OrganizationID
			}
			if tc.member != nil {
				m := *tc.member
				m.OrganizationID, _ = f["organization_id"].(string)
				f["member_id"] = member(t, s, m).MemberID
			}
			maps.Copy(f, tc.fields)
			a := post(t, s, sendPath, f)
			if tc.error != "" {
				assert.Equal(t, tc.error, a.error())
				assert.Empty(t, s.SMS())
				return
			}
			require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
			require.Len(t, s.SMS(), 1)
			assert.Equal(t, tc.to, newest(s).To)
			assert.Equal(t, tc.to, a.Member.MFAPhoneNumber)
			stored, ok := s.Member(a.MemberID)
			require.True(t, ok)
			assert.Equal(t, tc.to, stored.MFAPhoneNumber, "the number is the Member's")
		})
	}
}

// SMS go to the countries on the allowlist.
func TestCountries(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	send := func(number string) string { return post(t, s, sendPath, withNumber(t, s, number)).ErrorType }
	for name, number := range map[string]string{"Canada": "+14165550123", "the sandbox number": "+10000000000"} {
		assert.Empty(t, send(number), name)
	}
	for name, number := range map[string]string{
		"Jamaica, +1 too": "+18765550123", "the Dominican Republic, +1 too": "+18495550123", "freephone": "+18005550123",
		"+1 and too few digits": "+1202555", "Germany": "+4915112345678", "no such calling code": "+99912345678",
	} {
		assert.Equal(t, "invalid_phone_number_country_code", send(number), name)
	}
	require.NoError(t, s.AllowCountries("DE", "JM"))
	assert.Empty(t, send("+491511234567890"), "15 digits")
	assert.Empty(t, send("+18765550123"))
	assert.Equal(t, "invalid_phone_number_country_code", send(adasNumber), "the US is no longer allowed")
}

func withNumber(t *testing.T, s *stytchtest.Server, number string) fields {
	return fields{"member_id": member(t, s, stytchtest.Member{MFAPhoneNumber: number}).MemberID}
}

func TestLocales(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	for _, locale := range []string{"", "en", "es", "fr", "pt-br", "it", "de-DE", "zh-Hans", "ca-ES", "ja", "ru", "nl", "pl", "tr", "fa", "vi", "cs"} {
		require.Equal(t, 200, post(t, s, sendPath, fields{"locale": locale}).HTTPStatus, locale)
		sms, err := s.NextSMS(limited(t))
		require.NoError(t, err)
		assert.Equal(t, cmp.Or(locale, "en"), sms.Locale)
		assert.Regexp(t, `^\d{6}$`, sms.Code)
		assert.Equal(t, "Example Inc.: your verification code is "+sms.Code+".", sms.Text)
	}
}

// How long a code is right, and a session may last.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	for _, tc := range []struct {
		name   string
		later  time.Duration
		change fields
		error  string
	}{
		{"right", 0, nil, "200 "},
		{"malformed", 0, fields{"code": "12345a"}, "400 invalid_code"},
		{"just not expired", 2*time.Minute - 1, nil, "200 "},
		{"expired", 2 * time.Minute, nil, "401 unable_to_auth_otp_code"},
		{"the shortest duration", 0, fields{"session_duration_minutes": 5}, "200 "},
		{"the longest duration", 0, fields{"session_duration_minutes": 527040}, "200 "},
		{"a duration of 0", 0, fields{"session_duration_minutes": 0}, "400 invalid_session_duration_minutes"},
	} {
		s.SetTime(time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC))
		require.Equal(t, 200, post(t, s, sendPath, nil).HTTPStatus)
		f := fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID), "code": newest(s).Code}
		maps.Copy(f, tc.change)
		s.Advance(tc.later)
		assert.Equal(t, tc.error, post(t, s, authenticatePath, f).error(), tc.name)
	}
}

// What a right code changes.
func TestAuthenticateChanges(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	required := organization(t, s, stytchtest.Organization{MFAPolicy: "REQUIRED_FOR_ALL"})
	m := member(t, s, stytchtest.Member{OrganizationID: required.OrganizationID})
	a := enter(t, s, fields{
		"organization_id": required.OrganizationID, "member_id": m.MemberID, "mfa_phone_number": "+12025550107",
		"intermediate_session_token": s.IntermediateSessionToken(m.MemberID),
	})
	assert.True(t, a.Member.MFAPhoneNumberVerified)
	assert.True(t, a.Member.MFAEnrolled, "the Organization requires it")
	assert.Empty(t, a.Member.DefaultMFAMethod, "nobody asked for it")
	assert.Equal(t, "REQUIRED_FOR_ALL", a.Organization.MFAPolicy)
	assert.Equal(t, now.Add(time.Hour), a.MemberSession.ExpiresAt)

	// A step up of a session: it stays the same one.
	s.Advance(10 * time.Minute)
	login := session(t, s)
	f := fields{"organization_id": s.OrganizationID, "member_id": login.MemberID, "session_token": login.SessionToken}
	f["set_mfa_enrollment"], f["session_duration_minutes"] = "enroll", 5
	a = enter(t, s, f)
	assert.True(t, a.Member.MFAEnrolled)
	assert.Equal(t, f["session_token"], a.SessionToken)
	assert.Equal(t, "magic_link otp", a.factors())
	assert.Equal(t, now.Add(15*time.Minute), a.MemberSession.ExpiresAt)
	f["set_mfa_enrollment"], f["set_default_mfa"] = "unenroll", true
	delete(f, "session_token")
	f["session_jwt"] = a.SessionJWT
	a = enter(t, s, f)
	assert.False(t, a.Member.MFAEnrolled)
	assert.Equal(t, "sms_otp", a.Member.DefaultMFAMethod)
}
