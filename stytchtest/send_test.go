package stytchtest_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
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
	noSMS := &O{AllowedMFAMethods: []string{"totp"}}
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
		{name: "slug and external ID", org: &O{Slug: "acme"}, member: &M{ExternalID: "ada-1", MFAPhoneNumber: firstNumber}, fields: fields{"organization_id": "acme", "member_id": "ada-1"}, to: firstNumber},
		{name: "external IDs", org: &O{ExternalID: "tenant 7"}, member: &M{ExternalID: "ada-1", MFAPhoneNumber: firstNumber}, fields: fields{"organization_id": "tenant 7", "member_id": "ada-1"}, to: firstNumber},
		{name: "an Organization without SMS", org: noSMS, member: &M{MFAPhoneNumber: firstNumber}, error: "400 operation_restricted_by_organization_mfa_methods"},
		{name: "an Organization without SMS, a breakglass Member", org: noSMS, member: &M{MFAPhoneNumber: firstNumber, IsBreakglass: true}, to: firstNumber},
		{name: "a pending Member", member: &M{MFAPhoneNumber: firstNumber, Status: "pending"}, error: "400 action_available_only_for_active_members"},
		{name: "a deleted Member", member: &M{MFAPhoneNumber: firstNumber, Status: "deleted"}, error: "404 member_not_found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
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
	s := stytchtest.NewServer()
	defer s.Close()
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
	assert.Empty(t, send("+4915112345678"))
	assert.Empty(t, send("+18765550123"))
	assert.Equal(t, "invalid_phone_number_country_code", send(adasNumber), "the US is no longer allowed")
}

func withNumber(t *testing.T, s *stytchtest.Server, number string) fields {
	return fields{"member_id": member(t, s, stytchtest.Member{MFAPhoneNumber: number}).MemberID}
}

// Which session a request may name.
func TestSessionArgument(t *testing.T) {
	t.Parallel()
	intermediate := func(s *stytchtest.Server, memberID string) fields {
		return fields{"intermediate_session_token": s.IntermediateSessionToken(memberID)}
	}
	named := func(name string, token func(stytchtest.PrimaryAuthentication) string, later time.Duration) func(*testing.T, *stytchtest.Server) fields {
		return func(t *testing.T, s *stytchtest.Server) fields {
			login := session(t, s)
			s.Advance(later)
			return fields{"member_id": login.MemberID, name: token(login)}
		}
	}
	token := func(l stytchtest.PrimaryAuthentication) string { return l.SessionToken }
	jwt := func(l stytchtest.PrimaryAuthentication) string { return l.SessionJWT }
	for _, tc := range []struct {
		name   string
		fields func(*testing.T, *stytchtest.Server) fields
		error  string
	}{
		{"a session", named("session_token", token, 0), "200 "},
		{"a session's JWT", named("session_jwt", jwt, 0), "200 "},
		{"an expired JWT", named("session_jwt", jwt, 6*time.Minute), "200 "},
		{"an expired session", named("session_token", token, time.Hour), "404 session_not_found"},
		{"a session token as an intermediate one", named("intermediate_session_token", token, 0), "404 intermediate_session_not_found"},
		{"a JWT as a session token", named("session_token", jwt, 0), "404 session_not_found"},
		{"a session of another Member", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"session_token": session(t, s).SessionToken}
		}, "400 member_session_member_id_mismatch"},
		{"an intermediate session", func(_ *testing.T, s *stytchtest.Server) fields { return intermediate(s, s.MemberID) }, "200 "},
		{"an intermediate session token as a session's", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"session_token": s.IntermediateSessionToken(s.MemberID)}
		}, "404 session_not_found"},
		{"an expired intermediate session", func(_ *testing.T, s *stytchtest.Server) fields {
			f := intermediate(s, s.MemberID)
			s.Advance(10 * time.Minute)
			return f
		}, "404 intermediate_session_not_found"},
		{"an intermediate session of another Member", func(t *testing.T, s *stytchtest.Server) fields {
			return intermediate(s, member(t, s, stytchtest.Member{}).MemberID)
		}, "400 member_session_member_id_mismatch"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			assert.Equal(t, tc.error, post(t, s, sendPath, tc.fields(t, s)).error())
		})
	}
}

func TestLocales(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	for _, locale := range []string{"", "en", "es", "fr", "pt-br", "it", "de-DE", "zh-Hans", "ca-ES", "ja", "ru", "nl", "pl", "tr", "fa", "vi", "cs"} {
		require.Equal(t, 200, post(t, s, sendPath, fields{"locale": locale}).HTTPStatus, locale)
		sms, err := s.NextSMS(limited(t))
		require.NoError(t, err)
		assert.Equal(t, cmp.Or(locale, "en"), sms.Locale)
		assert.Regexp(t, `^\d{6}$`, sms.Code)
		assert.Equal(t, "Example Inc.: your verification code is "+sms.Code+".", sms.Text)
	}
}

// Which codes are right.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	type step func(*testing.T, *stytchtest.Server) fields
	good := func(_ *testing.T, s *stytchtest.Server) fields {
		return fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID), "code": newest(s).Code}
	}
	but := func(name string, value any) step {
		return func(t *testing.T, s *stytchtest.Server) fields { return with(good(t, s), name, value) }
	}
	for _, tc := range []struct {
		name   string
		fields step
		error  string
	}{
		{"right", good, "200 "},
		{"malformed", but("code", "12345a"), "400 invalid_code"},
		{"expired", func(t *testing.T, s *stytchtest.Server) fields { s.Advance(2 * time.Minute); return good(t, s) }, "401 unable_to_auth_otp_code"},
		{"just not expired", func(t *testing.T, s *stytchtest.Server) fields {
			s.SetTime(newest(s).At.Add(2*time.Minute - 1))
			return good(t, s)
		}, "200 "},
		{"replaced", func(t *testing.T, s *stytchtest.Server) fields {
			f := good(t, s)
			for newest(s).Code == f["code"] {
				post(t, s, sendPath, nil)
			}
			return f
		}, "404 otp_code_not_found"},
		{"another Member's", func(t *testing.T, s *stytchtest.Server) fields {
			login := session(t, s)
			return fields{"member_id": login.MemberID, "code": newest(s).Code, "session_token": login.SessionToken}
		}, "404 otp_code_not_found"},
		{"the shortest duration", but("session_duration_minutes", 5), "200 "},
		{"the longest duration", but("session_duration_minutes", 527040), "200 "},
		{"a duration of 0", but("session_duration_minutes", 0), "400 invalid_session_duration_minutes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			require.Equal(t, 200, post(t, s, sendPath, nil).HTTPStatus)
			a := post(t, s, authenticatePath, tc.fields(t, s))
			assert.Equal(t, tc.error, a.error())
			if a.HTTPStatus == 200 {
				assert.NotEmpty(t, a.SessionToken)
				assert.Equal(t, "magic_link otp", a.factors())
			}
		})
	}
}

// What a right code changes.
func TestAuthenticateChanges(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
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

// What a Member and an Organization are given is in the answers, and so is when
// they were created and changed.
func TestObjects(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	created := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(created)
	o := organization(t, s, stytchtest.Organization{ExternalID: "acme-1", TrustedMetadata: map[string]any{"tier": "gold"}})
	m := member(t, s, stytchtest.Member{
		OrganizationID: o.OrganizationID, ExternalID: "ada-1", MFAPhoneNumber: firstNumber, Roles: []string{"stytch_admin", "editor"},
		TrustedMetadata: map[string]any{"seats": 3.0}, UntrustedMetadata: map[string]any{"theme": "dark"},
	})
	login, err := s.LogIn(m.MemberID)
	require.NoError(t, err)
	assert.Equal(t, created, login.Member.UpdatedAt)
	var raw map[string]map[string]any
	_ = json.Unmarshal([]byte(login.RawJSON()), &raw) // Not all of it are objects.
	optional := []string{"lock_created_at", "lock_expires_at", "sso_default_connection_id", "allowed_oauth_tenants"}
	for name, read := range map[string]any{"member": login.Member, "organization": login.Organization, "member_session": *login.MemberSession} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(read)) {
			if key, _, _ := strings.Cut(field.Tag.Get("json"), ","); !slices.Contains(optional, key) {
				assert.Contains(t, raw[name], key)
			}
		}
	}
	assert.Subset(t, slices.Collect(maps.Keys(raw["member"])), []string{"sso_registrations", "oauth_registrations", "retired_email_addresses"})
	assert.Subset(t, slices.Collect(maps.Keys(raw["organization"])), []string{"sso_active_connections", "rbac_email_implicit_role_assignments", "custom_roles"})
	f := fields{"organization_id": o.OrganizationID, "member_id": m.MemberID, "session_token": login.SessionToken}
	s.Advance(time.Minute)
	enter(t, s, f)
	s.Advance(time.Minute)
	a := enter(t, s, f)
	assert.Equal(t, "acme-1", a.Organization.OrganizationExternalID)
	assert.Equal(t, map[string]any{"tier": "gold"}, a.Organization.TrustedMetadata)
	assert.Equal(t, created, a.Organization.CreatedAt)
	assert.Equal(t, created, a.Organization.UpdatedAt)
	assert.Equal(t, "ada-1", a.Member.ExternalID)
	assert.Equal(t, map[string]any{"seats": 3.0}, a.Member.TrustedMetadata)
	assert.Equal(t, map[string]any{"theme": "dark"}, a.Member.UntrustedMetadata)
	assert.True(t, a.Member.IsAdmin)
	assert.Equal(t, []stytchb2b.MemberRoleSource{{Type: "direct_assignment", Details: map[string]any{}}}, a.Member.Roles[2].Sources)
	assert.Equal(t, []string{"stytch_member", "stytch_admin", "editor"}, a.MemberSession.Roles)
	assert.Equal(t, created, a.Member.CreatedAt)
	assert.Equal(t, created.Add(2*time.Minute), a.Member.UpdatedAt, "the number is verified")
	otp := a.MemberSession.AuthenticationFactors[1]
	assert.Equal(t, created.Add(time.Minute), otp.CreatedAt)
	assert.Equal(t, created.Add(2*time.Minute), otp.UpdatedAt)
}
