package stytchtest

import (
	"slices"
	"time"
)

// The objects of the API's answers, with every field that the reference
// requires, so that strict clients accept them.

type errorObject struct {
	StatusCode   int    `json:"status_code"`
	RequestID    string `json:"request_id"`
	ErrorType    string `json:"error_type"`
	ErrorMessage string `json:"error_message"`
	ErrorURL     string `json:"error_url"`
}

type sendObject struct {
	StatusCode   int                `json:"status_code"`
	RequestID    string             `json:"request_id"`
	MemberID     string             `json:"member_id"`
	Member       memberObject       `json:"member"`
	Organization organizationObject `json:"organization"`
}

type authenticateObject struct {
	MemberID string `json:"member_id"`
	sessionObject
}

// loginObject is the answer to a primary authentication.
type loginObject struct {
	StatusCode               int                  `json:"status_code"`
	RequestID                string               `json:"request_id"`
	MemberID                 string               `json:"member_id"`
	OrganizationID           string               `json:"organization_id"`
	Member                   memberObject         `json:"member"`
	Organization             organizationObject   `json:"organization"`
	SessionToken             string               `json:"session_token"`
	SessionJWT               string               `json:"session_jwt"`
	MemberSession            *memberSessionObject `json:"member_session"`
	IntermediateSessionToken string               `json:"intermediate_session_token"`
	MemberAuthenticated      bool                 `json:"member_authenticated"`
	MFARequired              *mfaRequiredObject   `json:"mfa_required"`
	PrimaryRequired          *struct{}            `json:"primary_required"`
}

type mfaRequiredObject struct {
	MemberOptions          MemberOptions `json:"member_options"`
	SecondaryAuthInitiated *string       `json:"secondary_auth_initiated"`
}

// sessionObject is the answer to the authentication of a session.
type sessionObject struct {
	StatusCode    int                 `json:"status_code"`
	RequestID     string              `json:"request_id"`
	Member        memberObject        `json:"member"`
	Organization  organizationObject  `json:"organization"`
	SessionToken  string              `json:"session_token"`
	SessionJWT    string              `json:"session_jwt"`
	MemberSession memberSessionObject `json:"member_session"`
}

type jwksObject struct {
	StatusCode int         `json:"status_code"`
	RequestID  string      `json:"request_id"`
	Keys       []jwkObject `json:"keys"`
}

// A jwkObject is a JSON Web Key (RFC 7517).
type jwkObject struct {
	KeyType       string   `json:"kty"`
	Use           string   `json:"use"`
	KeyOperations []string `json:"key_ops"`
	Algorithm     string   `json:"alg"`
	KeyID         string   `json:"kid"`
	Modulus       string   `json:"n"`
	Exponent      string   `json:"e"`
}

type memberObject struct {
	OrganizationID         string         `json:"organization_id"`
	MemberID               string         `json:"member_id"`
	ExternalID             string         `json:"external_id,omitempty"`
	EmailAddress           string         `json:"email_address"`
	EmailAddressVerified   bool           `json:"email_address_verified"`
	Name                   string         `json:"name"`
	Status                 string         `json:"status"`
	IsAdmin                bool           `json:"is_admin"`
	IsBreakglass           bool           `json:"is_breakglass"`
	IsLocked               bool           `json:"is_locked"`
	LockCreatedAt          string         `json:"lock_created_at,omitempty"`
	LockExpiresAt          string         `json:"lock_expires_at,omitempty"`
	MemberPasswordID       string         `json:"member_password_id"`
	MFAEnrolled            bool           `json:"mfa_enrolled"`
	MFAPhoneNumber         string         `json:"mfa_phone_number"`
	MFAPhoneNumberVerified bool           `json:"mfa_phone_number_verified"`
	DefaultMFAMethod       string         `json:"default_mfa_method"`
	TOTPRegistrationID     string         `json:"totp_registration_id"`
	SSORegistrations       []struct{}     `json:"sso_registrations"`
	OAuthRegistrations     []struct{}     `json:"oauth_registrations"`
	RetiredEmailAddresses  []struct{}     `json:"retired_email_addresses"`
	Roles                  []roleObject   `json:"roles"`
	TrustedMetadata        map[string]any `json:"trusted_metadata"`
	UntrustedMetadata      map[string]any `json:"untrusted_metadata"`
	CreatedAt              string         `json:"created_at"`
	UpdatedAt              string         `json:"updated_at"`
}

type roleObject struct {
	RoleID  string             `json:"role_id"`
	Sources []roleSourceObject `json:"sources"`
}

type roleSourceObject struct {
	Type    string         `json:"type"`
	Details map[string]any `json:"details"`
}

// The roles that Stytch defines.
const (
	memberRole = "stytch_member" // Every Member has it.
	adminRole  = "stytch_admin"
)

// roles are the IDs of all roles that the Member has.
func (m *Member) roles() []string { return append([]string{memberRole}, m.Roles...) }

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// orEmpty makes null an empty object.
func orEmpty(object map[string]any) map[string]any {
	if object == nil {
		return map[string]any{}
	}
	return object
}

func newMemberObject(m *Member) memberObject {
	o := memberObject{
		OrganizationID:         m.OrganizationID,
		MemberID:               m.MemberID,
		ExternalID:             m.ExternalID,
		EmailAddress:           m.EmailAddress,
		EmailAddressVerified:   true,
		Name:                   m.Name,
		Status:                 m.Status,
		IsAdmin:                slices.Contains(m.Roles, adminRole),
		IsBreakglass:           m.IsBreakglass,
		MFAEnrolled:            m.MFAEnrolled,
		MFAPhoneNumber:         m.MFAPhoneNumber,
		MFAPhoneNumberVerified: m.MFAPhoneNumberVerified,
		DefaultMFAMethod:       m.DefaultMFAMethod,
		TOTPRegistrationID:     m.totpRegistrationID(),
		SSORegistrations:       []struct{}{},
		OAuthRegistrations:     []struct{}{},
		RetiredEmailAddresses:  []struct{}{},
		TrustedMetadata:        orEmpty(m.TrustedMetadata),
		UntrustedMetadata:      orEmpty(m.UntrustedMetadata),
		CreatedAt:              timestamp(m.created),
		UpdatedAt:              timestamp(m.updated),
	}
	for _, role := range m.roles() {
		o.Roles = append(o.Roles, roleObject{
			RoleID:  role,
			Sources: []roleSourceObject{{Type: "direct_assignment", Details: map[string]any{}}},
		})
	}
	if !m.LockExpiresAt.IsZero() {
		o.IsLocked = true
		o.LockCreatedAt, o.LockExpiresAt = timestamp(m.LockCreatedAt), timestamp(m.LockExpiresAt)
	}
	if m.Password != "" {
		o.MemberPasswordID = "member-password-test-" + m.MemberID
	}
	return o
}

func (m *Member) totpRegistrationID() string {
	if !m.TOTP {
		return ""
	}
	return "member-totp-test-" + m.MemberID
}

type organizationObject struct {
	OrganizationID                       string         `json:"organization_id"`
	OrganizationExternalID               string         `json:"organization_external_id,omitempty"`
	OrganizationName                     string         `json:"organization_name"`
	OrganizationSlug                     string         `json:"organization_slug"`
	OrganizationLogoURL                  string         `json:"organization_logo_url"`
	AuthMethods                          string         `json:"auth_methods"`
	AllowedAuthMethods                   []string       `json:"allowed_auth_methods"`
	MFAPolicy                            string         `json:"mfa_policy"`
	MFAMethods                           string         `json:"mfa_methods"`
	AllowedMFAMethods                    []string       `json:"allowed_mfa_methods"`
	EmailAllowedDomains                  []string       `json:"email_allowed_domains"`
	EmailJITProvisioning                 string         `json:"email_jit_provisioning"`
	EmailInvites                         string         `json:"email_invites"`
	ClaimedEmailDomains                  []string       `json:"claimed_email_domains"`
	OAuthTenantJITProvisioning           string         `json:"oauth_tenant_jit_provisioning"`
	SSOJITProvisioning                   string         `json:"sso_jit_provisioning"`
	SSOJITProvisioningAllowedConnections []string       `json:"sso_jit_provisioning_allowed_connections"`
	SSOActiveConnections                 []struct{}     `json:"sso_active_connections"`
	RBACEmailImplicitRoleAssignments     []struct{}     `json:"rbac_email_implicit_role_assignments"`
	FirstPartyConnectedAppsAllowedType   string         `json:"first_party_connected_apps_allowed_type"`
	AllowedFirstPartyConnectedApps       []string       `json:"allowed_first_party_connected_apps"`
	ThirdPartyConnectedAppsAllowedType   string         `json:"third_party_connected_apps_allowed_type"`
	AllowedThirdPartyConnectedApps       []string       `json:"allowed_third_party_connected_apps"`
	CustomRoles                          []struct{}     `json:"custom_roles"`
	TrustedMetadata                      map[string]any `json:"trusted_metadata"`
	CreatedAt                            string         `json:"created_at"`
	UpdatedAt                            string         `json:"updated_at"`
}

func newOrganizationObject(o *Organization) organizationObject {
	methods, allowed := "ALL_ALLOWED", []string{}
	if len(o.AllowedMFAMethods) > 0 {
		methods, allowed = "RESTRICTED", o.AllowedMFAMethods
	}
	return organizationObject{
		OrganizationID:                       o.OrganizationID,
		OrganizationExternalID:               o.ExternalID,
		OrganizationName:                     o.Name,
		OrganizationSlug:                     o.Slug,
		AuthMethods:                          "ALL_ALLOWED",
		AllowedAuthMethods:                   []string{},
		MFAPolicy:                            o.MFAPolicy,
		MFAMethods:                           methods,
		AllowedMFAMethods:                    allowed,
		EmailAllowedDomains:                  []string{},
		EmailJITProvisioning:                 "NOT_ALLOWED",
		EmailInvites:                         "ALL_ALLOWED",
		ClaimedEmailDomains:                  []string{},
		OAuthTenantJITProvisioning:           "NOT_ALLOWED",
		SSOJITProvisioning:                   "NOT_ALLOWED",
		SSOJITProvisioningAllowedConnections: []string{},
		SSOActiveConnections:                 []struct{}{},
		RBACEmailImplicitRoleAssignments:     []struct{}{},
		FirstPartyConnectedAppsAllowedType:   "ALL_ALLOWED",
		AllowedFirstPartyConnectedApps:       []string{},
		ThirdPartyConnectedAppsAllowedType:   "ALL_ALLOWED",
		AllowedThirdPartyConnectedApps:       []string{},
		CustomRoles:                          []struct{}{},
		TrustedMetadata:                      orEmpty(o.TrustedMetadata),
		CreatedAt:                            timestamp(o.created),
		UpdatedAt:                            timestamp(o.created), // Nothing changes it.
	}
}

type memberSessionObject struct {
	MemberSessionID       string         `json:"member_session_id"`
	MemberID              string         `json:"member_id"`
	OrganizationID        string         `json:"organization_id"`
	OrganizationSlug      string         `json:"organization_slug"`
	StartedAt             string         `json:"started_at"`
	LastAccessedAt        string         `json:"last_accessed_at"`
	ExpiresAt             string         `json:"expires_at"`
	AuthenticationFactors []factorObject `json:"authentication_factors"`
	Roles                 []string       `json:"roles"`
	CustomClaims          map[string]any `json:"custom_claims"`
}

type factorObject struct {
	Type                string            `json:"type"`
	DeliveryMethod      string            `json:"delivery_method"`
	LastAuthenticatedAt string            `json:"last_authenticated_at"`
	CreatedAt           string            `json:"created_at"`
	UpdatedAt           string            `json:"updated_at"`
	EmailFactor         map[string]string `json:"email_factor,omitempty"`
	PhoneNumberFactor   map[string]string `json:"phone_number_factor,omitempty"`
	AuthenticatorApp    map[string]string `json:"authenticator_app_factor,omitempty"`
}

func newMemberSessionObject(sess *session, o *Organization, m *Member) memberSessionObject {
	s := memberSessionObject{
		MemberSessionID:  sess.id,
		MemberID:         m.MemberID,
		OrganizationID:   o.OrganizationID,
		OrganizationSlug: o.Slug,
		StartedAt:        timestamp(sess.started),
		LastAccessedAt:   timestamp(sess.accessed),
		ExpiresAt:        timestamp(sess.expires),
		Roles:            m.roles(),
		CustomClaims:     sess.claims,
	}
	for _, f := range sess.factors {
		o := factorObject{
			Type:                f.kind,
			DeliveryMethod:      f.delivery,
			LastAuthenticatedAt: timestamp(f.at),
			CreatedAt:           timestamp(f.created),
			UpdatedAt:           timestamp(f.at),
		}
		switch f.kind {
		case linkFactor.kind:
			o.EmailFactor = map[string]string{"email_id": "email-test-" + m.MemberID, "email_address": m.EmailAddress}
		case smsFactor.kind:
			o.PhoneNumberFactor = map[string]string{"phone_id": "member-phone-test-" + m.MemberID, "phone_number": m.MFAPhoneNumber}
		case totpFactor.kind:
			o.AuthenticatorApp = map[string]string{"totp_id": m.totpRegistrationID()}
		}
		s.AuthenticationFactors = append(s.AuthenticationFactors, o)
	}
	return s
}
