package drift

import (
	"cmp"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/internal/leaktest"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func projectOf(s *stytchtest.Server) Project {
	m, _ := s.Member(s.MemberID)
	return Project{
		BaseURL: s.URL, ProjectID: s.ProjectID, Secret: s.Secret,
		OrganizationID: s.OrganizationID, MemberID: s.MemberID, EmailAddress: m.EmailAddress, Password: m.Password,
		Code: func() string { sms := s.SMS(); return sms[len(sms)-1].Code },
		HTTP: s.HTTPClient(),
	}
}

func runFake(t *testing.T) []Answer {
	s := stytchtest.NewServer()
	defer s.Close()
	answers, err := Run(t.Context(), projectOf(s))
	require.NoError(t, err)
	return answers
}

// TestDrift makes the calls to the fake, and to Stytch if a test project is in
// the environment: CONTRIBUTING.md says how.
func TestDrift(t *testing.T) {
	fake := runFake(t)
	require.Len(t, fake, len(calls))
	for i, c := range calls {
		assert.Equal(t, c.status, fake[i].Status, c.name)
		assert.Equal(t, c.errorType, fake[i].ErrorType, c.name)
	}

	project := fromEnv(os.Getenv)
	if project == nil {
		t.Log("Stytch was not asked: STYTCH_PROJECT_ID, STYTCH_SECRET, STYTCH_TEST_ORGANIZATION_ID and STYTCH_TEST_MEMBER_ID are not all set.")
		return
	}
	if !strings.HasPrefix(project.ProjectID, "project-test-") {
		t.Fatal("STYTCH_PROJECT_ID is not one of a test project: this test asks no live one")
	}
	defer project.HTTP.CloseIdleConnections()
	stytch, err := Run(t.Context(), *project)
	require.NoError(t, err)
	t.Logf("Stytch answered %d of %d calls.", len(stytch), len(fake))
	for _, line := range Diff(fake, stytch) {
		t.Error(line)
	}
}

// fromEnv returns Stytch's test project, or nil if the environment has none.
func fromEnv(getenv func(string) string) *Project {
	p := &Project{
		BaseURL:        cmp.Or(getenv("STYTCH_TEST_BASE_URL"), "https://test.stytch.com"),
		ProjectID:      getenv("STYTCH_PROJECT_ID"),
		Secret:         getenv("STYTCH_SECRET"),
		OrganizationID: getenv("STYTCH_TEST_ORGANIZATION_ID"),
		MemberID:       getenv("STYTCH_TEST_MEMBER_ID"),
		EmailAddress:   getenv("STYTCH_TEST_EMAIL_ADDRESS"),
		Password:       getenv("STYTCH_TEST_PASSWORD"),
		Code:           func() string { return cmp.Or(getenv("STYTCH_TEST_CODE"), "000000") },
		HTTP:           &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}},
	}
	if p.ProjectID == "" || p.Secret == "" || p.OrganizationID == "" || p.MemberID == "" {
		return nil
	}
	return p
}

// A difference in a status, a type or a field is found.
func TestDiff(t *testing.T) {
	t.Parallel()
	fake := runFake(t)
	assert.Empty(t, Diff(fake, runFake(t)))

	s := stytchtest.NewServer()
	defer s.Close()
	s.FailAlways(stytchtest.Fault{StatusCode: 503, MemberID: s.MemberID})
	down, err := Run(t.Context(), projectOf(s))
	require.NoError(t, err)
	assert.Contains(t, Diff(fake, down), "send: Stytch answers 503 server_unavailable, the fake 200 ")

	s.Recover()
	s.FailAlways(stytchtest.Fault{StatusCode: 200, Body: `{"status_code":"200","new":[{"a":null}]}`})
	odd, err := Run(t.Context(), projectOf(s))
	require.NoError(t, err)
	lines := Diff(fake, odd)
	assert.Contains(t, lines, "send: status_code is string in Stytch's answer, number in the fake's")
	assert.Contains(t, lines, "send: new[].a is null in Stytch's answer, absent in the fake's")
	assert.Contains(t, lines, "send: member.roles[].role_id is absent in Stytch's answer, string in the fake's")
	assert.Contains(t, lines, "no body: Stytch answers 200 , the fake 400 bad_request")

	s.Recover()
	s.Fail(stytchtest.GatewayHTML(502), stytchtest.Fault{Reset: true})
	_, err = Run(t.Context(), projectOf(s))
	assert.ErrorContains(t, err, "a wrong secret: ")
}

// The environment of another fake, in place of Stytch's.
func TestFromEnv(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	m, _ := s.Member(s.MemberID)
	env := map[string]string{
		"STYTCH_TEST_BASE_URL": s.URL, "STYTCH_PROJECT_ID": s.ProjectID, "STYTCH_SECRET": s.Secret,
		"STYTCH_TEST_ORGANIZATION_ID": s.OrganizationID,
	}
	assert.Nil(t, fromEnv(func(name string) string { return env[name] }))
	env["STYTCH_TEST_MEMBER_ID"] = s.MemberID
	fake := runFake(t)

	// Without a password, only what costs nothing is asked for.
	p := fromEnv(func(name string) string { return env[name] })
	require.NotNil(t, p)
	defer p.HTTP.CloseIdleConnections()
	answers, err := Run(t.Context(), *p)
	require.NoError(t, err)
	assert.Less(t, len(answers), len(fake))
	assert.Empty(t, Diff(fake, answers))
	assert.Empty(t, s.SMS())

	// With the code of another SMS, the login fails.
	env["STYTCH_TEST_EMAIL_ADDRESS"], env["STYTCH_TEST_PASSWORD"] = m.EmailAddress, m.Password
	p = fromEnv(func(name string) string { return env[name] })
	answers, err = Run(t.Context(), *p)
	require.NoError(t, err)
	assert.Len(t, answers, len(fake))
	assert.Contains(t, Diff(fake, answers), "authenticate: Stytch answers 404 otp_code_not_found, the fake 200 ")
	p.HTTP.CloseIdleConnections()
}
