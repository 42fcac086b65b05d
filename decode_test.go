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
		"roles":[{"role_id":"editor","sources":[{"type":"email_assignment","details":{"email_domain":"example.com"}}]}],
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

// session has the fields that an answer to an Authenticate has beyond a Send's.
const session = `
	"session_token":"a token","session_jwt":"a.b.c",
	"member_session":{"member_session_id":"member-session-test-1","member_id":"member-test-1","organization_id":"organization-test-1",
		"organization_slug":"acme","started_at":"2026-05-04T03:02:01Z","last_accessed_at":"2026-05-04T03:02:01Z","expires_at":"2026-05-04T04:02:01Z",
		"authentication_factors":[{"type":"otp","delivery_method":"sms","last_authenticated_at":"2026-05-04T03:02:01Z",
			"created_at":"2026-05-04T03:02:01Z","updated_at":"2026-05-04T03:02:01Z","phone_number_factor":{"phone_id":"p"}}],
		"roles":["editor"],"custom_claims":{"team":{"color":"blue"}}},
	"member_device":{"visitor_id":"v","ip_address":"192.0.2.1","ip_geo_city":"Reykjavik","ip_geo_region":"1","ip_geo_country":"IS",
		"visitor_id_details":{"is_new":true,"first_seen_at":"2026-05-04T03:02:01Z","last_seen_at":"2026-05-05T03:02:01Z"},
		"ip_address_details":{"is_new":true,"first_seen_at":"2026-05-03T03:02:01Z","last_seen_at":"2026-05-04T03:02:01Z"},
		"ip_geo_country_details":{"is_new":true,"first_seen_at":"2026-05-02T03:02:01Z","last_seen_at":"2026-05-03T03:02:01Z"}}`

// full is a success of both calls.
const full = `{"status_code":200,"request_id":"request-id-test-1","member_id":"member-test-1",` + session + `,` + objects + `}`

// A response has every value of the answer under its own name, and RawJSON the rest.
func TestResponse(t *testing.T) {
	t.Parallel()
	for _, body := range []string{full, " {\"new\":[1]," + full[1:] + "\n\t", full + strings.Repeat(" ", 1<<20-len(full))} { // as long as the limit
		client := newClient(t, roundTripper(end{status: 200, body: body}.do))
		sent, err := client.OTPs.SMS.Send(t.Context(), params)
		require.NoError(t, err)
		assert.Equal(t, body, string(sent.RawJSON))
		resp, err := client.OTPs.SMS.Authenticate(t.Context(), authenticateParams)
		require.NoError(t, err)
		assert.Equal(t, body, string(resp.RawJSON))

		answered := values(t, json.RawMessage(full))
		for _, r := range []any{sent, resp} {
			for path, value := range values(t, r) {
				if v := reflect.ValueOf(value); v.Kind() != reflect.Map && v.Kind() != reflect.Slice || v.Len() == 0 {
					assert.Equal(t, answered[path], value, path)
				}
			}
			assertComplete(t, reflect.ValueOf(r).Elem())
		}
	}
}

// assertComplete checks that each field of an object is set and has Stytch's name.
// There are no unexported fields: go-cmp panics at those.
func assertComplete(t *testing.T, v reflect.Value) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		assert.True(t, name == "-" || strings.EqualFold(field.Name, strings.ReplaceAll(name, "_", "")), "%v.%s is %q", v.Type(), field.Name, name)
		assert.True(t, field.IsExported() && !value.IsZero(), "%v.%s", v.Type(), field.Name)
		if value.Kind() == reflect.Slice && value.Len() > 0 {
			value = value.Index(0)
		}
		value = reflect.Indirect(value)
		if value.Kind() == reflect.Struct && value.Type() != reflect.TypeFor[time.Time]() {
			assertComplete(t, value)
		}
	}
}

// JSON is lossless, because parameters pass through job queues and responses through
// session stores. It invents no times.
func TestJSONIsFaithful(t *testing.T) {
	t.Parallel()
	var resp stytchb2b.SMSAuthenticateResponse
	require.NoError(t, json.Unmarshal([]byte(full), &resp))
	enter := authenticateParams
	enter.SessionCustomClaims = map[string]any{"team": "blue"}
	for _, v := range []any{
		stytchb2b.SMSSendParams{OrganizationID: "o", MemberID: "m", MFAPhoneNumber: phone, Locale: "es", SessionToken: token},
		enter, resp, stytchb2b.SMSSendResponse{RequestID: "r", Member: resp.Member},
	} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		got := reflect.New(reflect.TypeOf(v))
		require.NoError(t, json.Unmarshal(text, got.Interface()))
		assert.Equal(t, v, got.Elem().Interface())
	}
	text, err := json.Marshal(stytchb2b.SMSAuthenticateResponse{
		MemberDevice:  &stytchb2b.MemberDevice{IPAddressDetails: &stytchb2b.DeviceAttributeDetails{}},
		MemberSession: stytchb2b.MemberSession{AuthenticationFactors: []stytchb2b.AuthenticationFactor{{}}},
	})
	require.NoError(t, err)
	assert.NotContains(t, string(text), "_at")
}

// Many malformed times, with names in another case, do not affect the other fields.
func TestOddTimes(t *testing.T) {
	t.Parallel()
	body := strings.ReplaceAll(full, `_at":"2`, `_AT":"`)
	require.NotEqual(t, full, body)
	resp, err := newClient(t, roundTripper(end{status: 200, body: body}.do)).OTPs.SMS.Authenticate(t.Context(), authenticateParams)
	require.NoError(t, err)
	assert.Equal(t, "v", resp.MemberDevice.VisitorID)
	assert.Equal(t, "acme", resp.Organization.OrganizationSlug)
	assert.Zero(t, resp.Member.UpdatedAt)
}

// FuzzOddField gives one field any value. A success survives it, and the other
// fields keep their values, unless the field is one that makes a success.
func FuzzOddField(f *testing.F) {
	var whole stytchb2b.SMSAuthenticateResponse
	require.NoError(f, json.Unmarshal([]byte(full), &whole))
	want := values(f, whole)
	paths := slices.Sorted(maps.Keys(want))
	for i := range paths {
		for _, odd := range []string{`null`, `""`, `"yesterday"`, `12`, `1e400`, `true`, `{}`, `{"created_at":12}`, `[]`, `[""]`} {
			f.Add(uint(i), odd)
		}
	}
	f.Fuzz(func(t *testing.T, field uint, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		path := paths[field%uint(len(paths))]
		var body any
		require.NoError(t, json.Unmarshal([]byte(full), &body))
		text, err := json.Marshal(replaced(body, strings.Split(path, "."), json.RawMessage(value)))
		require.NoError(t, err)
		resp, err := newClient(t, roundTripper(end{status: 200, body: string(text)}.do)).OTPs.SMS.Authenticate(t.Context(), authenticateParams)
		switch path {
		case "status_code", "request_id", "member_id", "session_token", "session_jwt", "member_session", "member_session.member_session_id":
			assert.True(t, err == nil || stytchb2b.MaybeUsed(err)) // Any text will do.
			return
		}
		require.NoError(t, err, "%s: %s", path, value)
		elsewhere := func(values map[string]any) map[string]any {
			values = maps.Clone(values)
			maps.DeleteFunc(values, func(at string, _ any) bool {
				return strings.HasPrefix(at+".", path+".") || strings.HasPrefix(path+".", at+".")
			})
			return values
		}
		assert.Equal(t, elsewhere(want), elsewhere(values(t, resp)), "%s: %s", path, value)
	})
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
