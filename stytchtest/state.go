package stytchtest

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// An Organization is a tenant of the project. [Server.Load] takes its JSON form.
type Organization struct {
	// OrganizationID is random if empty.
	OrganizationID string `json:"organization_id"`
	// Slug and ExternalID also identify the Organization in requests. An empty Slug is
	// made from the ID.
	Slug       string `json:"organization_slug"`
	ExternalID string `json:"organization_external_id"`
	// Name is "Example Inc." if empty.
	Name string `json:"organization_name"`
	// MFAPolicy is "OPTIONAL" or "REQUIRED_FOR_ALL". Empty means "OPTIONAL".
	MFAPolicy string `json:"mfa_policy"`
	// TrustedMetadata is returned unchanged.
	TrustedMetadata map[string]any `json:"trusted_metadata"`

	created time.Time
}

// A Member is a person in an Organization. [Server.Load] takes its JSON form.
type Member struct {
	// OrganizationID is the Organization's ID. Empty means the first Organization.
	OrganizationID string `json:"organization_id"`
	// MemberID is random if empty.
	MemberID string `json:"member_id"`
	// ExternalID also identifies the Member in requests.
	ExternalID string `json:"external_id"`
	Name       string `json:"name"`
	// EmailAddress is made from the ID if empty.
	EmailAddress string `json:"email_address"`
	// Password is the Member's password; empty for none.
	Password string `json:"password"`
	// Status is "active", "pending", "invited" or "deleted". Empty means "active".
	Status string `json:"status"`
	// MFAPhoneNumber is in E.164 form; empty for none yet.
	MFAPhoneNumber         string `json:"mfa_phone_number"`
	MFAPhoneNumberVerified bool   `json:"mfa_phone_number_verified"`
	MFAEnrolled            bool   `json:"mfa_enrolled"`
	// DefaultMFAMethod is "sms_otp", "totp" or empty.
	DefaultMFAMethod string `json:"default_mfa_method"`
	// TOTP gives the Member an authenticator app, which is an active MFA factor.
	TOTP bool `json:"totp"`
	// LockCreatedAt is when Stytch locked the Member after ten failed attempts, and
	// LockExpiresAt when the lock ends. Both are zero without a lock.
	LockCreatedAt time.Time `json:"lock_created_at"`
	LockExpiresAt time.Time `json:"lock_expires_at"`

	// Roles are the IDs of the Member's roles other than "stytch_member", such as
	// "stytch_admin".
	Roles []string `json:"roles"`
	// TrustedMetadata and UntrustedMetadata are returned unchanged.
	TrustedMetadata   map[string]any `json:"trusted_metadata"`
	UntrustedMetadata map[string]any `json:"untrusted_metadata"`

	failures         int // consecutive, to authenticate
	created, updated time.Time
}

// state is the project as Stytch would store it.
type state struct {
	organizations []*Organization
	members       []*Member
	codes         map[string]code // by member ID
	sessions      sessions
	allowed       []string // countries, ISO 3166
	clock         clock
}

type code struct {
	text    string
	expires time.Time
	used    bool
}

const (
	codeLifetime                = 2 * time.Minute // from the reference
	intermediateSessionLifetime = 10 * time.Minute
	sessionLifetime             = time.Hour // without session_duration_minutes
)

func newState() state {
	return state{
		codes:    map[string]code{},
		sessions: sessions{byToken: map[string]*session{}},
		allowed:  []string{"US", "CA"},
	}
}

// AddOrganization adds an Organization and returns it with its ID. It returns an error
// if a value is invalid, or if the ID is taken.
func (s *Server) AddOrganization(o Organization) (Organization, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.OrganizationID = cmp.Or(o.OrganizationID, "organization-test-"+uuid())
	o.Slug = cmp.Or(o.Slug, o.OrganizationID)
	o.Name = cmp.Or(o.Name, "Example Inc.")
	o.MFAPolicy = cmp.Or(o.MFAPolicy, "OPTIONAL")
	if !slices.Contains([]string{"OPTIONAL", "REQUIRED_FOR_ALL"}, o.MFAPolicy) {
		return o, fmt.Errorf("stytchtest: mfa_policy: must be OPTIONAL or REQUIRED_FOR_ALL, not %q", o.MFAPolicy)
	}
	for _, name := range []string{o.OrganizationID, o.Slug, o.ExternalID} {
		if name != "" && s.state.organization(name) != nil {
			return o, fmt.Errorf("stytchtest: there is an Organization %q already", name)
		}
	}
	o.created = s.state.now()
	stored := o
	s.state.organizations = append(s.state.organizations, &stored)
	return o, nil
}

// AddMember adds a Member and returns it with its ID. It returns an error if the
// Organization does not exist, if a value is invalid, or if the ID is taken.
func (s *Server) AddMember(m Member) (Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.OrganizationID = cmp.Or(m.OrganizationID, s.OrganizationID)
	org := s.state.organization(m.OrganizationID)
	if org == nil {
		return m, fmt.Errorf("stytchtest: organization_id: there is no Organization %q", m.OrganizationID)
	}
	m.OrganizationID = org.OrganizationID
	m.MemberID = cmp.Or(m.MemberID, "member-test-"+uuid())
	m.EmailAddress = cmp.Or(m.EmailAddress, m.MemberID+"@example.com")
	m.Status = cmp.Or(m.Status, "active")
	if !slices.Contains([]string{"active", "pending", "invited", "deleted"}, m.Status) {
		return m, fmt.Errorf("stytchtest: status: must be active, pending, invited or deleted, not %q", m.Status)
	}
	if m.MFAPhoneNumber != "" && !isE164(m.MFAPhoneNumber) {
		return m, errors.New("stytchtest: mfa_phone_number: must be in E.164 form")
	}
	if !slices.Contains([]string{"", "sms_otp", "totp"}, m.DefaultMFAMethod) {
		return m, fmt.Errorf("stytchtest: default_mfa_method: must be sms_otp or totp, not %q", m.DefaultMFAMethod)
	}
	for _, name := range []string{m.MemberID, m.ExternalID} {
		if name != "" && s.state.member(org, name) != nil {
			return m, fmt.Errorf("stytchtest: there is a Member %q already", name)
		}
	}
	m.created = s.state.now()
	m.updated = m.created
	stored := m
	s.state.members = append(s.state.members, &stored)
	return m, nil
}

// Member returns the current state of a Member, or false if there is no such Member.
func (s *Server) Member(memberID string) (Member, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.state.memberByID(memberID); m != nil {
		_ = m.isLocked(s.state.now())
		return *m, true
	}
	return Member{}, false
}

// organization finds an Organization by ID, slug or external ID.
func (s *state) organization(name string) *Organization {
	return find(s.organizations, func(o *Organization) bool {
		return name == o.OrganizationID || name == o.Slug || name == o.ExternalID
	})
}

// member finds a Member of an Organization by ID or external ID.
func (s *state) member(o *Organization, name string) *Member {
	return find(s.members, func(m *Member) bool {
		return m.OrganizationID == o.OrganizationID && (name == m.MemberID || name == m.ExternalID)
	})
}

func (s *state) memberByID(id string) *Member {
	return find(s.members, func(m *Member) bool { return m.MemberID == id })
}

// memberByEmail finds a Member of an Organization. It skips deleted Members.
func (s *state) memberByEmail(o *Organization, address string) *Member {
	return find(s.members, func(m *Member) bool {
		return m.OrganizationID == o.OrganizationID && strings.EqualFold(m.EmailAddress, address) && m.Status != "deleted"
	})
}

// find returns the first match, or nil.
func find[T any](all []*T, matches func(*T) bool) *T {
	if i := slices.IndexFunc(all, matches); i >= 0 {
		return all[i]
	}
	return nil
}

// AllowCountries replaces the project's allowlist of countries, which begins with
// "US" and "CA". It returns an error for an unknown ISO 3166 code.
func (s *Server) AllowCountries(codes ...string) error {
	for _, c := range codes {
		if c == "" || prefixes[c] == "" {
			return fmt.Errorf("stytchtest: unknown country %q", c)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.allowed = slices.Clone(codes)
	return nil
}

// uuid makes a version 4 UUID.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// token makes a random string with the characters and the length of Stytch's tokens.
func token() string {
	var b [33]byte
	_, _ = rand.Read(b[:])
	return base64.URLEncoding.EncodeToString(b[:])
}

var isE164 = regexp.MustCompile(`^\+[1-9]\d{1,14}$`).MatchString
