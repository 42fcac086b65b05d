// Package stytchtest is a Stytch to test against: a server on loopback, in the
// manner of package net/http/httptest, that answers the calls of a login with an
// SMS one-time passcode as Stytch's B2B API does, remembers what it sent, and
// fails on purpose when it is told to.
//
//	srv := stytchtest.NewServer()
//	defer srv.Close()
//	client := srv.Client()
//	login, err := srv.LogIn(srv.MemberID) // primary authentication: Stytch sends the first SMS
//	sms, err := srv.NextSMS(ctx)
//	// ... client.OTPs.SMS.Authenticate with sms.Code and login.IntermediateSessionToken
//	// ... client.OTPs.SMS.Send for "send it again"
//
// No SMS leaves it. Each Server has a project, credentials and a state of its
// own; any number run beside one another. The command in cmd/fakestytch serves
// the same to programs in other languages.
//
// # As Stytch documents it
//
//   - POST /v1/b2b/otps/sms/send and /v1/b2b/otps/sms/authenticate; before them
//     /v1/b2b/passwords/authenticate, a primary authentication in one request;
//     and /v1/b2b/sessions/authenticate: their parameters, every field that the
//     reference requires of their answers, and the form of errors.
//   - A primary authentication of a Member who needs MFA gives an intermediate
//     session token and says how MFA can be completed. If the Member has a
//     number, Stytch sends a code to it by itself.
//   - An Organization is found by its ID, slug or external ID, a Member by its
//     ID or external ID.
//   - A Member's own number is used; a first number is linked to the Member; one
//     that differs from the Member's is refused.
//   - A code lives two minutes, a new one makes the one before it invalid, and
//     one is good for one time. An intermediate session token lasts ten minutes,
//     and authenticate uses it up.
//   - A malformed code: 400 invalid_code; a wrong one: 404 otp_code_not_found; one
//     that has been used or has expired: 401 unable_to_auth_otp_code.
//   - A session that is named must be one of the Member's, and only one may be;
//     a token is good in its own parameter only. An intermediate session token
//     stands for factors: it is good for a Member of another Organization with
//     the same email address, too, unless it holds a password.
//   - A session that begins lasts 60 minutes, or session_duration_minutes; one
//     that is there keeps its end, unless that is given.
//   - A session's JWT is signed with RS256 and is good for five minutes. Its claims
//     are those that Stytch's Go and Node clients read. Each server has a key of
//     its own, which GET /v1/b2b/sessions/jwks/{project_id} gives without
//     credentials, as the clients ask for it.
//   - Ten failed attempts lock a Member for an hour: 429 user_lock_limit_reached,
//     and is_locked.
//   - SMS go to the countries of the project's allowlist: at first the US and
//     Canada, which do not include the other countries of +1.
//   - The number of another Member of the Organization: 400
//     duplicate_member_phone_number.
//   - An Organization may restrict MFA to some methods, which breakglass Members
//     are exempt from.
//   - Entering a code verifies the number, and enrolls the Member in MFA where
//     the Organization requires it or the request says so.
//   - Custom claims change those of the session as JSON Merge Patch (RFC 7396)
//     does, have room for 4 KB in all, and are in its JWT; reserved names are
//     ignored. A session begins with claims only where session_duration_minutes
//     is given.
//
// # Assumed
//
// No source says so; each is in one place here.
//
//   - A session is needed only to add a first number to a Member who already has
//     another active factor (an authenticator app), and must hold that factor;
//     without, 403 session_authorization_error.
//   - A session of another Member: 400 member_session_member_id_mismatch. An
//     intermediate session token that is no good in the Organization: 400
//     invalid_intermediate_session_token_for_organization.
//   - A number that is not the Member's: 400
//     duplicate_member_phone_number_for_member. No number at all: 400
//     missing_sms_parameter.
//   - A Member who is pending or invited: 400
//     action_available_only_for_active_members. A primary authentication makes
//     them active. A deleted one: 404 member_not_found.
//   - A Member whose default MFA method is "totp" gets no SMS after a primary
//     authentication, nor does one to whose number none may go. The
//     authentication succeeds all the same.
//   - A wrong password: 401 unauthorized_credentials. A Member without one: 404
//     member_password_not_found.
//   - Custom claims whose names begin with https://stytch.com/: 400
//     stytch_claims_in_custom_claims. Stytch's pages disagree on the other
//     reserved names; they are ignored here.
//   - A JWT names its session after its five minutes, too. Stytch says so of
//     another call, which authenticates sessions.
//   - Wrong, used and expired codes and wrong passwords are failed attempts; only
//     a right code ends their row. A locked Member cannot be sent an SMS.
//   - The keys of another project: 400 invalid_project_id.
//   - What [RateLimit] says so of.
//   - Custom claims over 4 KB in all: 400 custom_claims_too_large.
//   - A code that a newer one has replaced is answered as a wrong one is.
//   - A body that is no JSON, of a wrong type or without a required field: 400
//     bad_request; one over 64 KiB: 413; a wrong path or method: 404
//     route_not_found.
//   - The order in which parameters are checked, and the words of messages.
//
// # What it does not do
//
// It checks no permissions (an authorization_check is refused); it has no other
// endpoint; it tells countries that share a calling code apart
// for +1 only. Its rate limits are off until [Server.SetRateLimit].
package stytchtest
