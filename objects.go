package stytchb2b

import (
	"log/slog"
	"time"
)

// A Member is a person in an [Organization]: Stytch's Member object
// (https://stytch.com/docs/api-reference/b2b/api/members/member-object). RawJSON of
// the response also has its SSO, OAuth and SCIM registrations and its retired email
// addresses. Package fmt and log/slog show its ID and status only.
type Member struct {
	OrganizationID string `json:"organization_id"`
	MemberID       string `json:"member_id"`
	// ExternalID is the ID that the project has given the Member. It may be empty,
	// as may the Name.
	ExternalID           string `json:"external_id"`
	Name                 string `json:"name"`
	EmailAddress         string `json:"email_address"`
	EmailAddressVerified bool   `json:"email_address_verified"`
	// Status is "pending", "active", "deleted" or "invited".
	Status string `json:"status"`
	// IsAdmin reports whether the Member has the role "stytch_admin", and
	// IsBreakglass whether it may log in against the Organization's settings.
	IsAdmin      bool `json:"is_admin"`
	IsBreakglass bool `json:"is_breakglass"`
	// Roles are the Member's roles, and where each comes from.
	Roles []MemberRole `json:"roles"`
	// MFAEnrolled reports whether the Member needs a second factor even if the
	// Organization leaves that to its Members.
	MFAEnrolled bool `json:"mfa_enrolled"`
	// MFAPhoneNumber is where codes go, in E.164 form, verified or not.
	MFAPhoneNumber         string `json:"mfa_phone_number"`
	MFAPhoneNumberVerified bool   `json:"mfa_phone_number_verified"`
	// DefaultMFAMethod is "sms_otp", "totp" or empty.
	DefaultMFAMethod string `json:"default_mfa_method"`
	// TOTPRegistrationID is the authenticator app's. Both IDs are empty without one.
	TOTPRegistrationID string `json:"totp_registration_id"`
	MemberPasswordID   string `json:"member_password_id"`
	// IsLocked reports whether the Member is locked after too many failed attempts
	// (https://stytch.com/docs/resources/platform/user-locks). The times are zero
	// without a lock.
	IsLocked      bool      `json:"is_locked"`
	LockCreatedAt time.Time `json:"lock_created_at,omitzero"`
	LockExpiresAt time.Time `json:"lock_expires_at,omitzero"`
	// TrustedMetadata is set by the project. UntrustedMetadata can be set by the
	// Member's browser, too. Numbers in both are float64.
	TrustedMetadata   map[string]any `json:"trusted_metadata"`
	UntrustedMetadata map[string]any `json:"untrusted_metadata"`
	CreatedAt         time.Time      `json:"created_at,omitzero"`
	UpdatedAt         time.Time      `json:"updated_at,omitzero"`
}

func (m Member) fields() []field {
	return []field{{name: "member_id", value: m.MemberID}, {name: "status", value: m.Status}}
}

// String returns the Member's ID and status.
func (m Member) String() string { return fieldText(m.fields()) }

// GoString is String for %#v, with the name of the type.
func (m Member) GoString() string { return "stytchb2b.Member" + m.String() }

// LogValue is String for package log/slog.
func (m Member) LogValue() slog.Value { return fieldValue(m.fields()) }

// A MemberRole is a role of a Member, such as "stytch_member"
// (https://stytch.com/docs/b2b/guides/rbac/role-assignment).
type MemberRole struct {
	RoleID  string             `json:"role_id"`
	Sources []MemberRoleSource `json:"sources"`
}

// A MemberRoleSource is a reason for which a Member has a role.
type MemberRoleSource struct {
	// Type is such as "direct_assignment" or "email_assignment". Details depend on it.
	Type    string         `json:"type"`
	Details map[string]any `json:"details"`
}

// An Organization is a tenant: Stytch's Organization object
// (https://stytch.com/docs/api-reference/b2b/api/organizations/organization-object).
// RawJSON of the response also has its SSO and SCIM connections, its custom roles
// and its roles by email. Package fmt and log/slog show its ID and slug only.
//
// The settings that are strings are "ALL_ALLOWED", "NOT_ALLOWED" or "RESTRICTED" to
// what the field after them lists.
type Organization struct {
	OrganizationID string `json:"organization_id"`
	// OrganizationExternalID is the ID that the project has given it, if any.
	OrganizationExternalID string `json:"organization_external_id"`
	OrganizationName       string `json:"organization_name"`
	// OrganizationSlug is the name in URLs.
	OrganizationSlug    string `json:"organization_slug"`
	OrganizationLogoURL string `json:"organization_logo_url"`
	// MFAPolicy is "REQUIRED_FOR_ALL" or "OPTIONAL".
	MFAPolicy string `json:"mfa_policy"`
	// The MFA methods are "sms_otp" and "totp".
	MFAMethods        string   `json:"mfa_methods"`
	AllowedMFAMethods []string `json:"allowed_mfa_methods"`
	// The primary methods are such as "sso", "magic_link" and "password".
	AuthMethods        string   `json:"auth_methods"`
	AllowedAuthMethods []string `json:"allowed_auth_methods"`
	// EmailJITProvisioning says who becomes a Member by a login with email or OAuth,
	// and EmailInvites who can be invited.
	EmailJITProvisioning string   `json:"email_jit_provisioning"`
	EmailInvites         string   `json:"email_invites"`
	EmailAllowedDomains  []string `json:"email_allowed_domains"`
	ClaimedEmailDomains  []string `json:"claimed_email_domains"`
	// SSOJITProvisioning says who becomes a Member by a login with SSO. Connections
	// are IDs.
	SSOJITProvisioning                   string   `json:"sso_jit_provisioning"`
	SSOJITProvisioningAllowedConnections []string `json:"sso_jit_provisioning_allowed_connections"`
	SSODefaultConnectionID               string   `json:"sso_default_connection_id"`
	// OAuthTenantJITProvisioning says who becomes a Member by a login with OAuth. The
	// tenants are listed by provider ("slack", "hubspot", "github").
	OAuthTenantJITProvisioning string         `json:"oauth_tenant_jit_provisioning"`
	AllowedOAuthTenants        map[string]any `json:"allowed_oauth_tenants"`
	// Connected apps are listed by their IDs.
	FirstPartyConnectedAppsAllowedType string   `json:"first_party_connected_apps_allowed_type"`
	AllowedFirstPartyConnectedApps     []string `json:"allowed_first_party_connected_apps"`
	ThirdPartyConnectedAppsAllowedType string   `json:"third_party_connected_apps_allowed_type"`
	AllowedThirdPartyConnectedApps     []string `json:"allowed_third_party_connected_apps"`
	// TrustedMetadata is set by the project. Numbers are float64.
	TrustedMetadata map[string]any `json:"trusted_metadata"`
	CreatedAt       time.Time      `json:"created_at,omitzero"`
	UpdatedAt       time.Time      `json:"updated_at,omitzero"`
}

func (o Organization) fields() []field {
	return []field{{name: "organization_id", value: o.OrganizationID}, {name: "organization_slug", value: o.OrganizationSlug}}
}

// String returns the Organization's ID and slug.
func (o Organization) String() string { return fieldText(o.fields()) }

// GoString is String for %#v, with the name of the type.
func (o Organization) GoString() string { return "stytchb2b.Organization" + o.String() }

// LogValue is String for package log/slog.
func (o Organization) LogValue() slog.Value { return fieldValue(o.fields()) }

// A MemberSession is Stytch's Session object
// (https://stytch.com/docs/api-reference/b2b/api/sessions/session-object).
// Package fmt and log/slog show its IDs and when it expires only.
type MemberSession struct {
	// MemberSessionID is the session's ID. Unlike its tokens, it is not a secret.
	MemberSessionID  string    `json:"member_session_id"`
	MemberID         string    `json:"member_id"`
	OrganizationID   string    `json:"organization_id"`
	OrganizationSlug string    `json:"organization_slug"`
	StartedAt        time.Time `json:"started_at,omitzero"`
	LastAccessedAt   time.Time `json:"last_accessed_at,omitzero"`
	ExpiresAt        time.Time `json:"expires_at,omitzero"`
	// AuthenticationFactors are the ways in which the Member has authenticated.
	AuthenticationFactors []AuthenticationFactor `json:"authentication_factors"`
	// Roles are the IDs of the Member's roles.
	Roles []string `json:"roles"`
	// CustomClaims are the project's. Numbers are float64.
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

// GoString is String for %#v, with the name of the type.
func (s MemberSession) GoString() string { return "stytchb2b.MemberSession" + s.String() }

// LogValue is String for package log/slog.
func (s MemberSession) LogValue() slog.Value { return fieldValue(s.fields()) }

// An AuthenticationFactor is one way in which a Member has authenticated.
// RawJSON of the response also has its details, such as an email_factor.
type AuthenticationFactor struct {
	// Type is such as "otp", "totp", "magic_link", "password" or "sso", and
	// DeliveryMethod such as "sms" or "email".
	Type                string    `json:"type"`
	DeliveryMethod      string    `json:"delivery_method"`
	LastAuthenticatedAt time.Time `json:"last_authenticated_at,omitzero"`
	CreatedAt           time.Time `json:"created_at,omitzero"`
	UpdatedAt           time.Time `json:"updated_at,omitzero"`
}

// A MemberDevice is what Stytch's Device Fingerprinting knows of the device
// from which a Member has authenticated. Package fmt and log/slog show its visitor
// ID only.
type MemberDevice struct {
	VisitorID string `json:"visitor_id"`
	// IPGeoCity, IPGeoRegion and IPGeoCountry, a code, are where the IPAddress is.
	IPAddress    string `json:"ip_address"`
	IPGeoCity    string `json:"ip_geo_city"`
	IPGeoRegion  string `json:"ip_geo_region"`
	IPGeoCountry string `json:"ip_geo_country"`
	// The details are nil if Stytch does not give them.
	VisitorIDDetails    *DeviceAttributeDetails `json:"visitor_id_details"`
	IPAddressDetails    *DeviceAttributeDetails `json:"ip_address_details"`
	IPGeoCountryDetails *DeviceAttributeDetails `json:"ip_geo_country_details"`
}

func (d MemberDevice) fields() []field {
	return []field{{name: "visitor_id", value: d.VisitorID}}
}

// String returns the visitor ID.
func (d MemberDevice) String() string { return fieldText(d.fields()) }

// GoString is String for %#v, with the name of the type.
func (d MemberDevice) GoString() string { return "stytchb2b.MemberDevice" + d.String() }

// LogValue is String for package log/slog.
func (d MemberDevice) LogValue() slog.Value { return fieldValue(d.fields()) }

// DeviceAttributeDetails are whether and when a Member has been seen with an
// attribute of a device before.
type DeviceAttributeDetails struct {
	IsNew       bool      `json:"is_new"`
	FirstSeenAt time.Time `json:"first_seen_at,omitzero"`
	LastSeenAt  time.Time `json:"last_seen_at,omitzero"`
}
