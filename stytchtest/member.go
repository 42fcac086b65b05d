package stytchtest

import (
	"net/http"
	"strings"
)

// memberEndpoint returns the endpoint of a request that gets a Member or deletes
// their phone number; nil if it is another request.
func (s *Server) memberEndpoint(r *http.Request) func([]byte) (object, *apiError) {
	organizationID, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/b2b/organizations/"), "/")
	memberID, ofNumber := strings.CutPrefix(rest, "members/mfa_phone_numbers/")
	switch {
	case r.Method == http.MethodGet && rest == "member":
		memberID = r.URL.Query().Get("member_id")
	case r.Method != http.MethodDelete || !ofNumber:
		return nil
	}
	return func([]byte) (object, *apiError) {
		org, err := s.state.findOrganization(organizationID)
		if err != nil {
			return nil, err
		}
		member := s.state.member(org, memberID)
		if member == nil {
			return nil, fail(404, "member_not_found", "Member could not be found.")
		}
		if ofNumber {
			member.MFAPhoneNumber, member.MFAPhoneNumberVerified, member.updated = "", false, s.state.now()
			delete(s.state.codes, member.MemberID) // Assumed: the code went to that number.
		}
		return object{"member_id": member.MemberID, "member": memberObject(member), "organization": organizationObject(org)}, nil
	}
}
