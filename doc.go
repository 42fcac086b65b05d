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
// An SMS cannot be unsent, costs money, and makes the code before it invalid,
// and the API has no idempotency key. So this package makes two promises:
//
//  1. One Send sends at most one SMS. It retries only if the request certainly did
//     not leave, or if Stytch refused it for the moment.
//  2. Every error says whether an SMS may have gone out. If [MaybeSent] is false,
//     no SMS was sent. Its documentation has the table.
//
// Package [github.com/eb715825/stytchb2b/atmostonce], which serves any client,
// knows whether a request left. This package knows what an answer proves. It
// believes only Stytch's own answers, because a gateway, a captive portal or another
// service may answer with any status after Stytch has acted.
//
// Authenticate makes the same promises about the code, which it uses up: see
// [MaybeUsed]. A [RetryPolicy] changes what is retried.
//
// # Errors
//
// [AfterSend] and [AfterAuthenticate] say what a login does next. For more, find the
// errors with [errors.As]. Before any I/O to Stytch come a [*ParamError], for a
// malformed parameter, and a [*GuardError], for a call that a [Guard] refused. An
// [*APIError] reports an answer that is not a success, and a [*TransportError] that
// no answer came. [NewClient] returns a [*ConfigError].
//
// In a handler, call Send with [context.WithoutCancel] of the request's context.
// Otherwise a browser that goes away cancels it, and nobody knows whether an SMS
// went out.
//
// # Secrets and phone numbers
//
// A Client, parameters, responses, the objects in them and errors can be printed
// with package fmt and logged with log/slog: they do not show the project's secret,
// codes, session tokens or full phone numbers. An exception is an unexported field
// of your own struct, which package fmt prints by reflection. Parameters and
// responses are complete when marshaled to JSON.
//
// Package [github.com/eb715825/stytchb2b/stytchtest] is a fake Stytch for tests.
//
// This package is not made by Stytch, Inc. What it says about the API is from
// Stytch's reference (https://stytch.com/docs/api-reference/b2b/api), or names
// another source, or is marked "assumed".
package stytchb2b
