// Package stytchb2b makes the SMS step of a multi-factor login with Stytch's B2B
// API, from a Go backend: it sends a one-time passcode, again and again if the
// user asks for it, and verifies the one that they enter.
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
// An SMS cannot be unsent, costs money, and makes the code before it invalid;
// and the API has no idempotency key. So a retry that is wrong is worse than
// none. [SMS.Send] therefore makes two promises:
//
//  1. One call puts at most one SMS out. It tries again only what provably never
//     reached Stytch, or what Stytch refused for the moment.
//  2. Every error says whether an SMS may have gone out: [MaybeSent] is false only
//     where it is certain that none did.
//
// What an attempt's end proves, and what follows:
//
//	the attempt ended with                             an SMS went out?  by default
//	no connection was made (DNS, refused, connect      no                tried again; a certificate
//	timeout, proxy, TLS handshake)                                       error is returned
//	a connection was made, and no answer came          unknown           returned
//	(reset, timeout, cancel)
//	429                                                no                tried again after Retry-After
//	3xx, never followed, and other 4xx                 no                returned
//	5xx                                                unknown           returned
//	2xx that cannot be read                            yes               returned
//
// A [RetryPolicy] changes how often and how patiently; its RetryUnknown gives
// the first promise up, and keeps the second.
//
// [SMS.Authenticate] is applied once at most, too: it uses up the code, and an
// intermediate session token with it. Its attempts prove the same and are tried
// again where those of Send are, whatever the RetryPolicy's RetryUnknown; and
// [MaybeUsed] is false only where it is certain that the code was not used.
//
// # Errors
//
// There are four, all to be found with [errors.As]: a [*ParamError] for an
// argument that is wrong, and a [*GuardError] for a Send that a [Guard] refused,
// both before any I/O; an [*APIError] for an answer outside 2xx, whose ErrorType
// is one of the ErrorType constants if it is Stytch's; and a [*TransportError]
// where no usable answer came. [errors.Is] finds [context.DeadlineExceeded] and
// the like in them.
//
// # Secrets and people's numbers
//
// The project's secret, session tokens, codes and whole phone numbers are never
// printed: not by a [Client], by parameters or an error, whichever verb or logger
// prints it; and a response that is printed or logged shows IDs only. Nothing is
// logged at all without [WithLogger].
//
// # Testing
//
// Package [github.com/eb715825/stytchb2b/stytchtest] is a Stytch on loopback
// that remembers the SMS it sent and fails on purpose.
//
// This package is not made by Stytch, Inc. What it says of the API is from
// Stytch's reference (https://stytch.com/docs/b2b/api).
package stytchb2b
