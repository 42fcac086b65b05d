// Package guard protects the calls of package stytchb2b against toll fraud: SMS
// that a script asks for, to numbers that somebody earns from.
//
//	g, err := guard.New(guard.Recommended("US", "CA")) // where your users' phones are from
//	// ...
//	client, err := stytchb2b.NewClientFromEnv(stytchb2b.WithGuard(g))
//
// People enter the codes they get, and pumped numbers never do. So the Guard lets
// Members pass who have entered a code lately, and bounds how many SMS go out to
// all others that nobody answers. It learns by itself: the Client tells it of each
// Authenticate that succeeds. Call [Guard.SMSSent] for the SMS that Stytch sends
// by itself after a primary authentication.
//
// A Send that it refuses comes back as a [*stytchb2b.GuardError], with a time to
// try again where there is one; [errors.Is] finds why, such as [ErrCooldown] or
// [ErrUnanswered], and [errors.As] a [*Refusal] with the details.
//
// # What each part stops
//
//   - The wait stops the double click, and the user who presses "resend" before
//     the first code could arrive, which would make that one invalid. It doubles
//     with each Send, from 30 seconds to 32 minutes, until a code is entered.
//   - The countries stop SMS to where none of your users are, by the number's
//     real country: those that share +1 with the US are expensive.
//   - Numbers of premium-rate and other services, pagers, satellites and
//     voicemail, and numbers that cannot exist, are always refused, by the
//     metadata of libphonenumber.
//   - The budgets of [Recommended] stop who rents numbers in blocks, however many
//     Members and Organizations he has.
//   - Limits of your own, such as one by IP address, come on top: see [Limit] and
//     [LimitBy].
//
// A Send that certainly put no SMS out is given back; one that may have is not. A
// few requests that Stytch itself refuses are free. Then they cost the wait, too,
// so that nobody finds out which Members and numbers there are.
//
// # What it cannot stop
//
// Who enters codes is a user. An attacker with phones of his own gets the codes he
// enters, and one SMS more for four of them. Who has the password of a Member can
// have 24 SMS sent to that Member's phone in a day.
//
// Under an attack new users may have to wait if nothing tells them from the
// attacker: if their Organization is new and the attacker has the same blocks of
// numbers, if the attacker sits in their Organization, or in the first hour of a
// Guard that has learned nothing yet. Members who have entered a code before never
// wait for others. The measured numbers are in the [README].
//
// Where a call gives no number, because the Member has one at Stytch, the Guard
// learns it from the answer. So the first SMS can go to a country that is not
// allowed. Set Stytch's own country allowlist, too.
//
// # Several processes
//
// In memory each process counts for itself, and forgets at its end: if it is
// started again during an attack, it knows nobody. Package
// [github.com/eb715825/stytchb2b/guard/redisstore] counts for all in Redis. When
// Redis does not answer within [DefaultStoreTimeout], each process decides by what
// it has counted itself, or refuses with [FailClosed]. It asks Redis again after a
// second. Countries and numbers are checked all the same, and the failure is
// logged.
//
// [README]: https://github.com/eb715825/stytchb2b/blob/main/guard/README.md
package guard
