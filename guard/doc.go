// Package guard protects the calls of package stytchb2b against toll fraud: SMS
// that a script asks for, to numbers that somebody earns from.
//
//	g, err := guard.New(
//		guard.AllowCountries("US", "CA"),
//		guard.Limit(guard.PerPhoneNumber, 5, time.Hour),
//		guard.Limit(guard.PerPrefix, 20, time.Hour),
//		guard.Limit(guard.InAll, 2000, time.Hour),
//	)
//	// ...
//	client, err := stytchb2b.NewClientFromEnv(stytchb2b.WithGuard(g))
//
// A Send that it refuses comes back as a [*stytchb2b.GuardError], with a time to
// try again where there is one; [errors.Is] finds why: [ErrCountry],
// [ErrNumber], [ErrCooldown], [ErrLimit] or [ErrStore].
//
// # What each part stops
//
//   - The countries stop SMS to where none of your users are, by the number's
//     real country: those that share +1 with the US are expensive.
//   - Numbers of premium-rate and other services, pagers and voicemail, and
//     numbers that cannot exist, are always refused, by the metadata of
//     libphonenumber.
//   - The cooldown stops the double click, and the user who presses "resend"
//     before the first code could arrive, which would make that one invalid.
//   - The limit per prefix stops who rents numbers in blocks; the limits per
//     number and per Member, who repeats one.
//   - The limits per Organization, per country and in all bound the damage of
//     what the others do not know.
//
// A Send that certainly put no SMS out is given back; one that may have is not.
//
// # What it cannot stop
//
// Where a call gives no number, because the Member has one at Stytch, the Guard
// cannot know it before the first Send; it learns it from the response, in this
// process, for the ones after. An attacker with many Members, numbers of many
// blocks in your own countries, and patience, gets what the limits in all let
// out. Set Stytch's own country allowlist too, and watch how many codes are ever
// entered.
//
// # Several processes
//
// In memory each process counts for itself: of n processes, an attacker gets n
// times the limits. Package
// [github.com/eb715825/stytchb2b/guard/redisstore] counts for all in Redis. When
// Redis does not answer within [DefaultStoreTimeout], Sends go out without
// limits, or are refused with [FailClosed]; countries and numbers are checked
// all the same, and the failure is logged.
package guard
