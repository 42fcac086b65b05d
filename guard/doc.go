// Package guard protects the calls of package stytchb2b against toll fraud: a
// script requests SMS to phone numbers that earn their owners money.
//
//	g, err := guard.New(guard.Recommended("US", "CA")) // where your users' phones are from
//	// ...
//	client, err := stytchb2b.NewClientFromEnv(stytchb2b.WithGuard(g))
//
// People enter the codes they get, and pumped numbers never do. So the Guard lets
// Members pass who have entered a code lately. For everyone else, it bounds how
// many SMS may go unanswered. It learns by itself: the Client tells it of each
// Authenticate that succeeds. Call [Guard.SMSSent] for the SMS that Stytch sends
// by itself after a primary authentication.
//
// A Send that it refuses comes back as a [*stytchb2b.GuardError], with a time to
// try again where there is one; [errors.Is] finds why, such as [ErrCooldown] or
// [ErrUnanswered], and [errors.As] a [*Refusal] with the details.
//
// # What each part stops
//
//   - The cooldown stops the double click, and the user who presses "resend" before
//     the first code could arrive, which would make that one invalid. It doubles
//     with each Send, from 30 seconds to 32 minutes, until a code is entered.
//   - The countries stop SMS to where none of your users are, by the number's
//     real country: those that share +1 with the US are expensive.
//   - Numbers of premium-rate and other services, pagers, satellites and
//     voicemail, and numbers that cannot exist, are always refused, by the
//     metadata of libphonenumber.
//   - The budgets of [Recommended] stop attackers who rent numbers, however many
//     blocks, Members and Organizations they have.
//   - Limits of your own, such as one by IP address, come on top: see [Limit] and
//     [LimitBy].
//
// A Send that certainly sent no SMS does not count; one that may have sent one
// does. If Stytch itself refuses a Send, the cooldown does not begin, up to five
// times a day for a Member. After that it does, so that nobody can find out which
// Members and numbers exist.
//
// # What it cannot stop
//
// Whoever enters codes counts as a user. Attackers with phones of their own get
// the codes that they enter, and up to five more SMS for each Member.
//
// During an attack, new users may have to wait if nothing tells them from the
// attacker: if their Organization is new, if the attacker is in it, or in the first
// hours of a Guard that has learned nothing yet. Members who have entered a code in
// the last 30 days do not wait because of others. The measured numbers are in the
// [README].
//
// Where a call gives no number, because the Member has one at Stytch, the Guard
// learns it from the answer. So the first SMS can go to a country that is not
// allowed. Set Stytch's own country allowlist, too.
//
// # Several processes
//
// In memory, each process counts for itself and forgets when it ends: if it
// restarts during an attack, it trusts nobody. Memory holds a million Members and
// counts, of up to 160 bytes each. Package
// [github.com/eb715825/stytchb2b/guard/redisstore] counts for all processes in
// Redis. When Redis does not answer within [DefaultStoreTimeout], each process
// decides by what it has counted itself or, with [FailClosed], refuses. It asks
// Redis again after a second. Countries and numbers are still checked, and the
// failure is logged.
//
// [README]: https://github.com/eb715825/stytchb2b/blob/main/guard/README.md
package guard
