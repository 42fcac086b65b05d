package stytchtest

import (
	"encoding/json"
	"fmt"
	"io"
)

// Load adds Organizations and Members from JSON:
//
//	{
//	  "organizations": [{"organization_id": "organization-test-1"}],
//	  "members": [{"organization_id": "organization-test-1", "mfa_phone_number": "+12025550123"}]
//	}
//
// with the fields of [Organization] and [Member], and no others. If the JSON is not
// valid, Load returns an error and adds nothing. Any other error is from
// [Server.AddOrganization] or [Server.AddMember] and names the object, such as
// members[3]. The objects before it have been added.
func (s *Server) Load(r io.Reader) error {
	var seed struct {
		Organizations []Organization `json:"organizations"`
		Members       []Member       `json:"members"`
	}
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&seed); err != nil {
		return fmt.Errorf("stytchtest: %w", err)
	}
	for i, o := range seed.Organizations {
		if _, err := s.AddOrganization(o); err != nil {
			return fmt.Errorf("organizations[%d]: %w", i, err)
		}
	}
	for i, m := range seed.Members {
		if _, err := s.AddMember(m); err != nil {
			return fmt.Errorf("members[%d]: %w", i, err)
		}
	}
	return nil
}
