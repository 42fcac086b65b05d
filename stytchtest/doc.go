// Package stytchtest is a fake Stytch to test a login against. It is a server on
// loopback, like those of package net/http/httptest. It answers the calls of a login
// with an SMS code as Stytch's B2B API does, keeps every SMS for the test, and fails
// when told to.
//
//	srv := stytchtest.NewServer()
//	defer srv.Close()
//	client := srv.Client()
//	login, err := srv.LogIn(srv.MemberID) // primary authentication: Stytch sends the first SMS
//	sms, err := srv.NextSMS(ctx)
//	// ... client.OTPs.SMS.Authenticate with sms.Code and login.IntermediateSessionToken
//	// ... client.OTPs.SMS.Send for another code
//
// The examples are the five tests that every login needs. Each Server is a project
// with its own state, and any number can run side by side. The command in
// cmd/fakestytch serves the same to programs in other languages.
//
// # What it answers
//
//   - POST /v1/b2b/otps/sms/send and POST /v1/b2b/otps/sms/authenticate.
//   - POST /v1/b2b/passwords/authenticate, the primary authentication that needs
//     neither an email nor a browser.
//   - POST /v1/b2b/sessions/authenticate, POST /v1/b2b/sessions/revoke, and GET
//     /v1/b2b/sessions/jwks/{project_id}, without credentials.
//   - GET /v1/b2b/organizations/{organization_id}/member?member_id=…, and DELETE
//     /v1/b2b/organizations/{organization_id}/members/mfa_phone_numbers/{member_id}.
//
// # As Stytch documents it
//
//   - Each answer has every field that the reference requires, and each error has
//     Stytch's form. An Organization is found by its ID, slug or external ID, and a
//     Member by ID or external ID.
//   - After the primary authentication of a Member who needs MFA, the answer has an
//     intermediate session token and mfa_required. If the Member has a number,
//     Stytch sends a code to it automatically.
//   - Send uses the Member's number. It links a first number to the Member, and
//     refuses a different one, or one that another Member of the Organization has
//     (400 duplicate_member_phone_number).
//   - A code lives two minutes and works once, and a new code replaces it. A
//     malformed code is 400 invalid_code, a wrong one 404 otp_code_not_found, a used
//     or expired one 401 unable_to_auth_otp_code.
//   - The right code verifies the number. It enrolls the Member in MFA if the
//     Organization requires MFA or the request says so.
//   - A request names at most one session, with each kind of token in its own
//     parameter. An intermediate session token lasts ten minutes, and authenticate
//     consumes it.
//   - A new session lasts 60 minutes, or session_duration_minutes. An existing one
//     keeps its end, unless a request gives that.
//   - Custom claims change those of the session as a JSON Merge Patch (RFC 7396)
//     does, up to 4 KB in total. A new session has claims only if the request gives
//     session_duration_minutes.
//   - A JWT is signed with RS256, is valid for five minutes, and has the claims that
//     Stytch's Go and Node clients read.
//   - revoke ends one session, by its ID or a token, or all sessions of a Member. Its
//     JWT still verifies locally until it expires.
//   - Ten consecutive failed attempts lock a Member for an hour: 429
//     user_lock_limit_reached.
//   - SMS go to the countries on the project's allowlist. It begins with the US and
//     Canada, without the other countries with +1.
//
// # Assumed
//
// No source says the following. This is the only such list, and each item is in one
// place in the code. CONTRIBUTING.md says how to check the list against a Stytch
// test project.
//
//   - A Member with an authenticator app cannot add a first number without a session
//     that has this factor, which this server cannot issue: 403
//     session_authorization_error. Nobody else needs a session to send.
//   - A session of another Member: 400 member_session_member_id_mismatch.
//   - A number that differs from the Member's: 400
//     duplicate_member_phone_number_for_member. No number at all: 400
//     missing_sms_parameter.
//   - A pending or invited Member cannot be sent an SMS (400
//     action_available_only_for_active_members), and becomes active with the
//     primary authentication. A deleted Member: 404 member_not_found.
//   - After a primary authentication, a Member whose default MFA method is "totp"
//     gets no SMS. Neither does one in a country that is not allowed; the
//     authentication succeeds nevertheless.
//   - A wrong password: 401 unauthorized_credentials. No password at all: 404
//     member_password_not_found.
//   - Wrong, used and expired codes and wrong passwords are failed attempts. A right
//     code resets their count, and so does a primary authentication without MFA. One that
//     leads to MFA does not, unless [Server.FirstFactorEndsFailures] is set. A locked
//     Member cannot be sent an SMS.
//   - Custom claims that begin with https://stytch.com/: 400
//     stytch_claims_in_custom_claims. Other reserved names are ignored; Stytch's
//     pages disagree on them. Too large: 400 custom_claims_too_large.
//   - An expired JWT still names its session. Stytch documents this for
//     sessions/authenticate only.
//   - A code that a newer one has replaced gets the error of a wrong one.
//   - Deleting a Member's number makes the code that went to it invalid.
//   - A locale must be spelled as in Stytch's clients: 400 invalid_locale. No
//     session where one is required: 400 no_session_arguments.
//   - To revoke an unknown session is 404 session_not_found, and an unknown Member
//     404 member_not_found.
//   - The keys of another project: 400 invalid_project_id.
//   - A body that is not JSON, lacks its Content-Type, has a wrong type or lacks a
//     required field: 400 bad_request. A body over 64 KiB: 413. A wrong path or
//     method: 404 route_not_found.
//   - The order in which parameters are checked, and the wording of messages.
//
// # What it does not do
//
// It has no other endpoints, such as the /sdk/v1 of Stytch's browser clients, and
// no permissions: it refuses an authorization_check. An intermediate session is good
// for its own Member only, not for one in another Organization. It knows no devices: no answer
// has a member_device. It distinguishes countries that share a calling code for +1
// only. Every Organization allows all MFA methods. It has no rate limits: a [Fault] is
// one.
package stytchtest
