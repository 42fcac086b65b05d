package stytchtest

import (
	"bytes"
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
// with the fields of [Organization] and [Member]. An error names its
// line; what comes before that line may have been added.
func (s *Server) Load(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("stytchtest: %w", err)
	}
	var whole any
	if err := json.Unmarshal(text, &whole); err != nil {
		offset := int64(len(text))
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			offset = syntax.Offset
		}
		return atLine(text, offset, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if t, _ := d.Token(); t != json.Delim('{') {
		return atLine(text, 0, errors.New("must be a JSON object"))
	}
	// Members wait until all Organizations are there, wherever they stand.
	var addMembers []func() error
	for d.More() {
		key, _ := d.Token()
		var one func(offset int64) error
		switch key {
		case "organizations":
			one = func(offset int64) error {
				var o Organization
				if err := d.Decode(&o); err != nil {
					return atLine(text, offset, err)
				}
				_, err := s.AddOrganization(o)
				return atLine(text, offset, err)
			}
		case "members":
			one = func(offset int64) error {
				var m Member
				if err := d.Decode(&m); err != nil {
					return atLine(text, offset, err)
				}
				addMembers = append(addMembers, func() error {
					_, err := s.AddMember(m)
					return atLine(text, offset, err)
				})
				return nil
			}
		default:
			return atLine(text, d.InputOffset(), fmt.Errorf("unknown key %q, not organizations or members", key))
		}
		if t, _ := d.Token(); t != json.Delim('[') {
			return atLine(text, d.InputOffset(), fmt.Errorf("%s must be an array", key))
		}
		for d.More() { // It skips to the next value.
			if err := one(d.InputOffset()); err != nil {
				return err
			}
		}
		_, _ = d.Token() // the end of the array
	}
	for _, add := range addMembers {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// atLine says where in text an error is, if it is one.
func atLine(text []byte, offset int64, err error) error {
	if err == nil {
		return nil
	}
	before := text[:min(int(offset), len(text))]
	// What is at fault begins behind the white space and the comma here.
	rest := text[len(before):]
	before = text[:len(text)-len(bytes.TrimLeft(rest, " \t\r\n,"))]
	return fmt.Errorf("line %d: %w", 1+bytes.Count(before, []byte("\n")), err)
}
