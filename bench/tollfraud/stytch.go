package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// stytch answers the two calls from memory, in the simulation's own time. Two
// things make it kinder to an attacker than Stytch is: it has no limits of its
// own, and lets Members of an Organization share a number.
type stytch struct {
	now           func() time.Time
	organizations map[string]*organization // by ID and by slug
	serial        int                      // of IDs
	sent          func(*member)            // hears of each SMS
}

type organization struct {
	id, slug string
	members  map[string]*member // by ID and by external ID
	aliases  bool               // the product names it by slug, and its Members by external ID
	numbers  bool               // the product names its Members' numbers in every Send
	home     place              // where its people are
	block    string             // what its phones have in common; "" for a company that has bought none
}

type member struct {
	organization   *organization
	id, externalID string
	number         string
	verified       bool
	attacker       bool // a Member that an attacker has made
	code           string
	expires        time.Time
}

const (
	codeLifetime = 2 * time.Minute
	token        = "token-of-an-intermediate-session"
)

func newStytch(now func() time.Time) *stytch {
	return &stytch{now: now, organizations: map[string]*organization{}, sent: func(*member) {}}
}

func (s *stytch) newOrganization() *organization {
	s.serial++
	o := &organization{
		id:      fmt.Sprintf("organization-test-%08d", s.serial),
		slug:    fmt.Sprintf("slug-%d", s.serial),
		members: map[string]*member{},
	}
	s.organizations[o.id], s.organizations[o.slug] = o, o
	return o
}

func (s *stytch) newMember(o *organization, number string, verified bool) *member {
	s.serial++
	m := &member{
		organization: o,
		id:           fmt.Sprintf("member-test-%08d", s.serial),
		externalID:   fmt.Sprintf("employee-%d", s.serial),
		number:       number,
		verified:     verified,
	}
	o.members[m.id], o.members[m.externalID] = m, m
	return m
}

// names are the IDs that the product gives in its calls.
func (m *member) names() (organizationID, memberID string) {
	if m.organization.aliases {
		return m.organization.slug, m.externalID
	}
	return m.organization.id, m.id
}

// text sends the Member an SMS.
func (s *stytch) text(m *member) {
	s.serial++
	m.code, m.expires = fmt.Sprintf("%06d", s.serial%1_000_000), s.now().Add(codeLifetime)
	s.sent(m)
}

type request struct {
	OrganizationID string `json:"organization_id"`
	MemberID       string `json:"member_id"`
	MFAPhoneNumber string `json:"mfa_phone_number"`
	Code           string `json:"code"`
}

// RoundTrip implements [http.RoundTripper].
func (s *stytch) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	status, answer := s.answer(strings.HasSuffix(req.URL.Path, "/authenticate"), r)
	return &http.Response{
		StatusCode:    status,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(answer)),
		ContentLength: int64(len(answer)),
		Request:       req,
	}, nil
}

func (s *stytch) answer(authenticate bool, r request) (int, []byte) {
	o := s.organizations[r.OrganizationID]
	if o == nil {
		return refuse(404, "organization_not_found")
	}
	m := o.members[r.MemberID]
	if m == nil {
		return refuse(404, "member_not_found")
	}
	if !authenticate {
		switch {
		case m.number == "" && r.MFAPhoneNumber == "":
			return refuse(400, "missing_sms_parameter")
		case m.number == "":
			m.number = r.MFAPhoneNumber
		case r.MFAPhoneNumber != "" && r.MFAPhoneNumber != m.number:
			return refuse(400, "duplicate_member_phone_number_for_member")
		}
		s.text(m)
		return success(m, "")
	}
	switch {
	case m.code == "" || m.code != r.Code:
		return refuse(404, "otp_code_not_found")
	case !s.now().Before(m.expires):
		return refuse(401, "unable_to_auth_otp_code")
	}
	m.code, m.verified = "", true
	return success(m, `,"session_token":"t","session_jwt":"j","member_session":{"member_session_id":"session-test-1"}`)
}

func success(m *member, more string) (int, []byte) {
	o := m.organization
	return 200, fmt.Appendf(nil, `{"status_code":200,"request_id":"request-id-test-1","member_id":%q,`+
		`"member":{"organization_id":%q,"member_id":%q,"external_id":%q,"status":"active","mfa_phone_number":%q,"mfa_phone_number_verified":%t},`+
		`"organization":{"organization_id":%q,"organization_slug":%q,"mfa_policy":"REQUIRED_FOR_ALL"}%s}`,
		m.id, o.id, m.id, m.externalID, m.number, m.verified, o.id, o.slug, more)
}

func refuse(status int, errorType string) (int, []byte) {
	return status, fmt.Appendf(nil, `{"status_code":%d,"request_id":"request-id-test-1","error_type":%q,"error_message":"","error_url":""}`, status, errorType)
}
