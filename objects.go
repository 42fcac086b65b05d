package stytchb2b

import (
	"log/slog"
	"time"
)

// A Member is a person in an [Organization]: Stytch's Member object
// (https://stytch.com/docs/api-reference/b2b/api/members/member-object). RawJSON of
// the response also has its SSO, OAuth and SCIM registrations and its retired email
// addresses.
type Member struct {
	OrganizationID string `json:"organization_id"`
	MemberID       string `json:"member_id"`
	// ExternalID is the ID that the project gave the Member. It may be empty, and so
	// may Name.
	ExternalID           string `json:"external_id"`
	Name                 string `json:"name"`
	EmailAddress         string `json:"email_address"`
	EmailAddressVerified bool   `json:"email_address_verified"`
	// Status is "pending", "active", "deleted" or "invited".
	Status string `json:"status"`
	// IsAdmin reports whether the Member has the role "stytch_admin". IsBreakglass
	// reports whether it may log in despite the Organization's settings.
	IsAdmin      bool `json:"is_admin"`
	IsBreakglass bool `json:"is_breakglass"`
	// Roles are the Member's roles and their sources.
	Roles []MemberRole `json:"roles"`
	// MFAEnrolled reports whether the Member needs a second factor even if the
	// Organization does not require one.
	MFAEnrolled bool `json:"mfa_enrolled"`
	// MFAPhoneNumber is where codes go, in E.164 form, verified or not.
	MFAPhoneNumber         string `json:"mfa_phone_number"`
	MFAPhoneNumberVerified bool   `json:"mfa_phone_number_verified"`
	// DefaultMFAMethod is "sms_otp", "totp" or empty.
	DefaultMFAMethod string `json:"default_mfa_method"`
	// TOTPRegistrationID is empty without an authenticator app, and MemberPasswordID
	// without a password.
	TOTPRegistrationID string `json:"totp_registration_id"`
	MemberPasswordID   string `json:"member_password_id"`
	// IsLocked reports whether the Member is locked after too many failed attempts.
	// The times are zero without a lock.
	IsLocked      bool      `json:"is_locked"`
	LockCreatedAt time.Time `json:"lock_created_at,omitzero"`
	LockExpiresAt time.Time `json:"lock_expires_at,omitzero"`
	// TrustedMetadata is set by the project. UntrustedMetadata can also be set by the
	// Member's browser. Numbers in both are float64.
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

// A MemberRoleSource is a reason why a Member has a role.
type MemberRoleSource struct {
	// Type is, for example, "direct_assignment" or "email_assignment". Details depend
	// on it.
	Type    string         `json:"type"`
	Details map[string]any `json:"details"`
}

// An Organization is a tenant: Stytch's Organization object
// (https://stytch.com/docs/api-reference/b2b/api/organizations/organization-object).
// RawJSON of the response also has its SSO and SCIM connections, its custom roles
// and its roles by email. Unless stated otherwise, a setting of type string is
// "ALL_ALLOWED", "NOT_ALLOWED", or "RESTRICTED" to what the list after it allows.
type Organization struct {
	OrganizationID string `json:"organization_id"`
	// OrganizationExternalID is the ID that the project gave it. It may be empty.
	OrganizationExternalID string `json:"organization_external_id"`
	OrganizationName       string `json:"organization_name"`
	// OrganizationSlug is the name in URLs.
	OrganizationSlug    string `json:"organization_slug"`
	OrganizationLogoURL string `json:"organization_logo_url"`
	// MFAPolicy is "REQUIRED_FOR_ALL" or "OPTIONAL".
	MFAPolicy string `json:"mfa_policy"`
	// MFA methods are "sms_otp" and "totp".
	MFAMethods        string   `json:"mfa_methods"`
	AllowedMFAMethods []string `json:"allowed_mfa_methods"`
	// Primary methods are, for example, "sso", "magic_link" and "password".
	AuthMethods        string   `json:"auth_methods"`
	AllowedAuthMethods []string `json:"allowed_auth_methods"`
	// EmailJITProvisioning says who becomes a Member by logging in with email or OAuth.
	// EmailInvites says who can be invited.
	EmailJITProvisioning string   `json:"email_jit_provisioning"`
	EmailInvites         string   `json:"email_invites"`
	EmailAllowedDomains  []string `json:"email_allowed_domains"`
	ClaimedEmailDomains  []string `json:"claimed_email_domains"`
	// SSOJITProvisioning says who becomes a Member by logging in with SSO. Connections
	// are listed by their IDs.
	SSOJITProvisioning                   string   `json:"sso_jit_provisioning"`
	SSOJITProvisioningAllowedConnections []string `json:"sso_jit_provisioning_allowed_connections"`
	SSODefaultConnectionID               string   `json:"sso_default_connection_id"`
	// OAuthTenantJITProvisioning says who becomes a Member by logging in with OAuth.
	// Tenants are listed by provider ("slack", "hubspot", "github").
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
type MemberSession struct {
	// MemberSessionID is the session's ID. Unlike its tokens, it is not a secret.
	MemberSessionID  string    `json:"member_session_id"`
	MemberID         string    `json:"member_id"`
	OrganizationID   string    `json:"organization_id"`
	OrganizationSlug string    `json:"organization_slug"`
	StartedAt        time.Time `json:"started_at,omitzero"`
	LastAccessedAt   time.Time `json:"last_accessed_at,omitzero"`
	ExpiresAt        time.Time `json:"expires_at,omitzero"`
	// AuthenticationFactors are the factors that the Member has authenticated with.
	AuthenticationFactors []AuthenticationFactor `json:"authentication_factors"`
	// Roles are the IDs of the Member's roles.
	Roles []string `json:"roles"`
	// CustomClaims are the project's own claims. Numbers are float64.
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

// An AuthenticationFactor is a factor that a Member has authenticated with.
// RawJSON of the response also has its details, such as an email_factor.
type AuthenticationFactor struct {
	// Type is, for example, "otp", "totp", "magic_link", "password" or "sso".
	// DeliveryMethod is, for example, "sms" or "email".
	Type                string    `json:"type"`
	DeliveryMethod      string    `json:"delivery_method"`
	LastAuthenticatedAt time.Time `json:"last_authenticated_at,omitzero"`
	CreatedAt           time.Time `json:"created_at,omitzero"`
	UpdatedAt           time.Time `json:"updated_at,omitzero"`
}

// A MemberDevice is what Stytch's Device Fingerprinting knows about the device from
// which a Member authenticated.
type MemberDevice struct {
	VisitorID string `json:"visitor_id"`
	// IPGeoCity, IPGeoRegion and IPGeoCountry (a code) are where IPAddress is.
	IPAddress    string `json:"ip_address"`
	IPGeoCity    string `json:"ip_geo_city"`
	IPGeoRegion  string `json:"ip_geo_region"`
	IPGeoCountry string `json:"ip_geo_country"`
	// Details are nil if Stytch does not send them.
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

// DeviceAttributeDetails report whether and when a Member was seen before with an
// attribute of a device.
type DeviceAttributeDetails struct {
	IsNew       bool      `json:"is_new"`
	FirstSeenAt time.Time `json:"first_seen_at,omitzero"`
	LastSeenAt  time.Time `json:"last_seen_at,omitzero"`
}
