package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
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

	memoryKeys = 1 << 20 // Members and counts in memory, of up to 160 bytes
	cacheSize  = 1 << 16 // of what is known of numbers and Members
)

// An Option changes what [New] makes.
type Option func(*config) error

type config struct {
	countries    map[string]bool // nil: all
	strict       bool
	cooldown     time.Duration
	rules        []*rule
	exempt       []Exemption
	observe      bool
	onDecision   func(context.Context, Decision)
	store        counts.Store
	storeTimeout time.Duration
	failClosed   bool
	logger       *slog.Logger
	now          func() time.Time
}

// Recommended sets what suits a product of any size whose users have phones of
// these countries, by ISO 3166 code, such as "US": [AllowCountries], a limit of 100
// Sends for a number, which come back within a day, and budgets for SMS whose codes
// are not entered.
//
// The budgets rest on what tells users and attackers apart: people enter the
// codes they get. Members who have entered one in the last 30 days, or whose
// number Stytch calls verified, are trusted until five SMS in a row are unanswered.
// Budgets do not count the SMS of those who are trusted.
//
// All other SMS that are unanswered count in one budget: 330 SMS, and 85 more in a
// day. With each code that is entered it grows by a quarter of an SMS, for some
// hours. A Send that nothing speaks for may fill a fifth of it. Two things speak for
// a Send: codes that were entered in its Organization, and a block of numbers that
// has not only collected SMS. A second budget lets one number have seven unanswered
// SMS, and two more in a day.
func Recommended(countries ...string) Option {
	return func(c *config) error {
		if err := AllowCountries(countries...)(c); err != nil {
			return fmt.Errorf("Recommended: %w", err)
		}
		for _, b := range budgets {
			b.Name = "unanswered by " + b.scope.String()
			c.rules = append(c.rules, &b)
		}
		// Nobody's phone gets more than that, even if every code is entered.
		return Limit(PerPhoneNumber, 100, 24*time.Hour)(c)
	}
}

// budgets are what [Recommended] lets out unanswered. internal/tollfraud/README.md has
// the table that the reasons are from.
var budgets = []rule{
	// 330 lets 10,000 new users come in a quarter of an hour, and with 85 a day keeps
	// every attack below 500. A quarter for each code is twice what people leave
	// unanswered: without it, half of a launch is refused.
	{scope: InAll, Rule: counts.Rule{Kind: counts.All, Max: 330, Leak: 85, Growth: 0.25}},
	// A block speaks for four SMS: without it, who brings an Organization is refused
	// during an attack. It speaks again a third of a day after the attack.
	{scope: PerPrefix, Rule: counts.Rule{Kind: counts.Block, Max: 4, Leak: 3}},
	// An Organization in which an attacker has spent more than was entered is like a
	// new one, and recovers in two days.
	{scope: PerOrganization, Rule: counts.Rule{Kind: counts.Organization, Max: 20, Leak: 10}},
	// Seven: who gets no SMS for an hour asks so often. Without it, one phone gets 200.
	{scope: PerPhoneNumber, Rule: counts.Rule{Kind: counts.Number, Max: 7, Leak: 2}},
}

// AllowCountries refuses numbers of other countries than these, by ISO 3166
// code, such as "US". A number's country is the real one: numbers of Jamaica
// begin with +1 too, and are not of the US. Given twice, the countries add up.
func AllowCountries(codes ...string) Option {
	return func(c *config) error {
		if len(codes) == 0 {
			return errors.New("AllowCountries: needs a country")
		}
		if c.countries == nil {
			c.countries = map[string]bool{}
		}
		for _, code := range codes {
			if err := checkCountry(code); err != nil {
				return fmt.Errorf("AllowCountries: %w", err)
			}
			c.countries[code] = true
		}
		return nil
	}
}

// StrictNumbers refuses numbers in ranges that libphonenumber does not know yet.
// Without it, only numbers that cannot exist are refused: the metadata is a
// snapshot, and new ranges are assigned all the time.
func StrictNumbers() Option {
	return func(c *config) error {
		c.strict = true
		return nil
	}
}

// Cooldown is the time between the first two Sends for a Member, instead of
// [DefaultCooldown]. It doubles with each further Send, up to 64 times as long,
// until a code is verified or a day is over.
func Cooldown(d time.Duration) Option {
	return func(c *config) error {
		if d < time.Millisecond || d > time.Hour {
			return fmt.Errorf("Cooldown: must be 1 ms to 1 h, not %v", d)
		}
		c.cooldown = d
		return nil
	}
}

// A Scope says which Sends are counted together.
type Scope int

const (
	// PerMember counts by Member of an Organization.
	PerMember Scope = iota + 1
	// PerPhoneNumber counts by number.
	PerPhoneNumber
	// PerPrefix counts by the number without its last four digits: attackers
	// rent numbers in blocks.
	PerPrefix
	// PerCountry counts by the number's country.
	PerCountry
	// PerOrganization counts by Organization.
	PerOrganization
	// InAll counts every Send.
	InAll
	// PerValue counts by what the function of a [LimitBy] returns.
	PerValue
)

var scopeNames = [...]string{"", "member", "phone number", "prefix", "country", "organization", "all", "value"}

// String returns "member", "phone number" and so on.
func (s Scope) String() string {
	if s < PerMember || int(s) >= len(scopeNames) {
		return fmt.Sprintf("Scope(%d)", int(s))
	}
	return scopeNames[s]
}

// Limit lets n Sends out at once, by scope, and n more in each interval, evenly:
// with 5 and an hour, one comes back every 12 minutes. There may be several
// limits, and of one scope if their intervals differ: [Recommended] has one
// [PerPhoneNumber] of 24 hours. A Send counts against all of them or, if one is
// reached, against none. A Guard takes up to 16 limits and budgets, of which
// Recommended has 5. A limit whose n is changed keeps its count.
//
// Limits by number, prefix and country apply if the number is known: if the call
// gives it, or if this Guard knows it from a call for the Member in the last day.
func Limit(scope Scope, n int, interval time.Duration) Option {
	return func(c *config) error {
		if scope < PerMember || scope > InAll {
			return fmt.Errorf("Limit: there is no %v", scope)
		}
		return c.limit("Limit", &rule{scope: scope}, n, interval)
	}
}

// LimitBy is [Limit] by a value of your own, such as the client's IP address or
// a device. by returns it, usually from the context, or "" for a Send that the
// limit does not count. The name tells one such limit from another.
func LimitBy(name string, n int, interval time.Duration, by func(context.Context, stytchb2b.SMSSendParams) string) Option {
	return func(c *config) error {
		if name == "" || by == nil {
			return errors.New("LimitBy: needs a name and a function")
		}
		return c.limit("LimitBy", &rule{scope: PerValue, label: name, by: by}, n, interval)
	}
}

// A rule is what a Guard counts.
type rule struct {
	counts.Rule
	scope Scope
	label string // the name of a LimitBy
	by    func(context.Context, stytchb2b.SMSSendParams) string
}

func (c *config) limit(option string, r *rule, n int, interval time.Duration) error {
	what := r.scope.String()
	if r.label != "" {
		what = strconv.Quote(r.label)
	}
	switch {
	case n <= 0:
		return fmt.Errorf("%s %s: n must be more than 0, not %d", option, what, n)
	case interval < time.Second:
		return fmt.Errorf("%s %s: interval must be at least 1 s, not %v", option, what, interval)
	}
	r.Name = "limit by " + what + " in " + interval.String()
	r.Max = float64(n)
	r.Leak = r.Max * float64(24*time.Hour) / float64(interval)
	c.rules = append(c.rules, r)
	return nil
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
	return func(c *config) error {
		for _, e := range exemptions {
			switch {
			case e == Exemption{}:
				return errors.New("Exempt: an Exemption must not be empty")
			case e.MemberID != "" && e.OrganizationID == "":
				return errors.New("Exempt: MemberID needs OrganizationID")
			case e.NumberPrefix != "" && (len(e.NumberPrefix) < 2 || e.NumberPrefix[0] != '+' || strings.Trim(e.NumberPrefix[1:], "0123456789") != ""):
				return errors.New("Exempt: NumberPrefix must be \"+\" and digits")
			}
		}
		c.exempt = append(c.exempt, exemptions...)
		return nil
	}
}

// ObserveOnly refuses nothing. The Guard decides and counts all the same, and
// tells what it would have refused: see [OnDecision].
func ObserveOnly() Option {
	return func(c *config) error {
		c.observe = true
		return nil
	}
}

// A Decision is what a Guard decides about a Send. It holds no phone number and no
// ID, so that it can go into metrics.
type Decision struct {
	// Allowed reports whether the Send may go out. With [ObserveOnly], all may.
	Allowed bool
	// Refusal says why not, or with ObserveOnly why it would not; nil without one.
	Refusal *Refusal
	// Trusted reports whether the Member has entered a code lately, or Stytch calls
	// the number verified.
	Trusted bool
	// Country is the number's ISO 3166 code; empty if it is not known.
	Country string
	// Count is how many SMS the limit or budget counts that refuses, and Max how
	// many it allows. If none refuses, they are those of the budget in all. They are
	// 0 if none counts. Counts leak away, so they have fractions; Max depends on the
	// Send.
	Count, Max float64
	// VerifiedShare is the share of that budget's codes that were entered, from 0
	// to 1, over the last hours; 0 if none counts.
	VerifiedShare float64
}

// OnDecision calls f with each decision, in the caller's goroutine and before the
// Send. f must be fast.
func OnDecision(f func(context.Context, Decision)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("OnDecision: must not be nil")
		}
		c.onDecision = f
		return nil
	}
}

// WithStore counts in a store that several processes share: see package
// [github.com/eb715825/stytchb2b/guard/redisstore]. Without it, each process
// counts for itself, in memory.
func WithStore(store counts.Store) Option {
	return func(c *config) error {
		if store == nil {
			return errors.New("WithStore: must not be nil")
		}
		c.store = store
		return nil
	}
}

// StoreTimeout is how long a decision waits for the store, instead of
// [DefaultStoreTimeout].
func StoreTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return fmt.Errorf("StoreTimeout: must be more than 0, not %v", d)
		}
		c.storeTimeout = d
		return nil
	}
}

// FailClosed refuses Sends while the store does not answer. Without it, each
// process then decides by what it has counted itself.
func FailClosed() Option {
	return func(c *config) error {
		c.failClosed = true
		return nil
	}
}

// WithLogger logs failures of the store to logger, instead of
// [slog.Default].
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return errors.New("WithLogger: must not be nil")
		}
		c.logger = logger
		return nil
	}
}

// WithClock makes the Guard take the time from now, instead of [time.Now], for what
// it keeps in memory: for tests and simulations. A store in Redis has its own clock.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("WithClock: must not be nil")
		}
		c.now = now
		return nil
	}
}
