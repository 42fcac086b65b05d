package stytchb2b

import (
	"log/slog"
	"time"
)

// A Member is a person in an [Organization]. It has the fields of Stytch's
// Member object that a login page needs
// (https://stytch.com/docs/api-reference/b2b/api/members/member-object).
//
// Printed with package fmt or logged with log/slog, a Member shows its ID and
// status only.
type Member struct {
	// MemberID is the Member's ID.
	MemberID string `json:"member_id"`
	// Name is the Member's full name. It may be empty.
	Name string `json:"name"`
	// EmailAddress is the address that the Member logs in with.
	EmailAddress string `json:"email_address"`
	// Status is "pending", "active", "deleted" or "invited".
	Status string `json:"status"`
	// MFAPhoneNumber is the phone number that codes go to, in E.164 form.
	MFAPhoneNumber string `json:"mfa_phone_number"`
	// MFAPhoneNumberVerified reports whether the phone number is verified.
	MFAPhoneNumberVerified bool `json:"mfa_phone_number_verified"`
	// MFAEnrolled reports whether the Member needs a second factor to log in
	// even if the Organization leaves it to its Members.
	MFAEnrolled bool `json:"mfa_enrolled"`
	// DefaultMFAMethod is "sms_otp", "totp" or empty.
	DefaultMFAMethod string `json:"default_mfa_method"`
	// IsLocked reports whether the Member is locked after too many failed
	// attempts (https://stytch.com/docs/resources/platform/user-locks).
	IsLocked bool `json:"is_locked"`
	// LockExpiresAt is when a lock ends; zero without one.
	LockExpiresAt time.Time `json:"lock_expires_at"`
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

// An Organization is a tenant. It has the fields of Stytch's Organization
// object that a login page needs
// (https://stytch.com/docs/api-reference/b2b/api/organizations/organization-object).
type Organization struct {
	// OrganizationID is the Organization's ID, even if the call named its slug
	// or external ID.
	OrganizationID string `json:"organization_id"`
	// OrganizationName is the name to show to people.
	OrganizationName string `json:"organization_name"`
	// OrganizationSlug is the name in URLs.
	OrganizationSlug string `json:"organization_slug"`
	// MFAPolicy is "REQUIRED_FOR_ALL" or "OPTIONAL".
	MFAPolicy string `json:"mfa_policy"`
	// MFAMethods is "ALL_ALLOWED", or "RESTRICTED" to AllowedMFAMethods.
	MFAMethods string `json:"mfa_methods"`
	// AllowedMFAMethods holds "sms_otp" and "totp" as far as they are allowed.
	AllowedMFAMethods []string `json:"allowed_mfa_methods"`
}

// A MemberSession is a Member's session, in Stytch's terms the Session object
// (https://stytch.com/docs/api-reference/b2b/api/sessions/session-object).
//
// Printed with package fmt or logged with log/slog, a MemberSession shows IDs
// and when it expires only.
type MemberSession struct {
	// MemberSessionID is the session's ID. Unlike its tokens it is not a secret.
	MemberSessionID string `json:"member_session_id"`
	// MemberID is the Member's ID.
	MemberID string `json:"member_id"`
	// OrganizationID is the ID of the Member's Organization.
	OrganizationID string `json:"organization_id"`
	// OrganizationSlug is the Organization's name in URLs.
	OrganizationSlug string `json:"organization_slug"`
	// StartedAt is when the session started.
	StartedAt time.Time `json:"started_at"`
	// LastAccessedAt is when the session was last used.
	LastAccessedAt time.Time `json:"last_accessed_at"`
	// ExpiresAt is when the session ends.
	ExpiresAt time.Time `json:"expires_at"`
	// AuthenticationFactors are the ways in which the Member has authenticated.
	AuthenticationFactors []AuthenticationFactor `json:"authentication_factors"`
	// Roles are the IDs of the Member's roles.
	Roles []string `json:"roles"`
	// CustomClaims are decoded as package encoding/json decodes into an any:
	// numbers are float64. RawJSON of the response has them as they came.
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
type AuthenticationFactor struct {
	// Type is the kind of factor, such as "otp", "totp", "magic_link",
	// "password" or "sso".
	Type string `json:"type"`
	// DeliveryMethod is how the factor was delivered, such as "sms" or "email".
	DeliveryMethod string `json:"delivery_method"`
	// LastAuthenticatedAt is when the factor was last used.
	LastAuthenticatedAt time.Time `json:"last_authenticated_at"`
}
