package stytchtest_test

import (
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
	s := stytchtest.NewTestServer(t)
	fake := projectOf(s)
	answers := ask(t, fake)
	for _, c := range driftCalls {
		assert.Contains(t, answers, fmt.Sprintf("%s: %d %s", c.name, c.status, c.errorType))
	}
	assert.Contains(t, answers, "send: member.roles[].role_id is string")
	stytch := projectFromEnv(os.Getenv)
	if stytch == nil {
		t.Log("Stytch was not asked: STYTCH_PROJECT_ID, STYTCH_SECRET, STYTCH_TEST_ORGANIZATION_ID and STYTCH_TEST_MEMBER_ID are not all set.")
		return
	}
	require.True(t, strings.HasPrefix(stytch.values["project_id"], "project-test-"), "STYTCH_PROJECT_ID names no test project; this test calls no live one")
	defer stytch.http.CloseIdleConnections()
	if stytch.values["password"] == "" {
		delete(fake.values, "password")
		answers = ask(t, fake)
	}
	assert.Equal(t, answers, ask(t, stytch), "the fake's answers and Stytch's")
}

// Without a password in the environment, no call costs anything.
func TestDriftWithoutPassword(t *testing.T) {
	t.Parallel()
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
	assert.Contains(t, answers, "jwks: 200 ")
	assert.Subset(t, ask(t, projectOf(stytchtest.NewTestServer(t))), answers)
	assert.Empty(t, s.SMS())
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

// ask makes all calls, one after the other, and describes the answers. Without a
// password, it leaves out those of a login.
func ask(t *testing.T, p *project) (lines []string) {
	values := maps.Clone(p.values)
	for _, c := range driftCalls {
		if c.login && values["password"] == "" {
			continue
		}
		if c.login && values["session_token"] == "" && values["intermediate_session_token"] != "" {
			values["code"] = p.code()
		}
		answer, status := p.do(t, c, values)
		object, _ := answer.(map[string]any)
		errorType, _ := object["error_type"].(string)
		for _, token := range []string{"intermediate_session_token", "session_token", "session_jwt"} {
			if text, _ := object[token].(string); text != "" {
				values[token] = text
			}
		}
		lines = append(lines, fmt.Sprintf("%s: %d %s", c.name, status, errorType))
		for _, line := range slices.Compact(slices.Sorted(slices.Values(types("", answer)))) {
			lines = append(lines, c.name+": "+line)
		}
	}
	return lines
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
	projectID, secret := values["project_id"], values["secret"]
	switch c.as {
	case "nobody":
		projectID, secret = "", ""
	case "another project":
		projectID = "project-test-" + nobody
	case "a wrong secret":
		secret = "secret-test-wrong"
	}
	resp, text, err := exchange(t, p.http, method, p.url+path, cmp.Or(c.contentType, "application/json"), body, projectID, secret)
	require.NoError(t, err, c.name)
	if json.Unmarshal(text, &answer) != nil {
		answer = "not JSON"
	}
	return answer, resp.StatusCode
}

// types returns the types of a value and of what is in it, such as
// "member.roles[].role_id is string".
func types(path string, value any) (lines []string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			lines = append(lines, types(strings.TrimPrefix(path+"."+name, "."), inner)...)
		}
	case []any:
		for _, inner := range value {
			lines = append(lines, types(path+"[]", inner)...)
		}
	}
	return append(lines, fmt.Sprintf("%s is %T", path, value))
}
