package guard

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// A ledger asks the store, and decides what to do when it does not answer.
type ledger struct {
	memory  *MemoryStore // the only one, or for when the store does not answer
	store   Store        // nil: none but memory
	timeout time.Duration
	closed  bool // refuse when the store does not answer
	logger  *slog.Logger
	now     func() time.Time

	refused *lru.Cache[refusedKey, remembered]
	down    atomic.Int64 // until when the store is not asked, in Unix nanoseconds
	logged  atomic.Int64 // when a failure was, in Unix seconds
}

const (
	// pause is how long a store that has failed is not asked.
	pause = time.Second
	// rememberRefusal is how long a refusal is not asked for again. It is short:
	// another process may hear of a code that is verified.
	rememberRefusal = 2 * time.Second
)

// A refusedKey is what has no room: a Member, or what a limit counts.
type refusedKey struct {
	rule    *Rule // nil: a Member
	subject [2]string
}

type remembered struct {
	refusal *Refusal
	verdict Verdict
	at      time.Time
}

func newLedger(c *config) *ledger {
	l := &ledger{
		store:   c.store,
		timeout: c.storeTimeout,
		closed:  c.failClosed,
		logger:  c.logger,
		now:     c.now,
	}
	if memory, ok := c.store.(*MemoryStore); ok {
		l.memory, l.store = memory, nil
	} else {
		l.memory = newMemoryStore(defaultKeys, c.now)
	}
	if l.logger == nil {
		l.logger = slog.Default()
	}
	l.refused, _ = lru.New[refusedKey, remembered](cacheSize) // It fails for a size of 0.
	return l
}

func newID() [2]uint64 { return [2]uint64{rand.Uint64(), rand.Uint64()} }

// taken is what a store has said of a claim.
type taken struct {
	store   Store // that has counted it; nil for none
	claim   *Claim
	verdict Verdict
	refusal *Refusal // nil: it may go out
}

func said(store Store, c *Claim, v Verdict) taken {
	t := taken{store: store, claim: c, verdict: v}
	switch {
	case v.Allowed:
	case v.By < 0:
		t.refusal = &Refusal{Err: ErrCooldown, Scope: PerMember}
	case c.Buckets[v.By].Rule.Budget:
		t.refusal = &Refusal{Err: ErrUnanswered, Scope: c.Buckets[v.By].Rule.Scope}
	default:
		t.refusal = &Refusal{Err: ErrLimit, Scope: c.Buckets[v.By].Rule.Scope, Limit: c.Buckets[v.By].Rule.label}
	}
	return t
}

// take decides on a claim, and counts it.
func (l *ledger) take(ctx context.Context, c *Claim) taken {
	if l.store == nil {
		v, _ := l.memory.Take(ctx, c)
		return said(l.memory, c, v)
	}
	if t, ok := l.remember(c); ok {
		return t
	}
	v, err := within(ctx, l, func(ctx context.Context) (Verdict, error) {
		return l.store.Take(ctx, c)
	}, func(ctx context.Context) {
		_ = l.store.Settle(ctx, c, Verdict{}, End{}) // It may have counted a Send that it does not decide on.
	})
	switch {
	case err == nil:
		t := said(l.store, c, v)
		if t.refusal != nil {
			l.refused.Add(refusedBy(c, v), remembered{t.refusal, v, l.now()})
		}
		return t
	case l.closed:
		return taken{claim: c, verdict: Verdict{Wait: pause}, refusal: &Refusal{Err: ErrStore, Detail: err.Error()}}
	}
	v, _ = l.memory.Take(ctx, c)
	return said(l.memory, c, v)
}

// refusedBy is what has no room: what a limit counts, or else the Member. That a
// budget has none is true of those only who are not trusted.
func refusedBy(c *Claim, v Verdict) refusedKey {
	if v.By >= 0 && !c.Buckets[v.By].Rule.Budget {
		return refusedKey{c.Buckets[v.By].Rule, c.Buckets[v.By].Subject}
	}
	return refusedKey{subject: c.Member}
}

// remember finds a refusal of moments ago, which needs no answer of the store's.
func (l *ledger) remember(c *Claim) (t taken, ok bool) {
	if c.Force {
		return t, false // It has to be counted.
	}
	is := func(k refusedKey) bool {
		m, found := l.refused.Get(k)
		past := l.now().Sub(m.at)
		if !found || past < 0 || past >= min(rememberRefusal, m.verdict.Wait) {
			return false
		}
		m.verdict.Wait -= past
		t, ok = taken{claim: c, verdict: m.verdict, refusal: m.refusal}, true
		return true
	}
	if is(refusedKey{subject: c.Member}) {
		return t, ok
	}
	for _, b := range c.Buckets {
		if !b.Rule.Budget && is(refusedKey{b.Rule, b.Subject}) {
			break
		}
	}
	return t, ok
}

// settle corrects what was counted.
func (l *ledger) settle(ctx context.Context, t taken, end End) {
	if end.Verified && l.store != nil {
		actual := t.claim
		if end.Actual != nil {
			actual = end.Actual
		}
		_ = l.memory.Verify(ctx, actual) // for when the store does not answer
	}
	switch t.store {
	case nil:
	case Store(l.memory):
		_ = l.memory.Settle(ctx, t.claim, t.verdict, end)
	default:
		_, _ = within(context.WithoutCancel(ctx), l, func(ctx context.Context) (Verdict, error) {
			return t.verdict, l.store.Settle(ctx, t.claim, t.verdict, end)
		}, nil)
	}
}

// verify trusts the claim's Member.
func (l *ledger) verify(ctx context.Context, c *Claim) {
	_ = l.memory.Verify(ctx, c)
	if l.store == nil {
		return
	}
	l.refused.Remove(refusedKey{subject: c.Member})
	_, _ = within(context.WithoutCancel(ctx), l, func(ctx context.Context) (Verdict, error) {
		return Verdict{}, l.store.Verify(ctx, c)
	}, nil)
}

var errDown = errors.New("it has failed a moment ago")

// within asks the store, and waits for it no longer than it may, whether the
// store obeys its context or not. After a failure the store is not asked for a
// while, and then by one call first. Where the answer is an error, or comes when
// nobody waits any more, late is called, if it is not nil.
func within(ctx context.Context, l *ledger, ask func(context.Context) (Verdict, error), late func(context.Context)) (Verdict, error) {
	now := time.Now().UnixNano()
	if down := l.down.Load(); down != 0 && (now < down || !l.down.CompareAndSwap(down, now+int64(pause))) {
		return Verdict{}, errDown
	}
	type answer struct {
		verdict Verdict
		err     error
	}
	answers := make(chan answer, 1)
	var settled atomic.Bool // who is first: the answer, or the end of the wait
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	go func() {
		defer cancel()
		v, err := ask(asking)
		inTime := settled.CompareAndSwap(false, true)
		if inTime {
			answers <- answer{v, err}
		}
		if late != nil && (!inTime || err != nil) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(asking), 10*l.timeout)
			defer cancel()
			late(ctx)
		}
	}()
	var a answer
	select {
	case a = <-answers:
	case <-asking.Done():
		if a.err = asking.Err(); !settled.CompareAndSwap(false, true) {
			a = <-answers
		}
	case <-ctx.Done():
		if settled.CompareAndSwap(false, true) {
			return Verdict{}, ctx.Err() // The caller has gone: that says nothing of the store.
		}
		a = <-answers
	}
	if a.err != nil {
		l.down.Store(now + int64(l.timeout+pause))
		l.log(ctx, a.err)
	} else {
		l.down.Store(0)
	}
	return a.verdict, a.err
}

// log logs that the store failed, once a second at most.
func (l *ledger) log(ctx context.Context, err error) {
	now := time.Now().Unix()
	if last := l.logged.Load(); last == now || !l.logged.CompareAndSwap(last, now) {
		return
	}
	policy := "open: this process decides by what it has counted itself"
	if l.closed {
		policy = "closed: Sends are refused"
	}
	l.logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelError, "guard: the store does not answer",
		slog.String("error", err.Error()), slog.String("fails", policy))
}
