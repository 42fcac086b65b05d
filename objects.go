package stytchb2b

import "time"

// A Member is a person in an [Organization]: of Stytch's Member object
// (https://stytch.com/docs/api-reference/b2b/api/members/member-object), what a login page needs.
type Member struct {
	// Name is the full name, and may be empty.
	Name string `json:"name"`
	// EmailAddress is the address that the Member logs in with.
	EmailAddress string `json:"email_address"`
	// Status is "pending", "active", "deleted" or "invited".
	Status string `json:"status"`
	// MFAPhoneNumber is the number that the SMS went to, in E.164 form.
	MFAPhoneNumber string `json:"mfa_phone_number"`
	// MFAPhoneNumberVerified is whether a code sent to it was ever entered.
	MFAPhoneNumberVerified bool `json:"mfa_phone_number_verified"`
	// MFAEnrolled is whether the Member needs a second factor to log in, also
	// where the Organization leaves it to them.
	MFAEnrolled bool `json:"mfa_enrolled"`
	// DefaultMFAMethod is "sms_otp" or "totp", or empty.
	DefaultMFAMethod string `json:"default_mfa_method"`
}

// An Organization is a tenant: of Stytch's Organization object
// (https://stytch.com/docs/api-reference/b2b/api/organizations/organization-object), what a login page needs.
type Organization struct {
	// OrganizationID is the ID, also where the call named a slug or an external ID.
	OrganizationID string `json:"organization_id"`
	// OrganizationName is the name for people to read.
	OrganizationName string `json:"organization_name"`
	// OrganizationSlug is the name in URLs.
	OrganizationSlug string `json:"organization_slug"`
	// MFAPolicy is "REQUIRED_FOR_ALL" or "OPTIONAL".
	MFAPolicy string `json:"mfa_policy"`
	// MFAMethods is "ALL_ALLOWED", or "RESTRICTED" to AllowedMFAMethods.
	MFAMethods string `json:"mfa_methods"`
	// AllowedMFAMethods holds "sms_otp" and "totp".
	AllowedMFAMethods []string `json:"allowed_mfa_methods"`
}

// A MemberSession is a session of a Member's, in Stytch's words the Session
// object (https://stytch.com/docs/api-reference/b2b/api/sessions/session-object).
type MemberSession struct {
	// MemberSessionID is the ID, which is no secret as the tokens are.
	MemberSessionID string `json:"member_session_id"`
	// MemberID is the Member's ID.
	MemberID string `json:"member_id"`
	// OrganizationID is the ID of the Member's Organization.
	OrganizationID string `json:"organization_id"`
	// OrganizationSlug is the Organization's name in URLs.
	OrganizationSlug string `json:"organization_slug"`
	// StartedAt is when the session began.
	StartedAt time.Time `json:"started_at"`
	// LastAccessedAt is when the session was last used.
	LastAccessedAt time.Time `json:"last_accessed_at"`
	// ExpiresAt is when the session ends.
	ExpiresAt time.Time `json:"expires_at"`
	// AuthenticationFactors are the ways in which the Member has shown who they are.
	AuthenticationFactors []AuthenticationFactor `json:"authentication_factors"`
	// Roles are the IDs of the Member's roles.
	Roles []string `json:"roles"`
	// CustomClaims are the session's, decoded as package encoding/json does into
	// an any: numbers are float64. RawJSON has them as they came.
	CustomClaims map[string]any `json:"custom_claims"`
}

// An AuthenticationFactor is one way in which a Member has shown who they are.
type AuthenticationFactor struct {
	// Type is the kind of factor: "otp", "totp", "magic_link", "password", "sso" and so on.
	Type string `json:"type"`
	// DeliveryMethod is how it was delivered: "sms", "email" and so on.
	DeliveryMethod string `json:"delivery_method"`
	// LastAuthenticatedAt is when it was last shown.
	LastAuthenticatedAt time.Time `json:"last_authenticated_at"`
}
