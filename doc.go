// Package stytchb2b implements the SMS step of a multi-factor login with
// Stytch's B2B API: [SMS.Send] sends a one-time passcode, and
// [SMS.Authenticate] verifies the one that the user enters.
//
//	client, err := stytchb2b.NewClient(projectID, secret)
//	// ...
//	resp, err := client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{
//		OrganizationID: "organization-test-...",
//		MemberID:       "member-test-...",
//	})
//	// ...
//	session, err := client.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
//		OrganizationID:           "organization-test-...",
//		MemberID:                 "member-test-...",
//		Code:                     "123456",
//		IntermediateSessionToken: "...", // from primary authentication
//	})
//
// # One Send, at most one SMS
//
// An SMS cannot be unsent, costs money, and makes the code before it invalid,
// and the API has no idempotency key. So this package makes two promises:
//
//  1. One Send sends at most one SMS. It tries again only if the request
//     certainly did not leave, or if Stytch refused it for the moment.
//  2. Every error says whether an SMS may have gone out. If [MaybeSent] is false,
//     no SMS was sent. Its documentation has the table.
//
// Package [github.com/eb715825/stytchb2b/atmostonce], which serves any client,
// knows whether a request left. This package knows what an answer proves:
// something only if it is Stytch's, because a gateway, a captive portal or another
// service may answer with any status after Stytch has acted. So a 4xx counts as a
// refusal only with a Stytch error object, a 2xx as a success only with a
// request_id and its status_code, and a login only with the session and its
// tokens, too.
//
// A [RetryPolicy] changes how often and how patiently a call tries again. Its
// RetryUnknown gives up the first promise and keeps the second.
//
// Authenticate makes the same promises about the code, which it uses up:
// [MaybeUsed] reports whether it may have.
//
// # Errors
//
// Find these with [errors.As]. A [*ParamError] reports a malformed parameter, and
// a [*GuardError] a Send that a [Guard] refused, both before any I/O to Stytch. An
// [*APIError] reports an answer outside 2xx, and a [*TransportError] that no usable
// answer came. [NewClient] returns a [*ConfigError].
//
// How a login can respond:
//
//	what happened                        what to tell the user                HTTP status
//	nil                                  code sent to •••• 0106               200
//	MaybeSent(err)                       the code may be on its way; if it    502
//	                                     does not arrive within a minute,
//	                                     ask again
//	RetryAfter(err) > 0                  too many codes; wait that long       429
//	any other 429                        too many codes; try again later      429
//	invalid_phone_number and the like    enter another number                 422
//	intermediate_session_not_found       sign in again                        401
//	any other error                      we could not send the code           502
//
// In a handler, call Send with [context.WithoutCancel] of the request's context.
// Otherwise a browser that goes away cancels it, and nobody knows whether an SMS
// went out.
//
// # Secrets and phone numbers
//
// A Client, parameters, responses, the objects in them and errors can be printed
// with package fmt and logged with log/slog: they do not show the project's secret,
// codes, session tokens or whole phone numbers. This does not hold for a struct of
// yours that holds them in an unexported field, which package fmt prints by
// reflection. Parameters and responses are complete when marshaled to JSON.
//
// # Testing
//
// Package [github.com/eb715825/stytchb2b/stytchtest] is a fake Stytch on
// loopback that remembers the SMS it sent and fails on purpose.
//
// This package is not made by Stytch, Inc. What it says about the API is from
// Stytch's reference (https://stytch.com/docs/api-reference/b2b/api), or names
// another source, or is marked "assumed".
package stytchb2b
