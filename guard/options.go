package guard

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

const (
	// DefaultCooldown is the time between the first two Sends for a Member.
	DefaultCooldown = 30 * time.Second
	// DefaultStoreTimeout is how long a decision waits for the store.
	DefaultStoreTimeout = 100 * time.Millisecond

	memorySize = 1 << 19 // Members in memory, and as many numbers and Organizations
	cacheSize  = 1 << 16 // Members whose names are known, and numbers
)

// An Option changes what [New] makes.
type Option func(*config)

type config struct {
	countries    map[string]bool // nil: all
	cooldown     time.Duration
	budget       bool
	limits       []limit
	exempt       []Exemption
	observe      bool
	onDecision   func(context.Context, Decision)
	single       bool
	store        Store
	storeTimeout time.Duration
	failClosed   bool
	logger       *slog.Logger
	now          func() time.Time
	clock        bool  // now is not time.Now
	err          error // the first of an option
}

// must keeps the error of an option whose value is wrong.
func (c *config) must(ok bool, format string, args ...any) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf("guard: "+format, args...)
	}
}

// Recommended sets what suits a product of any size whose users have phones of
// these countries, by ISO 3166 code, such as "US": [AllowCountries], and budgets for
// SMS whose codes are not entered.
//
// The budgets rest on what tells users and attackers apart: people enter the codes
// they get. A Member who has entered one in the last 90 days, or whose number Stytch
// calls verified, is trusted with that number, and passes.
//
// All others share a pool of 290 unanswered SMS. One leaks away every hour, and three
// codes that they enter make room for one more. Eighty are kept for
// Organizations in which more phones have entered codes than SMS are open; a phone
// counts once a day.
//
// A code answers all of the Member's SMS of the last hour.
//
// A number has six unanswered SMS, and eight if a Member asks who is trusted with it;
// one leaks away every twelve hours. After 50 codes in a day entered with one phone,
// more of them prove nothing.
func Recommended(countries ...string) Option {
	return func(c *config) {
		c.budget = true
		AllowCountries(countries...)(c)
	}
}

// AllowCountries refuses numbers of other countries than these, by ISO 3166
// code, such as "US". A number's country is the real one: numbers of Jamaica
// begin with +1 too, and are not of the US. Given twice, the countries add up.
func AllowCountries(codes ...string) Option {
	return func(c *config) {
		c.must(len(codes) > 0, "AllowCountries: needs a country")
		if c.countries == nil {
			c.countries = map[string]bool{}
		}
		for _, code := range codes {
			c.must(isCountry(code), "AllowCountries: %q is not the ISO 3166 code of a country, such as \"US\"", code)
			c.countries[code] = true
		}
	}
}

// Cooldown is the time between the first two Sends for a Member, instead of
// [DefaultCooldown]. It doubles with each further Send, up to 64 times as long,
// until a code is entered.
func Cooldown(d time.Duration) Option {
	return func(c *config) {
		c.must(d >= time.Millisecond && d <= time.Hour, "Cooldown: must be 1 ms to 1 h, not %v", d)
		c.cooldown = d
	}
}

// A limit is a [LimitBy].
type limit struct {
	counts.Limit
	by func(context.Context, stytchb2b.SMSSendParams) string
}

// LimitBy lets n Sends out at once for each value, such as the client's IP address
// or a device, and n more in each interval, evenly: with 5 and an hour, one comes
// back every 12 minutes. by returns the value, usually from the context, or "" for a
// Send that the limit does not count. The name tells one limit from another; there
// may be 16. A Send counts against all of them or, if it is refused, against none.
func LimitBy(name string, n int, interval time.Duration, by func(context.Context, stytchb2b.SMSSendParams) string) Option {
	return func(c *config) {
		c.must(name != "" && by != nil, "LimitBy: needs a name and a function")
		c.must(n > 0, "LimitBy %q: n must be more than 0, not %d", name, n)
		c.must(interval >= time.Second && interval/time.Duration(max(1, n)) >= time.Millisecond,
			"LimitBy %q: interval must be at least 1 s, and 1 ms for each of n, not %v", name, interval)
		c.must(!slices.ContainsFunc(c.limits, func(l limit) bool { return l.Name == name }), "LimitBy %q is given twice", name)
		c.limits = append(c.limits, limit{counts.Limit{Name: name, Max: n, Interval: interval}, by})
		c.must(len(c.limits) <= counts.MaxLimits, "LimitBy: there are more than %d limits", counts.MaxLimits)
	}
}

// An Exemption names Sends that always pass. Each field that is not empty has to
// match.
type Exemption struct {
	OrganizationID string // as the call names it, or Stytch's own
	MemberID       string // as the call names it, or Stytch's own
	NumberPrefix   string // such as "+1202555"
}

// Exempt lets Sends pass uncounted, for test accounts or an important customer.
// Not even the cooldown applies. Given twice, the exemptions add up.
func Exempt(exemptions ...Exemption) Option {
	return func(c *config) {
		for _, e := range exemptions {
			digits, plus := strings.CutPrefix(e.NumberPrefix, "+")
			c.must(e != Exemption{}, "Exempt: an Exemption must not be empty")
			c.must(e.MemberID == "" || e.OrganizationID != "", "Exempt: MemberID needs OrganizationID")
			c.must(e.NumberPrefix == "" || plus && digits != "" && strings.Trim(digits, "0123456789") == "", "Exempt: NumberPrefix must be \"+\" and digits")
		}
		c.exempt = append(c.exempt, exemptions...)
	}
}

// ObserveOnly refuses nothing. The Guard decides and counts all the same, and
// tells what it would have refused: see [OnDecision].
func ObserveOnly() Option {
	return func(c *config) { c.observe = true }
}

// A Decision is what a Guard decides about a call. It holds no phone number and no
// ID, so that it can go into metrics.
type Decision struct {
	// Op is the call; for [Guard.BeforeLogin], it is that of a Send.
	Op stytchb2b.Op
	// Allowed reports whether the call may go out. With [ObserveOnly], all may.
	Allowed bool
	// Refusal says why not, or with ObserveOnly why it would not; nil without one.
	Refusal *Refusal
	// Trusted reports whether the Member passes without counting in the pool: see
	// [Recommended].
	Trusted bool
	// Country is the number's ISO 3166 code; empty if it is not known.
	Country string
	// Count is how many unanswered SMS the pool holds, before this Send, and Max how
	// many it may for this Send. Both are 0 if the pool does not count the Send. SMS
	// leak away, so Count has a fraction.
	Count, Max float64
}

// OnDecision calls f with each decision, in the caller's goroutine and before the
// call. f must be fast.
func OnDecision(f func(context.Context, Decision)) Option {
	return func(c *config) {
		c.must(f != nil, "OnDecision: must not be nil")
		c.onDecision = f
	}
}

// A Store is where several processes count together: a store of package
// [github.com/eb715825/stytchb2b/guard/redisstore].
type Store = counts.Store

// WithStore counts in a store that several processes share.
func WithStore(store Store) Option {
	return func(c *config) {
		c.must(store != nil, "WithStore: must not be nil")
		c.store = store
	}
}

// SingleProcess says that one process makes all calls, and lets the Guard count in
// its memory. Counts and trust end with the process.
//
// With several processes, each would hear of a part of the calls: where one makes
// the Send and another the Authenticate, codes that were entered count as unanswered,
// and honest users are refused without an attack. Limits are per process, too.
func SingleProcess() Option {
	return func(c *config) { c.single = true }
}

// StoreTimeout is how long a decision waits for the store, instead of
// [DefaultStoreTimeout].
func StoreTimeout(d time.Duration) Option {
	return func(c *config) {
		c.must(d > 0, "StoreTimeout: must be more than 0, not %v", d)
		c.storeTimeout = d
	}
}

// FailClosed refuses calls while the store does not answer. Without it, each
// process then decides by what it has counted itself.
func FailClosed() Option {
	return func(c *config) { c.failClosed = true }
}

// WithLogger logs failures of the store to logger, instead of
// [slog.Default].
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) {
		c.must(logger != nil, "WithLogger: must not be nil")
		c.logger = logger
	}
}

// WithClock makes the Guard take the time from now, instead of [time.Now] or the clock
// of the store's server: for tests and simulations.
func WithClock(now func() time.Time) Option {
	return func(c *config) {
		c.must(now != nil, "WithClock: must not be nil")
		c.now, c.clock = now, true
	}
}
