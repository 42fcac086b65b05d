package stytchtest_test

import "strings"

// A driftCall is one request, and how the fake answers it.
type driftCall struct {
	name      string
	status    int
	errorType string

	path        string // of a POST, or "GET /..."
	body        any    // fields, or a string
	contentType string // JSON if empty
	as          string // not with the right credentials, if not empty
	login       bool   // whether it needs the Member's password
}

// ofMember names the Member, with further fields, which are pairs of a name and a
// value. A nil value removes the field. Text in braces is replaced by what the
// project or an earlier answer has of that name.
func ofMember(pairs ...any) fields {
	return with(fields{"organization_id": "{organization_id}", "member_id": "{member_id}"}, pairs...)
}

// ofPassword names the Member by email address, with the password.
func ofPassword(pairs ...any) fields {
	return with(fields{"organization_id": "{organization_id}", "email_address": "{email_address}", "password": "{password}"}, pairs...)
}

func with(f fields, pairs ...any) fields {
	for i := 0; i < len(pairs); i += 2 {
		if name := pairs[i].(string); pairs[i+1] == nil {
			delete(f, name)
		} else {
			f[name] = pairs[i+1]
		}
	}
	return f
}

const (
	nobody    = "00000000-0000-4000-8000-000000000000"
	noToken   = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	wrongCode = "999999" // 000000 is right for a sandbox number
)

var driftCalls = []driftCall{
	{name: "no credentials", status: 401, errorType: "unauthorized_credentials", path: sendPath, body: ofMember(), as: "nobody"},
	{name: "a wrong secret", status: 401, errorType: "unauthorized_credentials", path: sendPath, body: ofMember(), as: "a wrong secret"},
	{name: "another project", status: 401, errorType: "unauthorized_credentials", path: sendPath, body: ofMember(), as: "another project"},
	{name: "a wrong path", status: 404, errorType: "route_not_found", path: "/v1/b2b/otps/sms/nothing", body: ofMember()},
	{name: "a wrong method", status: 404, errorType: "route_not_found", path: "GET " + sendPath},
	{name: "a wrong Content-Type", status: 400, errorType: "bad_request", path: sendPath, body: ofMember(), contentType: "text/plain"},
	{name: "no body", status: 400, errorType: "bad_request", path: sendPath},
	{name: "a body that is cut off", status: 400, errorType: "bad_request", path: sendPath, body: `{"organization_id":`},
	{name: "a body that is no object", status: 400, errorType: "bad_request", path: sendPath, body: `[]`},
	{name: "a field of a wrong type", status: 400, errorType: "bad_request", path: sendPath, body: ofMember("member_id", 7)},
	{name: "a body of 1 MiB", status: 413, errorType: "bad_request", path: sendPath, body: ofMember("locale", strings.Repeat("e", 1<<20))},

	{name: "send: no Organization", status: 400, errorType: "invalid_organization_id", path: sendPath, body: ofMember("organization_id", nil)},
	{name: "send: an unknown Organization", status: 404, errorType: "organization_not_found", path: sendPath, body: ofMember("organization_id", "organization-test-"+nobody)},
	{name: "send: no Member", status: 400, errorType: "bad_request", path: sendPath, body: ofMember("member_id", nil)},
	{name: "send: an unknown Member", status: 404, errorType: "member_not_found", path: sendPath, body: ofMember("member_id", "member-test-"+nobody)},
	{name: "send: a malformed number", status: 400, errorType: "invalid_phone_number", path: sendPath, body: ofMember("mfa_phone_number", "555")},
	{name: "send: another number than the Member's", status: 400, errorType: "duplicate_member_phone_number_for_member", path: sendPath, body: ofMember("mfa_phone_number", "+12025550198")},
	{name: "send: an unknown locale", status: 400, errorType: "invalid_locale", path: sendPath, body: ofMember("locale", "tlh")},
	{name: "send: a locale in another case", status: 400, errorType: "invalid_locale", path: sendPath, body: ofMember("locale", "PT-BR", "session_token", noToken)},
	{name: "send: two sessions", status: 400, errorType: "too_many_session_arguments", path: sendPath, body: ofMember("session_token", noToken, "intermediate_session_token", noToken)},
	{name: "send: an unknown session token", status: 404, errorType: "session_not_found", path: sendPath, body: ofMember("session_token", noToken)},
	{name: "send: a malformed JWT", status: 404, errorType: "session_not_found", path: sendPath, body: ofMember("session_jwt", "a.b.c")},
	{name: "send: an unknown intermediate session token", status: 404, errorType: "intermediate_session_not_found", path: sendPath, body: ofMember("intermediate_session_token", noToken)},

	{name: "authenticate: no code", status: 400, errorType: "bad_request", path: authenticatePath, body: ofMember("session_token", noToken)},
	{name: "authenticate: a malformed code", status: 400, errorType: "invalid_code", path: authenticatePath, body: ofMember("session_token", noToken, "code", "one")},
	{name: "authenticate: claims of a wrong type", status: 400, errorType: "bad_request", path: authenticatePath, body: ofMember("session_token", noToken, "code", wrongCode, "session_custom_claims", "admin")},
	{name: "authenticate: no session", status: 400, errorType: "no_session_arguments", path: authenticatePath, body: ofMember("code", wrongCode)},
	{name: "authenticate: two sessions", status: 400, errorType: "too_many_session_arguments", path: authenticatePath, body: ofMember("code", wrongCode, "session_token", noToken, "session_jwt", noToken)},
	{name: "authenticate: an unknown intermediate session token", status: 404, errorType: "intermediate_session_not_found", path: authenticatePath, body: ofMember("code", wrongCode, "intermediate_session_token", noToken)},
	{name: "authenticate: an unknown session token", status: 404, errorType: "session_not_found", path: authenticatePath, body: ofMember("code", wrongCode, "session_token", noToken)},
	{name: "authenticate: too short a session", status: 400, errorType: "invalid_session_duration_minutes", path: authenticatePath, body: ofMember("code", wrongCode, "session_token", noToken, "session_duration_minutes", 4)},
	{name: "authenticate: too long a session", status: 400, errorType: "invalid_session_duration_minutes", path: authenticatePath, body: ofMember("code", wrongCode, "session_token", noToken, "session_duration_minutes", 527041)},
	{name: "authenticate: an enrollment that is none", status: 400, errorType: "bad_request", path: authenticatePath, body: ofMember("code", wrongCode, "session_token", noToken, "set_mfa_enrollment", "yes")},

	{name: "session: none", status: 400, errorType: "no_session_arguments", path: sessionPath, body: fields{}},
	{name: "session: two", status: 400, errorType: "too_many_session_arguments", path: sessionPath, body: fields{"session_token": noToken, "session_jwt": noToken}},
	{name: "session: an unknown token", status: 404, errorType: "session_not_found", path: sessionPath, body: fields{"session_token": noToken}},
	{name: "session: a malformed JWT", status: 404, errorType: "session_not_found", path: sessionPath, body: fields{"session_jwt": "a.b.c"}},
	{name: "session: a number", status: 400, errorType: "bad_request", path: sessionPath, body: fields{"session_token": 7}},
	{name: "session: too short", status: 400, errorType: "invalid_session_duration_minutes", path: sessionPath, body: fields{"session_token": noToken, "session_duration_minutes": 4}},

	{name: "revoke: nothing", status: 400, errorType: "no_session_arguments", path: revokePath, body: fields{}},
	{name: "revoke: a number", status: 400, errorType: "bad_request", path: revokePath, body: fields{"session_token": 7}},
	{name: "revoke: two", status: 400, errorType: "too_many_session_arguments", path: revokePath, body: fields{"member_session_id": noToken, "session_token": noToken}},
	{name: "revoke: an unknown session ID", status: 404, errorType: "session_not_found", path: revokePath, body: fields{"member_session_id": "member-session-test-" + nobody}},
	{name: "revoke: an unknown session token", status: 404, errorType: "session_not_found", path: revokePath, body: fields{"session_token": noToken}},
	{name: "revoke: an unknown Member", status: 404, errorType: "member_not_found", path: revokePath, body: fields{"member_id": "member-test-" + nobody}},

	{name: "jwks", status: 200, path: "GET /v1/b2b/sessions/jwks/{project_id}", as: "nobody"},
	{name: "jwks: of an unknown project", status: 400, errorType: "invalid_project_id", path: "GET /v1/b2b/sessions/jwks/project-test-" + nobody, as: "nobody"},

	{name: "password: no address", status: 400, errorType: "bad_request", path: passwordPath, body: ofPassword("email_address", nil), login: true},
	{name: "password: none", status: 400, errorType: "bad_request", path: passwordPath, body: ofPassword("password", nil), login: true},
	{name: "password: an unknown address", status: 404, errorType: "member_not_found", path: passwordPath, body: ofPassword("email_address", "nobody@example.com"), login: true},
	{name: "password: a number", status: 400, errorType: "bad_request", path: passwordPath, body: ofPassword("locale", 7), login: true},
	{name: "password: an unknown Organization", status: 404, errorType: "organization_not_found", path: passwordPath, body: ofPassword("organization_id", "organization-test-"+nobody), login: true},
	{name: "password: an unknown locale", status: 400, errorType: "invalid_locale", path: passwordPath, body: ofPassword("locale", "tlh"), login: true},
	{name: "password: an unknown session", status: 404, errorType: "session_not_found", path: passwordPath, body: ofPassword("session_token", noToken), login: true},
	{name: "password: too short a session", status: 400, errorType: "invalid_session_duration_minutes", path: passwordPath, body: ofPassword("session_duration_minutes", 4), login: true},
	{name: "password: wrong", status: 401, errorType: "unauthorized_credentials", path: passwordPath, body: ofPassword("password", "a wrong password"), login: true},

	// One login, from here on.
	{name: "password: right", status: 200, path: passwordPath, body: ofPassword(), login: true},
	{name: "send", status: 200, path: sendPath, body: ofMember("intermediate_session_token", "{intermediate_session_token}"), login: true},
	{name: "authenticate: a wrong code", status: 404, errorType: "otp_code_not_found", path: authenticatePath, body: ofMember("code", wrongCode, "intermediate_session_token", "{intermediate_session_token}"), login: true},
	{name: "authenticate: claims of Stytch's", status: 400, errorType: "stytch_claims_in_custom_claims", path: authenticatePath, login: true, body: ofMember(
		"code", wrongCode, "intermediate_session_token", "{intermediate_session_token}", "session_custom_claims", fields{"https://stytch.com/session": "mine"})},
	{name: "authenticate: claims of more than 4 KB", status: 400, errorType: "custom_claims_too_large", path: authenticatePath, login: true, body: ofMember(
		"code", "{code}", "intermediate_session_token", "{intermediate_session_token}", "session_duration_minutes", 5, "session_custom_claims", fields{"big": strings.Repeat("a", 5000)})},
	{name: "authenticate", status: 200, path: authenticatePath, login: true, body: ofMember(
		"code", "{code}", "intermediate_session_token", "{intermediate_session_token}", "session_duration_minutes", 5, "session_custom_claims", fields{"team": "blue"})},
	{name: "authenticate: the intermediate session token again", status: 404, errorType: "intermediate_session_not_found", path: authenticatePath, login: true, body: ofMember(
		"code", wrongCode, "intermediate_session_token", "{intermediate_session_token}")},
	{name: "authenticate: the code again", status: 401, errorType: "unable_to_auth_otp_code", path: authenticatePath, login: true, body: ofMember(
		"code", "{code}", "session_token", "{session_token}")},
	{name: "session: its token", status: 200, path: sessionPath, body: fields{"session_token": "{session_token}"}, login: true},
	{name: "session: its JWT", status: 200, path: sessionPath, body: fields{"session_jwt": "{session_jwt}"}, login: true},
	{name: "session: a session token as a JWT", status: 404, errorType: "session_not_found", path: sessionPath, body: fields{"session_jwt": "{session_token}"}, login: true},
	{name: "send: in a session", status: 200, path: sendPath, body: ofMember("session_token", "{session_token}"), login: true},
	{name: "revoke", status: 200, path: revokePath, body: fields{"session_token": "{session_token}"}, login: true},
	{name: "revoke: again", status: 404, errorType: "session_not_found", path: revokePath, body: fields{"session_token": "{session_token}"}, login: true},
	{name: "session: revoked", status: 404, errorType: "session_not_found", path: sessionPath, body: fields{"session_token": "{session_token}"}, login: true},
}
