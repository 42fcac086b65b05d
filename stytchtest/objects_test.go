package stytchtest_test

import (
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

// What a Member and an Organization are given is in the answers, and so is when
// they were created and changed.
func TestObjects(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	created := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(created)
	o := organization(t, s, stytchtest.Organization{Slug: "acme", ExternalID: "acme-1", TrustedMetadata: map[string]any{"tier": "gold"}})
	m := member(t, s, stytchtest.Member{
		OrganizationID: "acme", ExternalID: "ada-1", MFAPhoneNumber: firstNumber, Roles: []string{"stytch_admin", "editor"},
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
