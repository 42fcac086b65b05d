package stytchb2b

import (
	"log/slog"
	"time"
)

// A Member is a person in an [Organization]: Stytch's Member object
// (https://stytch.com/docs/api-reference/b2b/api/members/member-object) without
// sso_registrations, oauth_registrations, scim_registration and
// retired_email_addresses, which RawJSON of the response has.
//
// Package fmt and log/slog show its ID and status only.
type Member struct {
	// OrganizationID is the ID of the Member's Organization.
	OrganizationID string `json:"organization_id"`
	// MemberID is the Member's ID.
	MemberID string `json:"member_id"`
	// ExternalID is the ID that the project has given the Member. It may be empty.
	ExternalID string `json:"external_id"`
	// Name is the Member's full name. It may be empty.
	Name string `json:"name"`
	// EmailAddress is what the Member logs in with, verified or not.
	EmailAddress         string `json:"email_address"`
	EmailAddressVerified bool   `json:"email_address_verified"`
	// Status is "pending", "active", "deleted" or "invited".
	Status string `json:"status"`
	// IsAdmin reports whether the Member has the role "stytch_admin".
	IsAdmin bool `json:"is_admin"`
	// IsBreakglass reports whether the Member may log in against the
	// Organization's settings, such as in an emergency.
	IsBreakglass bool `json:"is_breakglass"`
	// Roles are the Member's roles, and where each comes from.
	Roles []MemberRole `json:"roles"`
	// MFAEnrolled reports whether the Member needs a second factor to log in
	// even if the Organization leaves it to its Members.
	MFAEnrolled bool `json:"mfa_enrolled"`
	// MFAPhoneNumber is where codes go, in E.164 form, verified or not.
	MFAPhoneNumber         string `json:"mfa_phone_number"`
	MFAPhoneNumberVerified bool   `json:"mfa_phone_number_verified"`
	// DefaultMFAMethod is "sms_otp", "totp" or empty.
	DefaultMFAMethod string `json:"default_mfa_method"`
	// TOTPRegistrationID is the authenticator app's ID; empty without one.
	TOTPRegistrationID string `json:"totp_registration_id"`
	// MemberPasswordID is the password's ID; empty without one.
	MemberPasswordID string `json:"member_password_id"`
	// IsLocked reports whether the Member is locked after too many failed attempts
	// (https://stytch.com/docs/resources/platform/user-locks). The times are zero
	// without a lock.
	IsLocked      bool      `json:"is_locked"`
	LockCreatedAt time.Time `json:"lock_created_at"`
	LockExpiresAt time.Time `json:"lock_expires_at"`
	// TrustedMetadata is set by the project. UntrustedMetadata can be set by the
	// Member's browser, too. Numbers in both are float64, as encoding/json decodes
	// them.
	TrustedMetadata   map[string]any `json:"trusted_metadata"`
	UntrustedMetadata map[string]any `json:"untrusted_metadata"`
	// CreatedAt and UpdatedAt are when the Member was created and last changed.
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (m Member) fields() []field {
	return []field{{name: "member_id", value: m.MemberID}, {name: "status", value: m.Status}}
}

// String returns the Member's ID and status.
func (m Member) String() string { return fieldText(m.fields()) }

// GoString is String with the name of the type, for %#v.
func (m Member) GoString() string { return "stytchb2b.Member" + m.String() }

// LogValue returns the Member's ID and status for package log/slog.
func (m Member) LogValue() slog.Value { return fieldValue(m.fields()) }

// A MemberRole is a role of a Member
// (https://stytch.com/docs/b2b/guides/rbac/role-assignment).
type MemberRole struct {
	// RoleID is the role's ID, such as "stytch_member".
	RoleID string `json:"role_id"`
	// Sources are why the Member has the role.
	Sources []MemberRoleSource `json:"sources"`
}

// A MemberRoleSource is a reason for which a Member has a role.
type MemberRoleSource struct {
	// Type is such as "direct_assignment" or "email_assignment".
	Type string `json:"type"`
	// Details depend on Type. They may be empty.
	Details map[string]any `json:"details"`
}

// An Organization is a tenant: Stytch's Organization object
// (https://stytch.com/docs/api-reference/b2b/api/organizations/organization-object)
// without sso_active_connections, scim_active_connection, custom_roles and
// rbac_email_implicit_role_assignments, which RawJSON of the response has.
//
// Package fmt and log/slog show its ID and slug only.
type Organization struct {
	// OrganizationID is the Organization's ID, even if the call named its slug
	// or external ID.
	OrganizationID string `json:"organization_id"`
	// OrganizationExternalID is the ID that the project has given it, if any.
	OrganizationExternalID string `json:"organization_external_id"`
	// OrganizationName is the name to show to people.
	OrganizationName string `json:"organization_name"`
	// OrganizationSlug is the name in URLs.
	OrganizationSlug string `json:"organization_slug"`
	// OrganizationLogoURL is where the logo is. It may be empty.
	OrganizationLogoURL string `json:"organization_logo_url"`
	// MFAPolicy is "REQUIRED_FOR_ALL" or "OPTIONAL".
	MFAPolicy string `json:"mfa_policy"`
	// MFAMethods is "ALL_ALLOWED", or "RESTRICTED" to the AllowedMFAMethods, of
	// "sms_otp" and "totp".
	MFAMethods        string   `json:"mfa_methods"`
	AllowedMFAMethods []string `json:"allowed_mfa_methods"`
	// AuthMethods is "ALL_ALLOWED", or "RESTRICTED" to the AllowedAuthMethods, such
	// as "sso", "magic_link" and "password": the primary methods.
	AuthMethods        string   `json:"auth_methods"`
	AllowedAuthMethods []string `json:"allowed_auth_methods"`
	// EmailJITProvisioning is "NOT_ALLOWED", or "RESTRICTED" to the
	// EmailAllowedDomains: whether somebody who logs in by email or OAuth becomes
	// a Member.
	EmailJITProvisioning string `json:"email_jit_provisioning"`
	// EmailInvites is "ALL_ALLOWED", "NOT_ALLOWED", or "RESTRICTED" to the
	// EmailAllowedDomains: who can be invited by email.
	EmailInvites        string   `json:"email_invites"`
	EmailAllowedDomains []string `json:"email_allowed_domains"`
	// ClaimedEmailDomains are the domains that the Organization has claimed.
	ClaimedEmailDomains []string `json:"claimed_email_domains"`
	// SSOJITProvisioning is "ALL_ALLOWED", "NOT_ALLOWED", or "RESTRICTED" to the
	// SSOJITProvisioningAllowedConnections, which are IDs: whether somebody who logs
	// in by SSO becomes a Member.
	SSOJITProvisioning                   string   `json:"sso_jit_provisioning"`
	SSOJITProvisioningAllowedConnections []string `json:"sso_jit_provisioning_allowed_connections"`
	// SSODefaultConnectionID is the connection to use of several. It may be empty.
	SSODefaultConnectionID string `json:"sso_default_connection_id"`
	// OAuthTenantJITProvisioning is "NOT_ALLOWED", or "RESTRICTED" to the
	// AllowedOAuthTenants, by provider ("slack", "hubspot", "github"): whether
	// somebody who logs in by OAuth becomes a Member.
	OAuthTenantJITProvisioning string         `json:"oauth_tenant_jit_provisioning"`
	AllowedOAuthTenants        map[string]any `json:"allowed_oauth_tenants"`
	// FirstPartyConnectedAppsAllowedType is "ALL_ALLOWED", "NOT_ALLOWED", or
	// "RESTRICTED" to AllowedFirstPartyConnectedApps, which holds IDs. The third
	// party's are alike.
	FirstPartyConnectedAppsAllowedType string   `json:"first_party_connected_apps_allowed_type"`
	AllowedFirstPartyConnectedApps     []string `json:"allowed_first_party_connected_apps"`
	ThirdPartyConnectedAppsAllowedType string   `json:"third_party_connected_apps_allowed_type"`
	AllowedThirdPartyConnectedApps     []string `json:"allowed_third_party_connected_apps"`
	// TrustedMetadata is set by the project, and decoded as that of a [Member].
	TrustedMetadata map[string]any `json:"trusted_metadata"`
	// CreatedAt and UpdatedAt are when it was created and last changed.
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (o Organization) fields() []field {
	return []field{{name: "organization_id", value: o.OrganizationID}, {name: "organization_slug", value: o.OrganizationSlug}}
}

// String returns the Organization's ID and slug.
func (o Organization) String() string { return fieldText(o.fields()) }

// GoString is String with the name of the type, for %#v.
func (o Organization) GoString() string { return "stytchb2b.Organization" + o.String() }

// LogValue returns the Organization's ID and slug for package log/slog.
func (o Organization) LogValue() slog.Value { return fieldValue(o.fields()) }

// A MemberSession is Stytch's Session object
// (https://stytch.com/docs/api-reference/b2b/api/sessions/session-object).
//
// Package fmt and log/slog show its IDs and when it expires only.
type MemberSession struct {
	// MemberSessionID is the session's ID. Unlike its tokens it is not a secret.
	MemberSessionID string `json:"member_session_id"`
	// MemberID is the Member's ID.
	MemberID string `json:"member_id"`
	// OrganizationID is the ID of the Member's Organization.
	OrganizationID string `json:"organization_id"`
	// OrganizationSlug is the Organization's name in URLs.
	OrganizationSlug string `json:"organization_slug"`
	// The times are when the session started, was last used, and ends.
	StartedAt      time.Time `json:"started_at"`
	LastAccessedAt time.Time `json:"last_accessed_at"`
	ExpiresAt      time.Time `json:"expires_at"`
	// AuthenticationFactors are the ways in which the Member has authenticated.
	AuthenticationFactors []AuthenticationFactor `json:"authentication_factors"`
	// Roles are the IDs of the Member's roles.
	Roles []string `json:"roles"`
	// CustomClaims are decoded as the metadata of a [Member].
	CustomClaims map[string]any `json:"custom_claims"`
}

func (s MemberSession) fields() []field {
	return []field{
		{name: "member_session_id", value: s.MemberSessionID},
		{name: "member_id", value: s.MemberID},
		{name: "organization_id", value: s.OrganizationID},
		{name: "expires_at", value: s.ExpiresAt.Format(time.RFC3339)},
	}
}

// String returns the session's IDs and when it expires.
func (s MemberSession) String() string { return fieldText(s.fields()) }

// GoString is String with the name of the type, for %#v.
func (s MemberSession) GoString() string { return "stytchb2b.MemberSession" + s.String() }

// LogValue returns the session's IDs and when it expires for package log/slog.
func (s MemberSession) LogValue() slog.Value { return fieldValue(s.fields()) }

// An AuthenticationFactor is one way in which a Member has authenticated.
// RawJSON of the response also has its details, such as an email_factor.
type AuthenticationFactor struct {
	// Type is such as "otp", "totp", "magic_link", "password" or "sso".
	Type string `json:"type"`
	// DeliveryMethod is how the factor was delivered, such as "sms" or "email".
	DeliveryMethod string `json:"delivery_method"`
	// LastAuthenticatedAt is when the factor was last used.
	LastAuthenticatedAt time.Time `json:"last_authenticated_at"`
	// CreatedAt and UpdatedAt are when the factor was first used and last changed.
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// A MemberDevice is what Stytch's Device Fingerprinting knows of the device
// from which a Member has authenticated. Package fmt and log/slog show its visitor
// ID only.
type MemberDevice struct {
	// VisitorID is the device's ID.
	VisitorID string `json:"visitor_id"`
	// IPAddress is the device's address, and the next three are where that is. The
	// country is a code.
	IPAddress    string `json:"ip_address"`
	IPGeoCity    string `json:"ip_geo_city"`
	IPGeoRegion  string `json:"ip_geo_region"`
	IPGeoCountry string `json:"ip_geo_country"`
	// The details are whether the Member has been seen with each before; nil if
	// Stytch does not say.
	VisitorIDDetails    *DeviceAttributeDetails `json:"visitor_id_details"`
	IPAddressDetails    *DeviceAttributeDetails `json:"ip_address_details"`
	IPGeoCountryDetails *DeviceAttributeDetails `json:"ip_geo_country_details"`
}

func (d MemberDevice) fields() []field {
	return []field{{name: "visitor_id", value: d.VisitorID}}
}

// String returns the visitor ID.
func (d MemberDevice) String() string { return fieldText(d.fields()) }

// GoString is String with the name of the type, for %#v.
func (d MemberDevice) GoString() string { return "stytchb2b.MemberDevice" + d.String() }

// LogValue returns the visitor ID for package log/slog.
func (d MemberDevice) LogValue() slog.Value { return fieldValue(d.fields()) }

// DeviceAttributeDetails are whether a Member has been seen with an attribute
// of a device before.
type DeviceAttributeDetails struct {
	// IsNew reports whether this is the first time.
	IsNew bool `json:"is_new"`
	// FirstSeenAt and LastSeenAt are when Stytch has seen it.
	FirstSeenAt time.Time `json:"first_seen_at"`
	LastSeenAt  time.Time `json:"last_seen_at"`
}
