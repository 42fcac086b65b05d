package stytchtest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// A project is what driftCalls are made to: a Stytch test project, or a fake.
type project struct {
	url    string
	values map[string]string // project_id, secret, organization_id, member_id, email_address, password
	code   func() string     // of the newest SMS
	http   *http.Client
}

// TestDrift makes one list of calls to the fake, and to Stytch if a test project is
// in the environment, and compares the answers. CONTRIBUTING.md says how.
func TestDrift(t *testing.T) {
	t.Parallel()
	fake := askFake(t)
	for i, c := range driftCalls {
		assert.Equal(t, c.name, fake[i].call)
		assert.Equal(t, c.status, fake[i].status, c.name)
		assert.Equal(t, c.errorType, fake[i].errorType, c.name)
	}
	stytch := projectFromEnv(os.Getenv)
	if stytch == nil {
		t.Log("Stytch was not asked: STYTCH_PROJECT_ID, STYTCH_SECRET, STYTCH_TEST_ORGANIZATION_ID and STYTCH_TEST_MEMBER_ID are not all set.")
		return
	}
	require.True(t, strings.HasPrefix(stytch.values["project_id"], "project-test-"), "STYTCH_PROJECT_ID names no test project; this test calls no live one")
	defer stytch.http.CloseIdleConnections()
	answers := ask(t, stytch)
	t.Logf("Stytch answered %d of %d calls.", len(answers), len(fake))
	for _, line := range drift(fake, answers) {
		t.Error(line)
	}
}

func projectOf(s *stytchtest.Server) *project {
	m, _ := s.Member(s.MemberID)
	return &project{
		url: s.URL,
		values: map[string]string{
			"project_id": s.ProjectID, "secret": s.Secret, "organization_id": s.OrganizationID, "member_id": s.MemberID,
			"email_address": m.EmailAddress, "password": m.Password,
		},
		code: func() string { return newest(s).Code },
		http: s.HTTPClient(),
	}
}

// projectFromEnv returns Stytch's test project, or nil if the environment has none.
func projectFromEnv(getenv func(string) string) *project {
	p := &project{
		url: cmp.Or(getenv("STYTCH_TEST_BASE_URL"), "https://test.stytch.com"),
		values: map[string]string{
			"project_id": getenv("STYTCH_PROJECT_ID"), "secret": getenv("STYTCH_SECRET"),
			"organization_id": getenv("STYTCH_TEST_ORGANIZATION_ID"), "member_id": getenv("STYTCH_TEST_MEMBER_ID"),
			"email_address": getenv("STYTCH_TEST_EMAIL_ADDRESS"), "password": getenv("STYTCH_TEST_PASSWORD"),
		},
		code: func() string { return cmp.Or(getenv("STYTCH_TEST_CODE"), "000000") },
		http: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}},
	}
	for _, needed := range []string{"project_id", "secret", "organization_id", "member_id"} {
		if p.values[needed] == "" {
			return nil
		}
	}
	return p
}

// An outcome is the part of an answer that is compared.
type outcome struct {
	call      string
	status    int
	errorType string
	types     map[string]string // JSON types by path, such as "member.roles[].role_id"
}

func askFake(t *testing.T) []outcome {
	s := stytchtest.NewServer()
	defer s.Close()
	return ask(t, projectOf(s))
}

// ask makes all calls, one after the other. Without a password, it leaves out those
// of a login.
func ask(t *testing.T, p *project) (outcomes []outcome) {
	values := maps.Clone(p.values)
	for _, c := range driftCalls {
		if c.login && p.values["password"] == "" {
			continue
		}
		if c.login && values["session_token"] == "" && values["intermediate_session_token"] != "" {
			values["code"] = p.code()
		}
		answer, status := p.do(t, c, values)
		o := outcome{call: c.name, status: status, types: map[string]string{}}
		if object, ok := answer.(map[string]any); ok {
			o.errorType, _ = object["error_type"].(string)
			for _, token := range []string{"intermediate_session_token", "session_token", "session_jwt"} {
				if text, _ := object[token].(string); text != "" {
					values[token] = text
				}
			}
		}
		describe("", answer, o.types)
		outcomes = append(outcomes, o)
	}
	return outcomes
}

func (p *project) do(t *testing.T, c driftCall, values map[string]string) (answer any, status int) {
	var body []byte
	var err error
	switch b := c.body.(type) {
	case string:
		body = []byte(b)
	case fields:
		filled := maps.Clone(b)
		for name, value := range b {
			if text, ok := value.(string); ok && strings.HasPrefix(text, "{") {
				filled[name] = values[strings.Trim(text, "{}")]
			}
		}
		body, err = json.Marshal(filled)
		require.NoError(t, err)
	}
	method, path := http.MethodPost, c.path
	if get, ok := strings.CutPrefix(path, "GET "); ok {
		method, path = http.MethodGet, strings.ReplaceAll(get, "{project_id}", values["project_id"])
	}
	req, err := http.NewRequestWithContext(limited(t), method, p.url+path, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", cmp.Or(c.contentType, "application/json"))
	switch c.as {
	case "":
		req.SetBasicAuth(values["project_id"], values["secret"])
	case "another project":
		req.SetBasicAuth("project-test-"+nobody, values["secret"])
	case "a wrong secret":
		req.SetBasicAuth(values["project_id"], "secret-test-wrong")
	}
	resp, err := p.http.Do(req)
	require.NoError(t, err, c.name)
	defer resp.Body.Close()
	if json.NewDecoder(resp.Body).Decode(&answer) != nil {
		answer = "not JSON"
	}
	return answer, resp.StatusCode
}

// describe notes the types of a value and of what is in it.
func describe(path string, value any, types map[string]string) {
	switch value := value.(type) {
	case map[string]any:
		types[path] = "object"
		for name, inner := range value {
			describe(strings.TrimPrefix(path+"."+name, "."), inner, types)
		}
	case []any:
		types[path] = "array"
		for _, inner := range value {
			describe(path+"[]", inner, types)
		}
	default:
		types[path] = fmt.Sprintf("%T", value)
	}
}

// drift returns a line for each status, error type and field in which the answers
// of Stytch differ from those of the fake.
func drift(fake, stytch []outcome) (lines []string) {
	for _, f := range fake {
		i := slices.IndexFunc(stytch, func(s outcome) bool { return s.call == f.call })
		if i < 0 {
			continue
		}
		s := stytch[i]
		if f.status != s.status || f.errorType != s.errorType {
			lines = append(lines, fmt.Sprintf("%s: Stytch answers %d %s, the fake %d %s", f.call, s.status, s.errorType, f.status, f.errorType))
			continue // The rest follows from that.
		}
		all := maps.Clone(f.types)
		maps.Copy(all, s.types)
		for _, path := range slices.Sorted(maps.Keys(all)) {
			if theirs, ours := cmp.Or(s.types[path], "absent"), cmp.Or(f.types[path], "absent"); theirs != ours {
				lines = append(lines, fmt.Sprintf("%s: %s is %s in Stytch's answer, %s in the fake's", f.call, path, theirs, ours))
			}
		}
	}
	return lines
}

// A difference in a status, a type or a field is found, in a project that is named
// by the environment. Without a password, no call costs anything.
func TestDriftIsFound(t *testing.T) {
	t.Parallel()
	fake := askFake(t)
	s := stytchtest.NewServer()
	defer s.Close()
	env := map[string]string{
		"STYTCH_TEST_BASE_URL": s.URL, "STYTCH_PROJECT_ID": s.ProjectID, "STYTCH_SECRET": s.Secret, "STYTCH_TEST_ORGANIZATION_ID": s.OrganizationID,
	}
	getenv := func(name string) string { return env[name] }
	assert.Nil(t, projectFromEnv(getenv))
	env["STYTCH_TEST_MEMBER_ID"] = s.MemberID
	stytch := projectFromEnv(getenv)
	require.NotNil(t, stytch)
	defer stytch.http.CloseIdleConnections()
	answers := ask(t, stytch)
	assert.Less(t, len(answers), len(fake))
	assert.Empty(t, drift(fake, answers))
	assert.Empty(t, s.SMS())

	s.FailAlways(stytchtest.Fault{StatusCode: 200, Body: `{"status_code":"200","new":[{"a":null}]}`})
	assert.Subset(t, drift(fake, ask(t, projectOf(s))), []string{
		"send: status_code is string in Stytch's answer, float64 in the fake's",
		"send: new[].a is <nil> in Stytch's answer, absent in the fake's",
		"send: member.roles[].role_id is absent in Stytch's answer, string in the fake's",
		"no body: Stytch answers 200 , the fake 400 bad_request",
	})
}
