package stytchtest

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/eb715825/stytchb2b"
)

// A PrimaryAuthentication is Stytch's answer to a Member's primary
// authentication, the step before the SMS. It has an intermediate session token and
// MFARequired if the Member needs MFA, and a session otherwise.
type PrimaryAuthentication struct {
	StatusCode     int                    `json:"status_code"`
	RequestID      string                 `json:"request_id"`
	MemberID       string                 `json:"member_id"`
	OrganizationID string                 `json:"organization_id"`
	Member         stytchb2b.Member       `json:"member"`
	Organization   stytchb2b.Organization `json:"organization"`

	// MemberAuthenticated reports whether the Member is logged in, without MFA.
	MemberAuthenticated bool `json:"member_authenticated"`
	// MFARequired is nil if MFA is not required.
	MFARequired *MFARequired `json:"mfa_required"`
	// IntermediateSessionToken is for the call that completes MFA. It lasts ten
	// minutes, and is empty if MFA is not required.
	IntermediateSessionToken string `json:"intermediate_session_token"`

	// SessionToken, SessionJWT and MemberSession are empty if MFA is required.
	SessionToken  string                   `json:"session_token"`
	SessionJWT    string                   `json:"session_jwt"`
	MemberSession *stytchb2b.MemberSession `json:"member_session"`

	body []byte
}

// RawJSON returns the body of the answer, including fields that the struct does not
// have.
func (p PrimaryAuthentication) RawJSON() string { return string(p.body) }

// MFARequired says how a Member can complete MFA.
type MFARequired struct {
	MemberOptions MemberOptions `json:"member_options"`
	// SecondaryAuthInitiated is "sms_otp" if Stytch has sent an SMS with a code
	// automatically. Otherwise it is empty.
	SecondaryAuthInitiated string `json:"secondary_auth_initiated"`
}

// MemberOptions are the factors that a Member has for MFA.
type MemberOptions struct {
	// MFAPhoneNumber shows the last four digits of the Member's number, such as
	// "XXXXXXX0106", or is empty.
	MFAPhoneNumber string `json:"mfa_phone_number"`
	// TOTPRegistrationID is empty if the Member has no authenticator app.
	TOTPRegistrationID string `json:"totp_registration_id"`
}

// LogIn performs a primary authentication of a Member, by an email magic link, and
// returns Stytch's answer. A pending or invited Member becomes active.
//
// If the Member needs MFA and can get an SMS, Stytch sends a code automatically: the
// Server records the SMS with Automatic set, and the login needs no Send. For a Member
// without a phone number, it needs a Send with MFAPhoneNumber.
//
// The error is a [*stytchb2b.APIError] if the Member is unknown, deleted or locked.
func (s *Server) LogIn(memberID string) (PrimaryAuthentication, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	member := s.state.memberByID(memberID)
	var o object
	err := fail(404, "member_not_found", "Member could not be found.")
	if member != nil && member.Status != "deleted" {
		if err = member.checkLock(s.state.now()); err == nil {
			o, err = s.logIn(s.state.organization(member.OrganizationID), member, linkFactor, nil, sessionOptions{}, "")
		}
	}
	if err != nil {
		return PrimaryAuthentication{}, &stytchb2b.APIError{
			StatusCode: err.status, RequestID: requestID(), ErrorType: stytchb2b.ErrorType(err.errorType), ErrorMessage: err.message, ErrorURL: err.url(),
		}
	}
	login := PrimaryAuthentication{body: newAnswer(http.StatusOK, o).body}
	_ = json.Unmarshal(login.body, &login) // It is our own JSON.
	return login, nil
}

// authenticatePassword is POST /v1/b2b/passwords/authenticate. s.mu is held.
func (s *Server) authenticatePassword(body []byte) (object, *apiError) {
	var p struct {
		OrganizationID string `json:"organization_id"`
		EmailAddress   string `json:"email_address"`
		Password       string `json:"password"`
		Locale         string `json:"locale"`
		sessionParams
		sessionOptions
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	if err := checkLocale(p.Locale); err != nil {
		return nil, err
	}
	if err := p.sessionOptions.check(); err != nil {
		return nil, err
	}
	org, err := s.state.findOrganization(p.OrganizationID)
	if err != nil {
		return nil, err
	}
	member := s.state.memberByEmail(org, p.EmailAddress)
	switch {
	case p.EmailAddress == "":
		return nil, fail(400, "bad_request", "email_address is required.")
	case p.Password == "":
		return nil, fail(400, "bad_request", "password is required.")
	case member == nil:
		return nil, fail(404, "member_not_found", "Member could not be found.")
	case member.Password == "":
		return nil, fail(404, "member_password_not_found", "Member password not found.")
	}
	sess, err := s.state.findSession(p.sessionParams, member)
	if err != nil {
		return nil, err
	}
	now := s.state.now()
	if err := member.checkLock(now); err != nil {
		return nil, err
	}
	if p.Password != member.Password {
		member.failed(now)
		return nil, fail(401, "unauthorized_credentials", "Unauthorized credentials.")
	}
	return s.logIn(org, member, passwordFactor, sess, p.sessionOptions, p.Locale)
}

// logIn completes a primary authentication whose factor is right. The session is the
// one that the request names, or nil.
func (s *Server) logIn(org *Organization, member *Member, f factor, sess *session, opts sessionOptions, locale string) (object, *apiError) {
	now := s.state.now()
	needsMFA := (org.MFAPolicy == "REQUIRED_FOR_ALL" || member.MFAEnrolled) && (sess == nil || sess.intermediate)
	if !needsMFA {
		full, err := s.state.begin(sess, member, opts)
		if err != nil {
			return nil, err
		}
		full.addFactor(f, now)
		member.unlock()
		member.activate(now)
		o := s.proceed(full, opts, org, member)
		o["member_authenticated"], o["organization_id"], o["intermediate_session_token"] = true, org.OrganizationID, ""
		return o, nil
	}
	if sess == nil {
		sess = s.state.newIntermediateSession(member)
	}
	sess.addFactor(f, now)
	if s.FirstFactorEndsFailures {
		member.unlock()
	}
	required := object{"member_options": MemberOptions{masked(member.MFAPhoneNumber), member.totpRegistrationID()}}
	if s.sendAutomatically(org, member, locale) {
		required["secondary_auth_initiated"] = "sms_otp"
	}
	member.activate(now)
	return object{
		"organization_id":            org.OrganizationID,
		"member_id":                  member.MemberID,
		"organization":               organizationObject(org),
		"member":                     memberObject(member),
		"member_authenticated":       false,
		"intermediate_session_token": sess.token,
		"mfa_required":               required,
		"session_token":              "",
		"session_jwt":                "",
	}, nil
}

func (m *Member) activate(now time.Time) {
	if m.Status != "active" {
		m.Status, m.updated = "active", now
	}
}

// sendAutomatically sends the SMS after a primary authentication, and reports whether
// it did. It sends none to a Member whose default method is an authenticator app.
func (s *Server) sendAutomatically(org *Organization, member *Member, locale string) bool {
	number := member.MFAPhoneNumber
	if number == "" || member.DefaultMFAMethod == "totp" || !s.state.serves(number) {
		return false
	}
	s.deliver(org, member, number, locale, true)
	return true
}
