package stytchtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
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
// with the fields of [Organization] and [Member], and no others. It is an error if
// the text is not such JSON, and nothing is added then. Any other error is one of
// AddOrganization or AddMember, and names the object, such as members[3]; what
// comes before it has been added.
func (s *Server) Load(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("stytchtest: %w", err)
	}
	var seed struct {
		Organizations []Organization `json:"organizations"`
		Members       []Member       `json:"members"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err = d.Decode(&seed); err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more than one JSON value")
		}
	}
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	line := func(offset int64) int { return 1 + bytes.Count(text[:offset], []byte("\n")) }
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("stytchtest: line %d: %w", line(syntax.Offset), err)
	case errors.As(err, &wrongType):
		return fmt.Errorf("stytchtest: line %d: %s must not be a JSON %s", line(wrongType.Offset), cmp.Or(wrongType.Field, "the text"), wrongType.Value)
	case err != nil:
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
