// Package stytchb2b implements the SMS step of a multi-factor login with
// Stytch's B2B API: [SMS.Send] sends a one-time passcode, and
// [SMS.Authenticate] verifies the one that the user enters.
//
//	client, err := stytchb2b.NewClient(projectID, secret)
//	resp, err := client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{
//		OrganizationID: "organization-test-...",
//		MemberID:       "member-test-...",
//	})
//	session, err := client.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
//		OrganizationID:           "organization-test-...",
//		MemberID:                 "member-test-...",
//		Code:                     "123456",
//		IntermediateSessionToken: "...", // from primary authentication
//	})
//
// # One Send, at most one SMS
//
// An SMS cannot be unsent, costs money, and invalidates the code before it, and the
// API has no idempotency key. So this package makes two promises:
//
//  1. One Send sends at most one SMS, unless [RetryPolicy] sets RetryUnknown. It
//     retries only if the request certainly never left, or if Stytch answered 429
//     too_many_requests.
//  2. Every error says whether an SMS may have gone out. If [MaybeSent] is false,
//     no SMS was sent. Its documentation has the table.
//
// Package [github.com/eb715825/stytchb2b/atmostonce], which works with any client,
// finds out whether a request left. This package decides what an answer proves. It
// trusts only answers that are Stytch's own: a gateway, a captive portal or another
// service may answer with any status after Stytch has acted.
//
// Authenticate makes the same promises about the code, which it uses up: see
// [MaybeUsed].
//
// # Errors
//
// [AfterSend] and [AfterAuthenticate] return what a login does next. For details, use
// [errors.As]. A [*ParamError] reports a missing or malformed parameter, and a
// [*GuardError] that a [Guard] refused the call: both come before any I/O to Stytch.
// An [*APIError] reports an answer that is not a success, and a [*TransportError]
// that no answer came. [NewClient] returns a [*ConfigError].
//
// In a handler, call Send with [context.WithoutCancel] of the request's context.
// Otherwise a closed tab cancels the call and leaves its outcome unknown.
//
// # Secrets and phone numbers
//
// A Client, parameters, responses, the objects in them and errors are safe to print
// with package fmt and to log with log/slog: they do not show the project's secret,
// codes, session tokens or full phone numbers. The exception is an unexported field of
// your own struct, which package fmt prints by reflection. Parameters and responses
// are complete when marshaled to JSON.
//
// Package [github.com/eb715825/stytchb2b/stytchtest] is a fake Stytch for tests. This is not an official Stytch library. Facts about the API are from Stytch's
// reference (https://stytch.com/docs/api-reference/b2b/api), unless they name another
// source or are marked "assumed".
package stytchb2b
