// Package guard protects the calls of package stytchb2b against toll fraud, in which
// a script requests SMS to phone numbers that earn their owners money, and against
// guessed codes.
//
//	g, err := guard.New(guard.Recommended("US", "CA"), guard.SingleProcess()) // where your users' phones are from
//	// ...
//	client, err := stytchb2b.NewClientFromEnv(stytchb2b.WithGuard(g))
//
// People enter the codes they get. Pumped numbers never do. So the Guard lets Members
// pass who have entered a code lately, and bounds how many SMS everyone else may leave
// unanswered: [Recommended] has the rule, and the [README] what it is worth. The Guard
// learns from the calls of Send and Authenticate. Call [Guard.BeforeLogin] and
// [Guard.AfterLogin] around each primary login, for the SMS that Stytch sends automatically
// and for what the login knows of the Member's number.
//
// A call that it refuses returns a [*stytchb2b.GuardError], with a time to wait where
// that helps. [errors.Is] finds why, such as [ErrCooldown] or [ErrUnanswered], and
// [errors.As] a [*Refusal] with the details.
//
//   - The cooldown stops the double click, and the user who presses "resend" before
//     the first code could arrive, which would make that one invalid. It doubles
//     with each SMS, from 30 seconds to 32 minutes, until a code is entered.
//   - A Member may enter ten wrong codes, and 30 more over a day. A right one clears
//     them. A code counts before it goes to Stytch, so that many at once do not pass.
//     It stops counting if Stytch says nothing about the code, such as when the
//     session has expired.
//   - Numbers of other countries than yours are refused, by their real country: those
//     that share +1 with the US are expensive. So are numbers of premium-rate and other
//     services, pagers, satellites and voicemail, and numbers that cannot exist, by the
//     metadata of libphonenumber.
//
// A Send that certainly sent no SMS does not count; one that may have sent one does.
// Where neither the call nor the last login names the number, the Guard learns it from
// the answer. So the first SMS can go to a country that is not allowed: set Stytch's
// own country allowlist, too.
//
// Name the Members of an Organization the same way in all calls. Until an answer
// links an external ID to Stytch's own, each name has a cooldown and wrong codes of its
// own, in each process.
//
// # Several processes
//
// Package [github.com/eb715825/stytchb2b/guard/redisstore] counts for all processes in
// Redis. When Redis does not answer within [DefaultStoreTimeout], each process decides
// by what it has counted itself or, with [FailClosed], refuses. Bounds then hold for each
// process: with two, a Member has up to 20 wrong codes at once. When Redis answers
// again, the process first reports what it has decided meanwhile.
//
// [README]: https://github.com/eb715825/stytchb2b/blob/main/guard/README.md
package guard
