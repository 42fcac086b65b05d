package stytchb2b_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

// objects are Stytch's Member and Organization with every field that is typed.
const objects = `
	"member":{"organization_id":"organization-test-1","member_id":"member-test-1","external_id":"ada","name":"Ada",
		"email_address":"ada@example.com","email_address_verified":true,"status":"active","is_admin":true,"is_breakglass":true,
		"roles":[{"role_id":"editor","sources":[{"type":"email_assignment","details":{"email_domain":"example.com"}},null]}],
		"mfa_enrolled":true,"mfa_phone_number":"+12025550199","mfa_phone_number_verified":true,"default_mfa_method":"sms_otp",
		"totp_registration_id":"member-totp-test-1","member_password_id":"member-password-test-1",
		"is_locked":true,"lock_created_at":"2026-05-04T02:02:01Z","lock_expires_at":"2026-05-04T03:02:01Z",
		"trusted_metadata":{"plan":{"seats":3}},"untrusted_metadata":{"theme":"dark"},
		"created_at":"2025-05-04T03:02:01Z","updated_at":"2026-05-04T03:02:01.5Z",
		"sso_registrations":[{"connection_id":"saml-connection-test-1"}],"oauth_registrations":[],"retired_email_addresses":[],
		"scim_registration":null},
	"organization":{"organization_id":"organization-test-1","organization_external_id":"acme-1","organization_name":"Acme",
		"organization_slug":"acme","organization_logo_url":"https://example.com/logo.png",
		"mfa_policy":"OPTIONAL","mfa_methods":"RESTRICTED","allowed_mfa_methods":["sms_otp"],
		"auth_methods":"RESTRICTED","allowed_auth_methods":["sso","password"],
		"email_jit_provisioning":"RESTRICTED","email_invites":"NOT_ALLOWED","email_allowed_domains":["example.com"],
		"claimed_email_domains":["example.org"],"sso_jit_provisioning":"RESTRICTED",
		"sso_jit_provisioning_allowed_connections":["saml-connection-test-1"],"sso_default_connection_id":"saml-connection-test-2",
		"oauth_tenant_jit_provisioning":"RESTRICTED","allowed_oauth_tenants":{"slack":["T1"]},
		"first_party_connected_apps_allowed_type":"RESTRICTED","allowed_first_party_connected_apps":["app-1"],
		"third_party_connected_apps_allowed_type":"NOT_ALLOWED","allowed_third_party_connected_apps":[],
		"trusted_metadata":{"tier":"gold"},"created_at":"2024-05-04T03:02:01Z","updated_at":"2026-05-04T03:02:01Z",
		"sso_active_connections":[],"scim_active_connection":{"connection_id":"c"},"custom_roles":[],"rbac_email_implicit_role_assignments":[]}`

var (
	fullMember = stytchb2b.Member{
		OrganizationID: "organization-test-1", MemberID: "member-test-1", ExternalID: "ada", Name: "Ada",
		EmailAddress: "ada@example.com", EmailAddressVerified: true, Status: "active", IsAdmin: true, IsBreakglass: true,
		Roles: []stytchb2b.MemberRole{{RoleID: "editor", Sources: []stytchb2b.MemberRoleSource{
			{Type: "email_assignment", Details: map[string]any{"email_domain": "example.com"}}, {},
		}}},
		MFAEnrolled: true, MFAPhoneNumber: phone, MFAPhoneNumberVerified: true, DefaultMFAMethod: "sms_otp",
		TOTPRegistrationID: "member-totp-test-1", MemberPasswordID: "member-password-test-1",
		IsLocked:          true,
		LockCreatedAt:     time.Date(2026, 5, 4, 2, 2, 1, 0, time.UTC),
		LockExpiresAt:     time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
		TrustedMetadata:   map[string]any{"plan": map[string]any{"seats": 3.0}},
		UntrustedMetadata: map[string]any{"theme": "dark"},
		CreatedAt:         time.Date(2025, 5, 4, 3, 2, 1, 0, time.UTC),
		UpdatedAt:         time.Date(2026, 5, 4, 3, 2, 1, 500_000_000, time.UTC),
	}
	fullOrganization = stytchb2b.Organization{
		OrganizationID: "organization-test-1", OrganizationExternalID: "acme-1", OrganizationName: "Acme",
		OrganizationSlug: "acme", OrganizationLogoURL: "https://example.com/logo.png",
		MFAPolicy: "OPTIONAL", MFAMethods: "RESTRICTED", AllowedMFAMethods: []string{"sms_otp"},
		AuthMethods: "RESTRICTED", AllowedAuthMethods: []string{"sso", "password"},
		EmailJITProvisioning: "RESTRICTED", EmailInvites: "NOT_ALLOWED", EmailAllowedDomains: []string{"example.com"},
		ClaimedEmailDomains: []string{"example.org"}, SSOJITProvisioning: "RESTRICTED",
		SSOJITProvisioningAllowedConnections: []string{"saml-connection-test-1"}, SSODefaultConnectionID: "saml-connection-test-2",
		OAuthTenantJITProvisioning: "RESTRICTED", AllowedOAuthTenants: map[string]any{"slack": []any{"T1"}},
		FirstPartyConnectedAppsAllowedType: "RESTRICTED", AllowedFirstPartyConnectedApps: []string{"app-1"},
		ThirdPartyConnectedAppsAllowedType: "NOT_ALLOWED", AllowedThirdPartyConnectedApps: []string{},
		TrustedMetadata: map[string]any{"tier": "gold"},
		CreatedAt:       time.Date(2024, 5, 4, 3, 2, 1, 0, time.UTC),
		UpdatedAt:       time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
	}
)

// session is what an answer to an Authenticate has more than that to a Send.
const session = `
	"session_token":"a token","session_jwt":"a.b.c",
	"member_session":{"member_session_id":"member-session-test-1","member_id":"member-test-1","organization_id":"organization-test-1",
		"organization_slug":"acme","started_at":"2026-05-04T03:02:01Z","last_accessed_at":"2026-05-04T03:02:01Z","expires_at":"2026-05-04T04:02:01Z",
		"authentication_factors":[{"type":"otp","delivery_method":"sms","last_authenticated_at":"2026-05-04T03:02:01Z",
			"created_at":"2026-05-04T03:02:01Z","updated_at":"2026-05-04T03:02:01Z","phone_number_factor":{"phone_id":"p"}}],
		"roles":["editor"],"custom_claims":{"team":{"color":"blue"}}},
	"member_device":{"visitor_id":"v","ip_address":"192.0.2.1","ip_geo_city":"Reykjavik","ip_geo_region":"1","ip_geo_country":"IS",
		"visitor_id_details":{"is_new":true,"first_seen_at":"2026-05-04T03:02:01Z","last_seen_at":"2026-05-04T03:02:01Z"},
		"ip_address_details":{"is_new":true},"ip_geo_country_details":{"is_new":true}}`

func TestResponse(t *testing.T) {
	t.Parallel()
	const ids = `"status_code":200,"request_id":"r","member_id":"m"`
	for _, tc := range []struct {
		name, body string
		want       stytchb2b.SMSSendResponse
	}{
		{"everything", ` {` + ids + `,"new":{"a":[1]},` + objects + "}\n\t", stytchb2b.SMSSendResponse{
			StatusCode: 200, RequestID: "r", MemberID: "m", Member: fullMember, Organization: fullOrganization,
		}},
		{"missing objects", `{` + ids + `}`, stytchb2b.SMSSendResponse{StatusCode: 200, RequestID: "r", MemberID: "m"}},
		{"as long as the limit", `{` + ids + `}` + strings.Repeat(" ", 1<<20-len(`{`+ids+`}`)), stytchb2b.SMSSendResponse{
			StatusCode: 200, RequestID: "r", MemberID: "m",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			resp, err := newClient(t, &script{ends: []end{{status: 200, body: tc.body}}}).OTPs.SMS.Send(t.Context(), params)
			require.NoError(t, err)
			assert.Equal(t, tc.body, string(resp.RawJSON))
			assertRoundTrips(t, tc.want)
			tc.want.RawJSON = resp.RawJSON
			assert.Equal(t, &tc.want, resp)
		})
	}
}

const full = `{"status_code":200,"request_id":"request-id-test-1","member_id":"member-test-1",` + session + `,` + objects + `}`

// odd are values that a field may have instead of one of its type.
var odd = []string{`null`, `""`, `"yesterday"`, `12`, `1e400`, `true`, `{}`, `{"created_at":12}`, `[]`, `[""]`}

// A success survives an odd value of any field but those that make it one, and the
// other fields keep their values.
func TestOddField(t *testing.T) {
	t.Parallel()
	client := newClient(t, roundTripper(end{status: 200, body: full}.do))
	resp, err := client.OTPs.SMS.Authenticate(t.Context(), authenticateParams)
	require.NoError(t, err)
	for path := range values(t, resp) {
		for _, value := range odd {
			assertSurvives(t, path, value)
		}
	}
	// All times are odd at once, with names in another case.
	body := strings.ReplaceAll(full, `_at":"2`, `_AT":"`)
	require.NotEqual(t, full, body)
	resp, err = newClient(t, roundTripper(end{status: 200, body: body}.do)).OTPs.SMS.Authenticate(t.Context(), authenticateParams)
	require.NoError(t, err)
	assert.Equal(t, "v", resp.MemberDevice.VisitorID)
	assert.Equal(t, "acme", resp.Organization.OrganizationSlug)
	assert.Zero(t, resp.Member.UpdatedAt)
}

// FuzzOddField gives a field any value.
func FuzzOddField(f *testing.F) {
	for i, value := range odd {
		f.Add(uint(10*i), value)
	}
	var resp any
	require.NoError(f, json.Unmarshal([]byte(full), &resp))
	paths := slices.Sorted(maps.Keys(values(f, resp)))
	f.Fuzz(func(t *testing.T, field uint, value string) {
		if json.Valid([]byte(value)) {
			assertSurvives(t, paths[field%uint(len(paths))], value)
		}
	})
}

// assertSurvives has Stytch answer with a value in one place of the full answer.
func assertSurvives(t *testing.T, path, value string) {
	t.Helper()
	var body any
	require.NoError(t, json.Unmarshal([]byte(full), &body))
	body = replaced(body, strings.Split(path, "."), json.RawMessage(value))
	text, err := json.Marshal(body)
	require.NoError(t, err)
	authenticate := func(body string) (*stytchb2b.SMSAuthenticateResponse, error) {
		return newClient(t, roundTripper(end{status: 200, body: body}.do)).OTPs.SMS.Authenticate(t.Context(), authenticateParams)
	}
	resp, err := authenticate(string(text))
	switch path {
	case "status_code", "request_id", "member_id", "session_token", "session_jwt", "member_session", "member_session.member_session_id":
		assert.True(t, err == nil || stytchb2b.MaybeUsed(err)) // Any text will do.
		return
	}
	require.NoError(t, err, "%s: %s", path, value)
	whole, err := authenticate(full)
	require.NoError(t, err)
	want, got := values(t, whole), values(t, resp)
	for _, values := range []map[string]any{want, got} {
		maps.DeleteFunc(values, func(at string, _ any) bool {
			return strings.HasPrefix(at+".", path+".") || strings.HasPrefix(path+".", at+".")
		})
	}
	assert.Equal(t, want, got, "%s: %s", path, value)
}

// replaced returns a decoded JSON value with another one at a path.
func replaced(v any, path []string, value json.RawMessage) any {
	if len(path) == 0 {
		return value
	}
	switch v := v.(type) {
	case map[string]any:
		v[path[0]] = replaced(v[path[0]], path[1:], value)
	case []any:
		i, _ := strconv.Atoi(path[0])
		v[i] = replaced(v[i], path[1:], value)
	}
	return v
}

// values returns each value in the JSON of v by its path, such as
// "member.roles.0.role_id".
func values(t testing.TB, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var decoded any
	require.NoError(t, json.Unmarshal(text, &decoded))
	values := map[string]any{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		if path != "" {
			values[path[1:]] = v
		}
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				walk(path+"."+name, value)
			}
		case []any:
			for i, value := range v {
				walk(path+"."+strconv.Itoa(i), value)
			}
		}
	}
	walk("", decoded)
	return values
}

// Nothing in a response is hidden: responses can be compared, by package reflect as
// by go-cmp, which panics at what it cannot see.
func TestResponsesCanBeCompared(t *testing.T) {
	t.Parallel()
	var check func(reflect.Type)
	check = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			check(typ.Elem())
		case reflect.Struct:
			for i := 0; typ != reflect.TypeFor[time.Time]() && i < typ.NumField(); i++ {
				assert.True(t, typ.Field(i).IsExported(), "%v.%s", typ, typ.Field(i).Name)
				check(typ.Field(i).Type)
			}
		}
	}
	check(reflect.TypeFor[stytchb2b.SMSSendResponse]())
	check(reflect.TypeFor[stytchb2b.SMSAuthenticateResponse]())
}

// What a response does not have is not made up when it is marshaled.
func TestNoTimeIsOmitted(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(stytchb2b.SMSAuthenticateResponse{
		MemberDevice:  &stytchb2b.MemberDevice{IPAddressDetails: &stytchb2b.DeviceAttributeDetails{}},
		MemberSession: stytchb2b.MemberSession{AuthenticationFactors: []stytchb2b.AuthenticationFactor{{}}},
	})
	require.NoError(t, err)
	assert.NotContains(t, string(text), "_at")
}
