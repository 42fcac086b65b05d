package stytchtest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// send is POST /v1/b2b/otps/sms/send. s.mu is held.
func (s *Server) send(body []byte) (object, *apiError) {
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
	if err := checkLocale(p.Locale); err != nil {
		return nil, err
	}
	org, member, _, err := s.state.find(p.OrganizationID, p.MemberID, p.sessionParams)
	if err != nil {
		return nil, err
	}
	number, err := s.state.numberFor(org, member, p.MFAPhoneNumber)
	if err != nil {
		return nil, err
	}
	if !s.state.serves(number) {
		return nil, fail(400, "invalid_phone_number_country_code", "The phone number's country code is invalid, unsupported, or disabled.")
	}
	s.deliver(org, member, number, p.Locale, false)
	return object{"member_id": member.MemberID, "member": memberObject(member), "organization": organizationObject(org)}, nil
}

// locales are those of Stytch's clients, as the API spells them.
var locales = strings.Fields("en es fr pt-br it de-DE zh-Hans ca-ES ja ru nl pl tr fa vi cs")

func checkLocale(locale string) *apiError {
	if locale != "" && !slices.Contains(locales, locale) {
		return fail(400, "invalid_locale", "The locale is not supported.")
	}
	return nil
}

// serves reports whether SMS go to the number's country.
func (s *state) serves(number string) bool { return slices.Contains(s.allowed, countryOf(number)) }

// deliver sends a Member an SMS with a new code.
func (s *Server) deliver(org *Organization, member *Member, number, locale string, automatic bool) {
	now := s.state.now()
	if member.MFAPhoneNumber != number {
		member.MFAPhoneNumber, member.updated = number, now
	}
	code := code{text: newCode(), expires: now.Add(codeLifetime)}
	s.state.codes[member.MemberID] = code
	sms := SMS{
		To:             number,
		Locale:         cmp.Or(locale, "en"),
		Code:           code.text,
		OrganizationID: org.OrganizationID,
		MemberID:       member.MemberID,
		Text:           fmt.Sprintf("%s: your verification code is %s.", org.Name, code.text),
		Automatic:      automatic,
		At:             now,
	}
	s.log.addSMS(sms)
	s.logf("SMS to %s: %s", sms.To, sms.Text)
}

// find makes the checks that both calls for SMS share, and returns what they need. The
// session is nil if the request names none.
func (s *state) find(organizationID, memberID string, p sessionParams) (org *Organization, member *Member, sess *session, err *apiError) {
	if org, err = s.findOrganization(organizationID); err != nil {
		return nil, nil, nil, err
	}
	member = s.member(org, memberID)
	switch {
	case memberID == "":
		err = fail(400, "bad_request", "member_id is required.")
	case member == nil || member.Status == "deleted":
		err = fail(404, "member_not_found", "Member could not be found.")
	case member.Status != "active":
		err = fail(400, "action_available_only_for_active_members", "You may not attach an MFA factor to a member that is not active.")
	default:
		if sess, err = s.findSession(p, member); err == nil {
			err = member.checkLock(s.now())
		}
	}
	return org, member, sess, err
}

func (s *state) findOrganization(name string) (*Organization, *apiError) {
	if name == "" {
		return nil, fail(400, "invalid_organization_id", "organization_id format is invalid.")
	}
	if org := s.organization(name); org != nil {
		return org, nil
	}
	return nil, fail(404, "organization_not_found", "Organization could not be found.")
}

// numberFor returns the number to send to. If the Member has none, it links the given
// number to the Member.
func (s *state) numberFor(org *Organization, member *Member, given string) (string, *apiError) {
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
		if other.OrganizationID == org.OrganizationID && other.MFAPhoneNumber == given {
			return "", fail(400, "duplicate_member_phone_number", "Another Member of the Organization has this phone number.")
		}
	}
	if member.TOTP {
		return "", fail(403, "session_authorization_error", "A session with the Member's active MFA factor is required to add another one.")
	}
	return given, nil
}

// newCode makes a code. It is never 000000, which tests can enter as a wrong one.
func newCode() string {
	return fmt.Sprintf("%06d", 1+rand.N(999_999))
}
