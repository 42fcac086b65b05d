package drift

import "strings"

// A call is one request, and what the fake is to answer.
type call struct {
	name      string
	status    int
	errorType string

	method      string // POST if empty
	path        string
	body        func(*state) map[string]any
	text        string // instead of body
	contentType string // JSON's if empty
	credentials credentials
	login       bool // it needs a login of the Member
}

type credentials int

const (
	right credentials = iota
	none
	wrong
)

const (
	send         = "/v1/b2b/otps/sms/send"
	authenticate = "/v1/b2b/otps/sms/authenticate"
	password     = "/v1/b2b/passwords/authenticate"
	session      = "/v1/b2b/sessions/authenticate"
)

// state is what earlier answers gave.
type state struct {
	Project
	intermediateSessionToken, sessionToken, sessionJWT string
}

func (s *state) learn(answer map[string]any) {
	for name, kept := range map[string]*string{
		"intermediate_session_token": &s.intermediateSessionToken,
		"session_token":              &s.sessionToken,
		"session_jwt":                &s.sessionJWT,
	} {
		if token, _ := answer[name].(string); token != "" {
			*kept = token
		}
	}
}

func (s *state) path(path string) string {
	return strings.ReplaceAll(path, "{project_id}", s.ProjectID)
}

type fields = map[string]any

// member names the Member, with further fields, which are pairs of a name and a
// value. A nil value takes the field away.
func member(pairs ...any) func(*state) fields {
	return func(s *state) fields {
		return with(s, fields{"organization_id": s.OrganizationID, "member_id": s.MemberID}, pairs)
	}
}

// credential names the Member by the email address, with the password.
func credential(pairs ...any) func(*state) fields {
	return func(s *state) fields {
		return with(s, fields{"organization_id": s.OrganizationID, "email_address": s.EmailAddress, "password": s.Password}, pairs)
	}
}

func just(pairs ...any) func(*state) fields {
	return func(s *state) fields { return with(s, fields{}, pairs) }
}

func with(s *state, f fields, pairs []any) fields {
	for i := 0; i < len(pairs); i += 2 {
		name, value := pairs[i].(string), pairs[i+1]
		if later, ok := value.(func(*state) string); ok {
			value = later(s)
		}
		if f[name] = value; value == nil {
			delete(f, name)
		}
	}
	return f
}

func theCode(s *state) string                { return s.Code() }
func theIntermediateSession(s *state) string { return s.intermediateSessionToken }
func theSessionToken(s *state) string        { return s.sessionToken }
func theSessionJWT(s *state) string          { return s.sessionJWT }

const (
	nobody    = "00000000-0000-4000-8000-000000000000"
	noToken   = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	wrongCode = "999999" // 000000 is right for a sandbox number
)

// calls are all calls, in their order. Those before the login cost nothing and
// send nothing.
var calls = []call{
	{name: "no credentials", status: 401, errorType: "unauthorized_credentials", path: send, body: member(), credentials: none},
	{name: "a wrong secret", status: 401, errorType: "unauthorized_credentials", path: send, body: member(), credentials: wrong},
	{name: "a wrong path", status: 404, errorType: "route_not_found", path: "/v1/b2b/otps/sms/nothing", body: member()},
	{name: "a wrong method", status: 404, errorType: "route_not_found", method: "GET", path: send},
	{name: "a wrong Content-Type", status: 400, errorType: "bad_request", path: send, text: "organization_id=1", contentType: "text/plain"},
	{name: "no body", status: 400, errorType: "bad_request", path: send},
	{name: "a body that is cut off", status: 400, errorType: "bad_request", path: send, text: `{"organization_id":`},
	{name: "a body that is no object", status: 400, errorType: "bad_request", path: send, text: `[]`},
	{name: "a field of a wrong type", status: 400, errorType: "bad_request", path: send, body: member("member_id", 7)},
	{name: "a body of 1 MiB", status: 413, errorType: "bad_request", path: send, body: member("locale", strings.Repeat("e", 1<<20))},

	{name: "send: no Organization", status: 400, errorType: "invalid_organization_id", path: send, body: member("organization_id", nil)},
	{name: "send: an unknown Organization", status: 404, errorType: "organization_not_found", path: send, body: member("organization_id", "organization-test-"+nobody)},
	{name: "send: an Organization of the live environment", status: 400, errorType: "live_id_used_in_test_environment", path: send, body: member("organization_id", "organization-live-"+nobody)},
	{name: "send: no Member", status: 400, errorType: "bad_request", path: send, body: member("member_id", nil)},
	{name: "send: an unknown Member", status: 404, errorType: "member_not_found", path: send, body: member("member_id", "member-test-"+nobody)},
	{name: "send: a Member of the live environment", status: 400, errorType: "live_id_used_in_test_environment", path: send, body: member("member_id", "member-live-"+nobody)},
	{name: "send: a malformed number", status: 400, errorType: "invalid_phone_number", path: send, body: member("mfa_phone_number", "555")},
	{name: "send: another number than the Member's", status: 400, errorType: "duplicate_member_phone_number_for_member", path: send, body: member("mfa_phone_number", "+12025550198")},
	{name: "send: an unknown locale", status: 400, errorType: "invalid_locale", path: send, body: member("locale", "tlh")},
	{name: "send: a locale in another case", status: 400, errorType: "invalid_locale", path: send, body: member("locale", "PT-BR", "session_token", noToken)},
	{name: "send: two sessions", status: 400, errorType: "too_many_session_arguments", path: send, body: member("session_token", noToken, "intermediate_session_token", noToken)},
	{name: "send: an unknown session token", status: 404, errorType: "session_not_found", path: send, body: member("session_token", noToken)},
	{name: "send: a malformed JWT", status: 404, errorType: "session_not_found", path: send, body: member("session_jwt", "a.b.c")},
	{name: "send: an unknown intermediate session token", status: 404, errorType: "intermediate_session_not_found", path: send, body: member("intermediate_session_token", noToken)},

	{name: "authenticate: no code", status: 400, errorType: "bad_request", path: authenticate, body: member("session_token", noToken)},
	{name: "authenticate: a malformed code", status: 400, errorType: "invalid_code", path: authenticate, body: member("session_token", noToken, "code", "one")},
	{name: "authenticate: no session", status: 400, errorType: "no_session_arguments", path: authenticate, body: member("code", wrongCode)},
	{name: "authenticate: two sessions", status: 400, errorType: "too_many_session_arguments", path: authenticate, body: member("code", wrongCode, "session_token", noToken, "session_jwt", noToken)},
	{name: "authenticate: an unknown intermediate session token", status: 404, errorType: "intermediate_session_not_found", path: authenticate, body: member("code", wrongCode, "intermediate_session_token", noToken)},
	{name: "authenticate: an unknown session token", status: 404, errorType: "session_not_found", path: authenticate, body: member("code", wrongCode, "session_token", noToken)},
	{name: "authenticate: too short a session", status: 400, errorType: "invalid_session_duration_minutes", path: authenticate, body: member("code", wrongCode, "session_token", noToken, "session_duration_minutes", 4)},
	{name: "authenticate: too long a session", status: 400, errorType: "invalid_session_duration_minutes", path: authenticate, body: member("code", wrongCode, "session_token", noToken, "session_duration_minutes", 527041)},
	{name: "authenticate: an enrollment that is none", status: 400, errorType: "bad_request", path: authenticate, body: member("code", wrongCode, "session_token", noToken, "set_mfa_enrollment", "yes")},

	{name: "session: none", status: 400, errorType: "no_session_arguments", path: session, body: just()},
	{name: "session: two", status: 400, errorType: "too_many_session_arguments", path: session, body: just("session_token", noToken, "session_jwt", noToken)},
	{name: "session: an unknown token", status: 404, errorType: "session_not_found", path: session, body: just("session_token", noToken)},
	{name: "session: a malformed JWT", status: 404, errorType: "session_not_found", path: session, body: just("session_jwt", "a.b.c")},
	{name: "session: too short", status: 400, errorType: "invalid_session_duration_minutes", path: session, body: just("session_token", noToken, "session_duration_minutes", 4)},

	{name: "jwks", status: 200, method: "GET", path: "/v1/b2b/sessions/jwks/{project_id}", credentials: none},
	{name: "jwks: of an unknown project", status: 400, errorType: "invalid_project_id", method: "GET", path: "/v1/b2b/sessions/jwks/project-test-" + nobody, credentials: none},

	{name: "password: no address", status: 400, errorType: "bad_request", path: password, body: credential("email_address", nil), login: true},
	{name: "password: none", status: 400, errorType: "bad_request", path: password, body: credential("password", nil), login: true},
	{name: "password: an unknown address", status: 404, errorType: "member_not_found", path: password, body: credential("email_address", "nobody@example.com"), login: true},
	{name: "password: wrong", status: 401, errorType: "unauthorized_credentials", path: password, body: credential("password", "a wrong password"), login: true},

	// One login, from here on.
	{name: "password: right", status: 200, path: password, body: credential(), login: true},
	{name: "send", status: 200, path: send, body: member("intermediate_session_token", theIntermediateSession), login: true},
	{name: "authenticate: a wrong code", status: 404, errorType: "otp_code_not_found", path: authenticate, body: member("code", wrongCode, "intermediate_session_token", theIntermediateSession), login: true},
	{name: "authenticate: claims of Stytch's", status: 400, errorType: "stytch_claims_in_custom_claims", path: authenticate, login: true, body: member(
		"code", wrongCode, "intermediate_session_token", theIntermediateSession, "session_custom_claims", fields{"https://stytch.com/session": "mine"})},
	{name: "authenticate: claims of more than 4 KB", status: 400, errorType: "custom_claims_too_large", path: authenticate, login: true, body: member(
		"code", theCode, "intermediate_session_token", theIntermediateSession, "session_duration_minutes", 5, "session_custom_claims", fields{"big": strings.Repeat("a", 5000)})},
	{name: "authenticate", status: 200, path: authenticate, login: true, body: member(
		"code", theCode, "intermediate_session_token", theIntermediateSession, "session_duration_minutes", 5, "session_custom_claims", fields{"team": "blue"})},
	{name: "authenticate: the intermediate session token again", status: 404, errorType: "intermediate_session_not_found", path: authenticate, login: true, body: member(
		"code", wrongCode, "intermediate_session_token", theIntermediateSession)},
	{name: "authenticate: the code again", status: 401, errorType: "unable_to_auth_otp_code", path: authenticate, login: true, body: member(
		"code", theCode, "session_token", theSessionToken)},
	{name: "session: its token", status: 200, path: session, body: just("session_token", theSessionToken), login: true},
	{name: "session: its JWT", status: 200, path: session, body: just("session_jwt", theSessionJWT), login: true},
	{name: "session: a session token as a JWT", status: 404, errorType: "session_not_found", path: session, body: just("session_jwt", theSessionToken), login: true},
	{name: "send: in a session", status: 200, path: send, body: member("session_token", theSessionToken), login: true},
}
