package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/eb715825/stytchb2b"
)

// Why a Guard refuses, for [errors.Is].
var (
	// ErrCountry: the number belongs to a country that is not allowed.
	ErrCountry = errors.New("the number's country is not allowed")
	// ErrNumber: no code should go to such a number.
	ErrNumber = errors.New("the number is not one to send codes to")
	// ErrCooldown: the Member was sent a code a moment ago.
	ErrCooldown = errors.New("the Member was sent a code a moment ago")
	// ErrLimit: a limit is reached.
	ErrLimit = errors.New("a limit is reached")
	// ErrStore: the store does not answer, and the Guard fails closed.
	ErrStore = errors.New("the store does not answer")
)

// A Guard decides whether a Send may go out. It is a [stytchb2b.Guard], and safe
// for concurrent use.
type Guard struct {
	countries    map[string]bool // nil: all
	limits       []limit         // the first is the cooldown
	store        Store
	storeTimeout time.Duration
	failClosed   bool
	logger       *slog.Logger
	logged       atomic.Int64 // when a failure of the store was, in Unix time

	numbers *cache[string, number]    // by E.164 form
	members *cache[[2]string, string] // numbers of Members, learned from responses
}

var _ stytchb2b.Guard = (*Guard)(nil)

// New makes a Guard. Without options it refuses a second Send for a Member
// within 30 seconds and numbers that no code should go to, and counts in memory.
// An error names the option that is wrong.
func New(opts ...Option) (*Guard, error) {
	cfg := config{cooldown: DefaultCooldown, storeTimeout: DefaultStoreTimeout, logger: slog.Default()}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("guard: an Option must not be nil")
		}
		if err := opt(&cfg); err != nil {
			return nil, fmt.Errorf("guard: %w", err)
		}
	}
	limits := append([]limit{newLimit(PerMember, 1, cfg.cooldown)}, cfg.limits...)
	for i, l := range limits {
		for _, other := range limits[:i] {
			if l.name == other.name {
				return nil, fmt.Errorf("guard: Limit: %s is there twice", l.name)
			}
		}
	}
	if cfg.store == nil {
		cfg.store, _ = NewMemoryStore(defaultKeys) // It is more than 0.
	}
	return &Guard{
		countries:    cfg.countries,
		limits:       limits,
		store:        cfg.store,
		storeTimeout: cfg.storeTimeout,
		failClosed:   cfg.failClosed,
		logger:       cfg.logger,
		numbers:      newCache[string, number](cacheSize),
		members:      newCache[[2]string, string](cacheSize),
	}, nil
}

// Allow implements [stytchb2b.Guard].
func (g *Guard) Allow(ctx context.Context, params stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
	member := [2]string{params.OrganizationID, params.MemberID}
	e164 := params.MFAPhoneNumber
	if e164 == "" {
		e164, _ = g.members.get(member)
	}
	var region string
	if e164 != "" {
		var err error
		if region, err = g.region(e164); err != nil {
			return nil, &stytchb2b.GuardError{Err: err}
		}
	}
	claims := make([]Claim, 0, len(g.limits))
	for _, l := range g.limits {
		if subject, ok := l.subject(member, e164, region); ok {
			claims = append(claims, Claim{Limit: l.name, Subject: subject, N: l.n, Interval: l.interval})
		}
	}
	full, wait, err := g.take(ctx, claims)
	switch {
	case err != nil && g.failClosed:
		return nil, &stytchb2b.GuardError{Err: fmt.Errorf("%w: %w", ErrStore, err)}
	case err != nil:
		claims = nil // Nothing was counted that could be given back.
	case full >= 0:
		why := ErrLimit
		if claims[full].Limit == g.limits[0].name {
			why = ErrCooldown
		}
		return nil, &stytchb2b.GuardError{RetryAfter: wait, Err: fmt.Errorf("%w (%s)", why, claims[full].Limit)}
	}
	return func(resp *stytchb2b.SMSSendResponse, err error) {
		if resp != nil && params.MFAPhoneNumber == "" && resp.Member.MFAPhoneNumber != "" {
			g.members.put(member, resp.Member.MFAPhoneNumber)
		}
		if err != nil && !stytchb2b.MaybeSent(err) && claims != nil {
			// The call's context may be over.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.storeTimeout)
			defer cancel()
			if err := g.store.Give(ctx, claims); err != nil {
				g.logStore(ctx, err)
			}
		}
	}, nil
}

// region returns the number's, or why no code may go there.
func (g *Guard) region(e164 string) (string, error) {
	n, ok := g.numbers.get(e164)
	if !ok {
		n = classify(e164)
		g.numbers.put(e164, n)
	}
	if n.reason != "" {
		return "", fmt.Errorf("%w: it is %s", ErrNumber, n.reason)
	}
	if g.countries != nil && !g.countries[n.region] {
		return "", fmt.Errorf("%w: %s", ErrCountry, n.region)
	}
	return n.region, nil
}

// take asks the store, and waits for it no longer than it may, whether the store
// obeys its context or not.
func (g *Guard) take(ctx context.Context, claims []Claim) (full int, wait time.Duration, err error) {
	if memory, ok := g.store.(*MemoryStore); ok {
		return memory.Take(ctx, claims) // It never waits, and needs no goroutine.
	}
	type taken struct {
		full int
		wait time.Duration
		err  error
	}
	ctx, cancel := context.WithTimeout(ctx, g.storeTimeout)
	answer := make(chan taken, 1)
	go func() {
		defer cancel()
		full, wait, err := g.store.Take(ctx, claims)
		answer <- taken{full, wait, err}
	}()
	var t taken
	select {
	case t = <-answer:
	case <-ctx.Done():
		select {
		case t = <-answer: // It has answered, and ended the context by that.
		default:
			t.err = ctx.Err()
		}
	}
	if t.err != nil {
		g.logStore(ctx, t.err)
	}
	return t.full, t.wait, t.err
}

// logStore logs that the store failed, once a second at most.
func (g *Guard) logStore(ctx context.Context, err error) {
	now := time.Now().Unix()
	if last := g.logged.Load(); last == now || !g.logged.CompareAndSwap(last, now) {
		return
	}
	policy := "open: Sends go out without limits"
	if g.failClosed {
		policy = "closed: Sends are refused"
	}
	g.logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelError, "guard: the store does not answer",
		slog.String("error", err.Error()), slog.String("fails", policy))
}
