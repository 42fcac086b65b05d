package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/drift"
	"github.com/eb715825/stytchb2b/internal/leaktest"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// load reads the document, and makes it strict: an object has no field but those
// that the document names.
func load(t *testing.T) routers.Router {
	name := os.Getenv("STYTCH_OPENAPI")
	if name == "" {
		t.Skip("skipped: the environment variable STYTCH_OPENAPI does not name Stytch's OpenAPI document")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(name)
	require.NoError(t, err)
	for _, schema := range doc.Components.Schemas {
		if no := false; len(schema.Value.Properties) > 0 {
			schema.Value.AdditionalProperties.Has = &no
		}
	}
	doc.Servers = nil // The fake's URL is not one of them.
	router, err := gorillamux.NewRouter(doc)
	require.NoError(t, err)
	return router
}

// A checker is a transport that holds each exchange against the document, if its
// path is in it.
type checker struct {
	router   routers.Router
	next     http.RoundTripper
	requests bool // check them, too

	mu       sync.Mutex
	statuses map[string]int // of checked answers, by path and status
	faults   []string
}

func (c *checker) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := []byte{}
	if req.Body != nil {
		sent, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(sent))
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return resp, err
	}
	req.Body = io.NopCloser(bytes.NewReader(sent))
	if route, params, err := c.router.FindRoute(req); err == nil {
		c.check(req, route, params, resp, body)
	}
	return resp, nil
}

func (c *checker) check(req *http.Request, route *routers.Route, params map[string]string, resp *http.Response, body []byte) {
	input := &openapi3filter.RequestValidationInput{Request: req, Route: route, PathParams: params, Options: &openapi3filter.Options{
		AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
			if _, _, ok := in.RequestValidationInput.Request.BasicAuth(); !ok {
				return errors.New("no Basic credentials")
			}
			return nil
		},
	}}
	var err error
	if c.requests {
		err = openapi3filter.ValidateRequest(req.Context(), input)
	}
	if err == nil && resp.StatusCode == http.StatusOK {
		err = openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		})
	} else if err == nil {
		err = checkError(route.Operation, resp.StatusCode, body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.statuses[fmt.Sprint(route.Path, " ", resp.StatusCode)]++
	if err != nil {
		c.faults = append(c.faults, fmt.Sprintf("%s: %d %s: %v", route.Path, resp.StatusCode, body, err))
	}
}

// checkError holds an error against the document's examples of errors, which have
// no schema: it has the same fields, of the same types, and the same words where
// an example is of the same type.
func checkError(op *openapi3.Operation, status int, body []byte) error {
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		return err
	}
	examples := 0
	for code, response := range op.Responses.Map() {
		media := response.Value.Content.Get("application/json")
		if media == nil || media.Example == nil {
			continue
		}
		examples++
		text, _ := json.Marshal(media.Example)
		var example map[string]any
		if err := json.Unmarshal(text, &example); err != nil {
			return err
		}
		if a, b := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(example)); !slices.Equal(a, b) {
			return fmt.Errorf("it has the fields %v, not %v", a, b)
		}
		for name := range example {
			if a, b := fmt.Sprintf("%T", got[name]), fmt.Sprintf("%T", example[name]); a != b {
				return fmt.Errorf("%s is a %s, not a %s", name, a, b)
			}
		}
		if got["status_code"] != float64(status) {
			return fmt.Errorf("status_code is %v", got["status_code"])
		}
		if got["error_type"] == example["error_type"] && fmt.Sprint(status) != code {
			return fmt.Errorf("%v comes with %s", example["error_type"], code)
		}
	}
	if examples == 0 {
		return errors.New("the document has no example of an error")
	}
	return nil
}

func newChecker(router routers.Router, s *stytchtest.Server) *checker {
	return &checker{router: router, next: s.HTTPClient().Transport, statuses: map[string]int{}}
}

// Every answer of the fake, of every status, is one that the document describes.
func TestAnswers(t *testing.T) {
	t.Parallel()
	router := load(t)
	s := stytchtest.NewServer()
	defer s.Close()
	c := newChecker(router, s)
	m, _ := s.Member(s.MemberID)
	project := drift.Project{
		BaseURL: s.URL, ProjectID: s.ProjectID, Secret: s.Secret,
		OrganizationID: s.OrganizationID, MemberID: s.MemberID, EmailAddress: m.EmailAddress, Password: m.Password,
		Code: func() string { sms := s.SMS(); return sms[len(sms)-1].Code },
		HTTP: &http.Client{Transport: c},
	}
	run := func() {
		_, err := drift.Run(t.Context(), project)
		require.NoError(t, err)
	}
	run()

	// A Member who has everything: an authenticator app, external IDs, a lock.
	restricted, err := s.AddOrganization(stytchtest.Organization{ExternalID: "tenant 7", AllowedMFAMethods: []string{"sms_otp"}, MFAPolicy: "REQUIRED_FOR_ALL"})
	require.NoError(t, err)
	full, err := s.AddMember(stytchtest.Member{
		OrganizationID: restricted.OrganizationID, ExternalID: "ada", TOTP: true, Password: m.Password, MFAPhoneNumber: "+12025550123",
		IsBreakglass: true, DefaultMFAMethod: "sms_otp",
	})
	require.NoError(t, err)
	project.OrganizationID, project.MemberID, project.EmailAddress = full.OrganizationID, full.MemberID, full.EmailAddress
	run()

	// What only limits and faults answer.
	s.SetRateLimit(stytchtest.RateLimit{PerNumber: 1, RetryAfter: true})
	run()
	s.SetRateLimit(stytchtest.RateLimit{})
	for _, status := range []int{403, 499, 500, 503} {
		s.FailAlways(stytchtest.Fault{StatusCode: status})
		run()
		s.Recover()
	}
	assert.Empty(t, c.faults)
	for _, path := range []string{"/v1/b2b/otps/sms/send", "/v1/b2b/otps/sms/authenticate"} {
		for _, status := range []int{200, 400, 401, 403, 404, 499, 500, 503} {
			assert.NotZero(t, c.statuses[fmt.Sprint(path, " ", status)], "%s %d", path, status)
		}
	}
	assert.NotZero(t, c.statuses["/v1/b2b/otps/sms/send 429"])
}

// Every request of the SDK is one that the document describes.
func TestRequests(t *testing.T) {
	t.Parallel()
	router := load(t)
	s := stytchtest.NewServer()
	defer s.Close()
	c := newChecker(router, s)
	c.requests = true
	client := s.Client(stytchb2b.WithHTTPClient(&http.Client{Transport: c}))
	first, err := s.AddMember(stytchtest.Member{})
	require.NoError(t, err)

	to := stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: s.MemberID}
	number := stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: first.MemberID, MFAPhoneNumber: "+12025550123"}
	session := s.NewSession(s.MemberID, false)
	login, err := s.LogIn(s.MemberID)
	require.NoError(t, err)
	for _, change := range []func(*stytchb2b.SMSSendParams){
		func(*stytchb2b.SMSSendParams) {},
		func(p *stytchb2b.SMSSendParams) { *p = number },
		func(p *stytchb2b.SMSSendParams) { p.SessionToken = session.Token },
		func(p *stytchb2b.SMSSendParams) { p.SessionJWT = session.JWT },
		func(p *stytchb2b.SMSSendParams) { p.IntermediateSessionToken = login.IntermediateSessionToken },
	} {
		p := to
		change(&p)
		_, err := client.OTPs.SMS.Send(t.Context(), p)
		require.NoError(t, err)
	}
	documented := 0
	for _, locale := range stytchb2b.Locales() {
		p := to
		p.Locale = locale
		before := len(c.faults)
		_, err := client.OTPs.SMS.Send(t.Context(), p)
		require.NoError(t, err)
		if len(c.faults) == before {
			documented++
		} else {
			assert.Contains(t, c.faults[before], "locale", "the document lags behind Stytch's clients in nothing else")
		}
	}
	c.faults = slices.DeleteFunc(c.faults, func(fault string) bool { return strings.Contains(fault, `"/locale"`) })
	assert.GreaterOrEqual(t, documented, 4)

	sms := s.SMSTo(s.MemberID)
	_, err = client.OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{
		OrganizationID: s.OrganizationID, MemberID: s.MemberID, Code: sms[len(sms)-1].Code,
		IntermediateSessionToken: login.IntermediateSessionToken,
		SessionDurationMinutes:   30, SessionCustomClaims: map[string]any{"team": "blue"},
		SetMFAEnrollment: stytchb2b.MFAEnroll, SetDefaultMFA: true, TelemetryID: "telemetry-1",
	})
	require.NoError(t, err)
	assert.Empty(t, c.faults)
	assert.Equal(t, 22, c.statuses["/v1/b2b/otps/sms/send 200"]+c.statuses["/v1/b2b/otps/sms/authenticate 200"])
}

// An answer or a request that is wrong is found.
func TestChecker(t *testing.T) {
	t.Parallel()
	router := load(t)
	for _, tc := range []struct {
		name, request string
		fault         stytchtest.Fault
		says          string
	}{
		{"a field too few", `{"organization_id":"o","member_id":"m"}`, stytchtest.Fault{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"status_code":200}`}, "request_id"},
		{"a field too many", `{"organization_id":"o","member_id":"m"}`, stytchtest.Fault{StatusCode: 400, Body: `{"status_code":400,"new":""}`}, "it has the fields"},
		{"a field of another type", `{"organization_id":"o","member_id":"m"}`, stytchtest.Fault{StatusCode: 400, Body: `{"status_code":400,"request_id":1,"error_type":"","error_message":"","error_url":""}`}, "request_id is a float64"},
		{"another status", `{"organization_id":"o","member_id":"m"}`, stytchtest.Fault{StatusCode: 400, Body: `{"status_code":401,"request_id":"","error_type":"","error_message":"","error_url":""}`}, "status_code is 401"},
		{"an error of another status", `{"organization_id":"o","member_id":"m"}`, stytchtest.Fault{StatusCode: 403, ErrorType: "too_many_requests"}, "too_many_requests comes with 429"},
		{"no JSON", `{"organization_id":"o","member_id":"m"}`, stytchtest.GatewayHTML(502), "invalid character"},
		{"a parameter too many", `{"organization_id":"o","member_id":"m","new":1}`, stytchtest.Fault{}, "new"},
		{"a parameter of another type", `{"organization_id":1,"member_id":"m"}`, stytchtest.Fault{}, "organization_id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			s.Fail(tc.fault)
			c := newChecker(router, s)
			c.requests = true
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/b2b/otps/sms/send", strings.NewReader(tc.request))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			req.SetBasicAuth(s.ProjectID, s.Secret)
			resp, err := (&http.Client{Transport: c}).Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Len(t, c.faults, 1)
			assert.Contains(t, c.faults[0], tc.says)
		})
	}
}
