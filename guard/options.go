package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// DefaultCooldown is the time between two Sends for a Member.
	DefaultCooldown = 30 * time.Second
	// DefaultStoreTimeout is how long a decision waits for the store.
	DefaultStoreTimeout = 100 * time.Millisecond

	defaultKeys = 1 << 20 // of the MemoryStore that New makes
	cacheSize   = 1 << 16 // of what is known of numbers and Members
)

// An Option changes what [New] makes.
type Option func(*config) error

type config struct {
	countries    map[string]bool
	cooldown     time.Duration
	limits       []limit
	store        Store
	storeTimeout time.Duration
	failClosed   bool
	logger       *slog.Logger
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

// Cooldown is the time between two Sends for a Member, instead of
// [DefaultCooldown].
func Cooldown(d time.Duration) Option {
	return func(c *config) error {
		if d < time.Millisecond {
			return fmt.Errorf("Cooldown: must be at least 1 ms, not %v", d)
		}
		c.cooldown = d
		return nil
	}
}

// A Scope is what a [Limit] counts by.
type Scope int

const (
	// PerMember counts by Member of an Organization, as the call names them:
	// name each in one way, by ID or by external ID.
	PerMember Scope = iota
	// PerPhoneNumber counts by number.
	PerPhoneNumber
	// PerPrefix counts by the number without its last four digits: attackers
	// rent numbers in blocks.
	PerPrefix
	// PerCountry counts by the number's country.
	PerCountry
	// PerOrganization counts by Organization, as the call names it.
	PerOrganization
	// InAll counts every Send.
	InAll
)

var scopeNames = [...]string{"member", "phone number", "prefix", "country", "organization", "all"}

// String returns "member", "phone number" and so on.
func (s Scope) String() string {
	if s < 0 || int(s) >= len(scopeNames) {
		return fmt.Sprintf("Scope(%d)", int(s))
	}
	return scopeNames[s]
}

// Limit lets at most n Sends out in a window, by scope. A window begins with its
// first Send and lasts for interval, so around its end there may be up to 2n
// within an interval. There may be several limits, also of one scope: a Send is
// counted against all of them, or, where one is reached, against none.
//
// Limits by number, prefix and country apply where the number is known: where
// the call gives it, or this Guard has learned it from the response to an
// earlier Send for the Member.
func Limit(scope Scope, n int, interval time.Duration) Option {
	return func(c *config) error {
		switch {
		case scope < PerMember || scope > InAll:
			return fmt.Errorf("Limit: there is no %v", scope)
		case n <= 0:
			return fmt.Errorf("Limit %v: n must be more than 0, not %d", scope, n)
		case interval < time.Millisecond:
			return fmt.Errorf("Limit %v: interval must be at least 1 ms, not %v", scope, interval)
		case len(c.limits) >= maxClaims-1:
			return fmt.Errorf("Limit: at most %d are possible", maxClaims-1)
		}
		c.limits = append(c.limits, newLimit(scope, n, interval))
		return nil
	}
}

type limit struct {
	scope    Scope
	n        int
	interval time.Duration
	name     string // of what is counted together
}

func newLimit(scope Scope, n int, interval time.Duration) limit {
	return limit{scope, n, interval, fmt.Sprintf("%d per %v in %v", n, scope, interval)}
}

// subject returns what the limit counts a Send by; false where that is unknown.
func (l limit) subject(member [2]string, e164, region string) (subject [2]string, ok bool) {
	switch l.scope {
	case PerMember:
		return member, true
	case PerOrganization:
		return [2]string{member[0]}, true
	case InAll:
		return [2]string{}, true
	}
	if e164 == "" {
		return [2]string{}, false
	}
	switch l.scope {
	case PerPhoneNumber:
		return [2]string{e164}, true
	case PerPrefix:
		return [2]string{e164[:max(1, len(e164)-4)]}, true
	}
	return [2]string{region}, true
}

// WithStore counts in store: [NewMemoryStore] with another size, or one that
// several processes share, such as package redisstore's.
func WithStore(store Store) Option {
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

// FailClosed refuses Sends while the store does not answer. Without it they go
// out, checked but for limits, because a login that works is mostly worth more.
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
