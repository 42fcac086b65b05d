package stytchtest

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// send is POST /v1/b2b/otps/sms/send. s.mu is held.
func (s *Server) send(body []byte, requestID string) (any, error) {
	var p struct {
		OrganizationID string `json:"organization_id"`
		MemberID       string `json:"member_id"`
		MFAPhoneNumber string `json:"mfa_phone_number"`
		Locale         string `json:"locale"`
		sessionParams
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	text, ok := texts[p.Locale]
	if !ok {
		return nil, fail(400, "invalid_locale", "The locale is not supported.")
	}
	org, member, sess, err := s.state.find(p.OrganizationID, p.MemberID, p.sessionParams)
	if err != nil {
		return nil, err
	}
	number, err := s.state.numberFor(org, member, p.MFAPhoneNumber, sess)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.state.allowed, countryOf(number)) {
		return nil, fail(400, "invalid_phone_number_country_code", "The phone number's country is not on the project's allowlist.")
	}
	now := s.state.now()
	if wait := s.state.limit.wait(number, now); wait > 0 {
		e := fail(429, "too_many_requests", "Too many requests have been made.")
		e.retryAfter = int((wait + time.Second - 1) / time.Second)
		return nil, e
	}

	s.state.limit.add(number, now)
	member.MFAPhoneNumber = number
	code := code{text: newCode(), expires: now.Add(codeLifetime)}
	s.state.codes[member.MemberID] = code
	if p.Locale == "" {
		p.Locale = "en"
	}
	s.log.addSMS(SMS{
		To:             number,
		Locale:         p.Locale,
		Code:           code.text,
		OrganizationID: org.OrganizationID,
		MemberID:       member.MemberID,
		Text:           fmt.Sprintf(text, org.Name, code.text),
		At:             now,
	})
	return sendObject{
		StatusCode:   200,
		RequestID:    requestID,
		MemberID:     member.MemberID,
		Member:       newMemberObject(member),
		Organization: newOrganizationObject(org),
	}, nil
}

// sessionParams are the three ways to name a session.
type sessionParams struct {
	IntermediateSessionToken string `json:"intermediate_session_token"`
	SessionToken             string `json:"session_token"`
	SessionJWT               string `json:"session_jwt"`
}

// find returns what both endpoints need and check alike. The session is nil
// where none is named.
func (s *state) find(organizationID, memberID string, p sessionParams) (*Organization, *Member, *session, error) {
	none := func(e *apiError) (*Organization, *Member, *session, error) { return nil, nil, nil, e }
	if organizationID == "" {
		return none(fail(400, "invalid_organization_id", "organization_id format is invalid."))
	}
	if memberID == "" {
		return none(fail(400, "bad_request", "member_id is required."))
	}
	named := 0
	for _, t := range []string{p.IntermediateSessionToken, p.SessionToken, p.SessionJWT} {
		if t != "" {
			named++
		}
	}
	if named > 1 {
		return none(fail(400, "too_many_session_arguments", "Only one session argument may be provided."))
	}
	org := s.organization(organizationID)
	switch {
	case org == nil:
		return none(fail(404, "organization_not_found", "Organization could not be found."))
	case org.Suspended:
		return none(fail(403, "organization_suspended", "The Organization is suspended."))
	}
	member := s.member(org, memberID)
	switch {
	case member == nil:
		return none(fail(404, "member_not_found", "Member could not be found."))
	case member.Status != "active":
		return none(fail(400, "action_available_only_for_active_members", "You may not attach an MFA factor to a member that is not active."))
	case len(org.AllowedMFAMethods) > 0 && !slices.Contains(org.AllowedMFAMethods, "sms_otp"):
		return none(fail(400, "operation_restricted_by_organization_mfa_methods", "The Organization does not allow this MFA method."))
	}
	sess := s.sessions.find(p, s.now())
	switch {
	case sess == nil && p.IntermediateSessionToken != "":
		return none(fail(404, "intermediate_session_not_found", "Intermediate session could not be found."))
	case sess == nil && named > 0:
		return none(fail(404, "session_not_found", "Session could not be found."))
	case sess != nil && sess.memberID != member.MemberID:
		return none(fail(403, "session_authorization_error", "The session is not one of this Member."))
	}
	return org, member, sess, nil
}

// numberFor returns the number to send to: the Member's own, or for a Member
// without one the number given, which is linked.
func (s *state) numberFor(org *Organization, member *Member, given string, sess *session) (string, error) {
	if given != "" && !isE164(given) {
		return "", fail(400, "invalid_phone_number", "The phone number is invalid. It must be in E.164 format.")
	}
	if member.MFAPhoneNumber != "" {
		if given != "" && given != member.MFAPhoneNumber {
			return "", fail(400, "duplicate_member_phone_number_for_member", "The Member already has another phone number.")
		}
		return member.MFAPhoneNumber, nil
	}
	if given == "" {
		return "", fail(400, "missing_sms_parameter", "The Member has no phone number, and none was provided.")
	}
	for _, other := range s.members {
		if other.OrganizationID == org.OrganizationID && other.MFAPhoneNumber == given && other.Status != "deleted" {
			return "", fail(400, "duplicate_member_phone_number", "Another Member of the Organization has this phone number.")
		}
	}
	if member.TOTP && (sess == nil || !sess.has(totpFactor)) {
		return "", fail(403, "session_authorization_error", "A session with the Member's active MFA factor is required to add another one.")
	}
	return given, nil
}

func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic("stytchtest: " + err.Error())
	}
	return fmt.Sprintf("%06d", n)
}
