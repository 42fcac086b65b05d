package stytchtest

import (
	"slices"
	"strings"
	"time"
)

// An object is one of the API's JSON objects. Those below have every field that
// the reference requires, so that strict clients accept them.
type object = map[string]any

// none is an empty array, not null.
var none = []struct{}{}

func memberObject(m *Member) object {
	o := object{
		"organization_id":           m.OrganizationID,
		"member_id":                 m.MemberID,
		"email_address":             m.EmailAddress,
		"email_address_verified":    true,
		"name":                      m.Name,
		"status":                    m.Status,
		"is_admin":                  slices.Contains(m.Roles, "stytch_admin"),
		"is_breakglass":             false,
		"is_locked":                 !m.LockExpiresAt.IsZero(),
		"member_password_id":        "",
		"mfa_enrolled":              m.MFAEnrolled,
		"mfa_phone_number":          m.MFAPhoneNumber,
		"mfa_phone_number_verified": m.MFAPhoneNumberVerified,
		"default_mfa_method":        m.DefaultMFAMethod,
		"totp_registration_id":      m.totpRegistrationID(),
		"sso_registrations":         none,
		"oauth_registrations":       none,
		"retired_email_addresses":   none,
		"trusted_metadata":          orEmpty(m.TrustedMetadata),
		"untrusted_metadata":        orEmpty(m.UntrustedMetadata),
		"created_at":                timestamp(m.created),
		"updated_at":                timestamp(m.updated),
	}
	if m.ExternalID != "" {
		o["external_id"] = m.ExternalID
	}
	if !m.LockExpiresAt.IsZero() {
		o["lock_created_at"], o["lock_expires_at"] = timestamp(m.LockCreatedAt), timestamp(m.LockExpiresAt)
	}
	var roles []object
	for _, role := range m.roles() {
		roles = append(roles, object{"role_id": role, "sources": []object{{"type": "direct_assignment", "details": object{}}}})
	}
	o["roles"] = roles
	return o
}

func organizationObject(org *Organization) object {
	o := object{
		"organization_id":                          org.OrganizationID,
		"organization_name":                        org.Name,
		"organization_slug":                        org.Slug,
		"organization_logo_url":                    "",
		"auth_methods":                             "ALL_ALLOWED",
		"allowed_auth_methods":                     none,
		"mfa_policy":                               org.MFAPolicy,
		"mfa_methods":                              "ALL_ALLOWED",
		"allowed_mfa_methods":                      none,
		"email_allowed_domains":                    none,
		"email_jit_provisioning":                   "NOT_ALLOWED",
		"email_invites":                            "ALL_ALLOWED",
		"claimed_email_domains":                    none,
		"oauth_tenant_jit_provisioning":            "NOT_ALLOWED",
		"sso_jit_provisioning":                     "NOT_ALLOWED",
		"sso_jit_provisioning_allowed_connections": none,
		"sso_active_connections":                   none,
		"rbac_email_implicit_role_assignments":     none,
		"first_party_connected_apps_allowed_type":  "ALL_ALLOWED",
		"allowed_first_party_connected_apps":       none,
		"third_party_connected_apps_allowed_type":  "ALL_ALLOWED",
		"allowed_third_party_connected_apps":       none,
		"custom_roles":                             none,
		"trusted_metadata":                         orEmpty(org.TrustedMetadata),
		"created_at":                               timestamp(org.created),
		"updated_at":                               timestamp(org.created), // Nothing changes it.
	}
	if org.ExternalID != "" {
		o["organization_external_id"] = org.ExternalID
	}
	return o
}

func memberSessionObject(sess *session, org *Organization, m *Member) object {
	var factors []object
	for _, f := range sess.factors {
		o := object{
			"type":                  f.kind,
			"delivery_method":       f.delivery,
			"last_authenticated_at": timestamp(f.at),
			"created_at":            timestamp(f.created),
			"updated_at":            timestamp(f.at),
		}
		switch f.kind {
		case linkFactor.kind:
			o["email_factor"] = object{"email_id": "email-test-" + m.MemberID, "email_address": m.EmailAddress}
		case smsFactor.kind:
			o["phone_number_factor"] = object{"phone_id": "member-phone-test-" + m.MemberID, "phone_number": m.MFAPhoneNumber}
		}
		factors = append(factors, o)
	}
	return object{
		"member_session_id":      sess.id,
		"member_id":              m.MemberID,
		"organization_id":        org.OrganizationID,
		"organization_slug":      org.Slug,
		"started_at":             timestamp(sess.started),
		"last_accessed_at":       timestamp(sess.accessed),
		"expires_at":             timestamp(sess.expires),
		"authentication_factors": factors,
		"roles":                  m.roles(),
		"custom_claims":          sess.claims,
	}
}

// roles returns the IDs of all the Member's roles. Every Member has the first one.
func (m *Member) roles() []string { return append([]string{"stytch_member"}, m.Roles...) }

func (m *Member) totpRegistrationID() string {
	if !m.TOTP {
		return ""
	}
	return "member-totp-test-" + m.MemberID
}

// masked hides all but the last four digits of a phone number.
func masked(number string) string {
	digits := strings.TrimPrefix(number, "+")
	shown := min(4, len(digits))
	return strings.Repeat("X", len(digits)-shown) + digits[len(digits)-shown:]
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// orEmpty replaces null by an empty object.
func orEmpty(o object) object {
	if o == nil {
		return object{}
	}
	return o
}
