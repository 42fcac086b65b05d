// Package drift makes one list of calls to Stytch or to stytchtest's fake, and
// compares what the two answer.
package drift

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// A Project is what calls are made to: a Stytch test project, or a fake.
type Project struct {
	BaseURL, ProjectID, Secret string
	// OrganizationID and MemberID name a Member who is enrolled in MFA and whose
	// phone number costs nothing. EmailAddress and Password are for a login of that
	// Member; without them the calls that need one are left out.
	OrganizationID, MemberID, EmailAddress, Password string
	// Code returns the code of the newest SMS.
	Code func() string
	HTTP *http.Client
}

// An Answer is what a call is answered with, as far as it is compared.
type Answer struct {
	Call      string
	Status    int
	ErrorType string
	// Fields has the JSON type of each field, such as "string", by its path, such
	// as "member.roles[].role_id".
	Fields map[string]string
}

// Run makes all calls, one after the other.
func Run(ctx context.Context, p Project) ([]Answer, error) {
	var answers []Answer
	s := state{Project: p}
	for _, c := range calls {
		if c.login && p.Password == "" {
			continue
		}
		object, status, err := s.do(ctx, c)
		if err != nil {
			return answers, fmt.Errorf("%s: %w", c.name, err)
		}
		a := Answer{Call: c.name, Status: status, Fields: map[string]string{}}
		if fields, ok := object.(map[string]any); ok {
			a.ErrorType, _ = fields["error_type"].(string)
			s.learn(fields)
		}
		describe("", object, a.Fields)
		answers = append(answers, a)
	}
	return answers, nil
}

func (s *state) do(ctx context.Context, c call) (object any, status int, err error) {
	method, contentType := "POST", "application/json"
	if c.method != "" {
		method = c.method
	}
	if c.contentType != "" {
		contentType = c.contentType
	}
	body := []byte(c.text)
	if c.body != nil {
		if body, err = json.Marshal(c.body(s)); err != nil {
			return nil, 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.BaseURL+s.path(c.path), bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", contentType)
	switch c.credentials {
	case none:
	case wrong:
		req.SetBasicAuth(s.ProjectID, "secret-test-wrong")
	default:
		req.SetBasicAuth(s.ProjectID, s.Secret)
	}
	resp, err := s.HTTP.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, 0, err
	}
	if json.Unmarshal(text, &object) != nil {
		object = "not JSON"
	}
	return object, resp.StatusCode, nil
}

// describe notes the types of a value and of what is in it.
func describe(path string, value any, fields map[string]string) {
	switch value := value.(type) {
	case map[string]any:
		fields[path] = "object"
		if path != "" {
			path += "."
		}
		for name, inner := range value {
			describe(path+name, inner, fields)
		}
	case []any:
		fields[path] = "array"
		for _, inner := range value {
			describe(path+"[]", inner, fields)
		}
	case string:
		fields[path] = "string"
	case float64:
		fields[path] = "number"
	case bool:
		fields[path] = "boolean"
	default:
		fields[path] = "null"
	}
}

// Diff returns a line for each status, error type and field in which the answers
// of Stytch differ from those of the fake.
func Diff(fake, stytch []Answer) (lines []string) {
	ofStytch := map[string]Answer{}
	for _, a := range stytch {
		ofStytch[a.Call] = a
	}
	for _, f := range fake {
		s, ok := ofStytch[f.Call]
		if !ok {
			continue
		}
		if f.Status != s.Status || f.ErrorType != s.ErrorType {
			lines = append(lines, fmt.Sprintf("%s: Stytch answers %d %s, the fake %d %s", f.Call, s.Status, s.ErrorType, f.Status, f.ErrorType))
			continue // The rest follows from that.
		}
		all := maps.Clone(f.Fields)
		maps.Copy(all, s.Fields)
		for _, path := range slices.Sorted(maps.Keys(all)) {
			if in, of := s.Fields[path], f.Fields[path]; in != of {
				lines = append(lines, fmt.Sprintf("%s: %s is %s in Stytch's answer, %s in the fake's", f.Call, path, orAbsent(in), orAbsent(of)))
			}
		}
	}
	return lines
}

func orAbsent(kind string) string {
	if kind == "" {
		return "absent"
	}
	return kind
}
