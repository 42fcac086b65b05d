package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// A ledger asks the store, and decides what to do when it does not answer.
type ledger struct {
	memory  *counts.Memory // the only one, or for when the store does not answer
	store   counts.Store   // nil: none but memory
	timeout time.Duration
	closed  bool // refuse when the store does not answer
	logger  *slog.Logger
	now     func() time.Time
	rules   []*rule

	refused *lru.Cache[refusedKey, remembered]
	down    atomic.Int64 // until when the store is not asked, in Unix nanoseconds
	asking  atomic.Int64 // calls of the store under way
	logged  atomic.Int64 // when a failure was, in Unix seconds
	owed    owed
}

const (
	// pause is how long a store that has failed is not asked.
	pause = time.Second
	// rememberRefusal is how long a refusal is not asked for again. It is short:
	// another process may hear of a code that is verified.
	rememberRefusal = 2 * time.Second
	// maxAsking bounds the calls under way of a store that never returns.
	maxAsking = 4096
	// maxOwed and owedLasts bound what a store is told once it answers again.
	maxOwed   = 4096
	owedLasts = 10 * time.Minute
)

// A refusedKey is what has no room: a Member, a Member with a number in a budget,
// or what a limit counts.
type refusedKey struct {
	limit   *counts.Rule
	subject [2]string
	budget  bool
	number  string
}

type remembered struct {
	refusal *Refusal
	verdict counts.Verdict
	at      time.Time
}

func newLedger(c *config) *ledger {
	l := &ledger{
		memory:  counts.NewMemory(memoryKeys, c.now),
		store:   c.store,
		timeout: c.storeTimeout,
		closed:  c.failClosed,
		logger:  c.logger,
		now:     c.now,
		rules:   c.rules,
	}
	if l.logger == nil {
		l.logger = slog.Default()
	}
	l.refused, _ = lru.New[refusedKey, remembered](cacheSize) // It fails for a size of 0.
	return l
}

func newID() [2]uint64 { return [2]uint64{rand.Uint64(), rand.Uint64()} }

// taken is what was said of a claim, and by whom.
type taken struct {
	claim    *counts.Claim
	verdict  counts.Verdict
	refusal  *Refusal       // nil: it may go out
	memory   counts.Verdict // of memory, if it has counted it
	inMemory bool           // memory has counted it
	inStore  bool           // the store has counted it, or may have
	answered bool           // the verdict is the store's
}

func (l *ledger) said(c *counts.Claim, v counts.Verdict) taken {
	t := taken{claim: c, verdict: v}
	switch {
	case v.Allowed:
	case v.By < 0:
		t.refusal = &Refusal{Err: ErrCooldown, Scope: PerMember}
	default:
		i := slices.IndexFunc(l.rules, func(r *rule) bool { return &r.Rule == c.Buckets[v.By].Rule })
		t.refusal = &Refusal{Err: ErrLimit, Scope: l.rules[i].scope, Limit: l.rules[i].label}
		if l.rules[i].Kind != counts.Limit {
			t.refusal.Err = ErrUnanswered
		}
	}
	return t
}

// take decides on a claim, and counts it.
func (l *ledger) take(ctx context.Context, c *counts.Claim) taken {
	if l.store == nil {
		return l.takeInMemory(ctx, c)
	}
	if t, ok := l.remember(c); ok {
		return t
	}
	v, err := l.ask(ctx, func(ctx context.Context) (counts.Verdict, error) {
		v, err := l.store.Take(ctx, c)
		if err == nil {
			err = v.Check(c)
		}
		return v, err
	})
	var t taken
	switch {
	case err == nil:
		t = l.said(c, v)
		t.inStore, t.answered = true, true
		if t.refusal == nil || c.Force {
			t.memory, t.inMemory = l.countAlong(ctx, c, v.Trusted), true
		} else {
			l.refused.Add(refusedBy(c, v), remembered{t.refusal, v, l.now()})
		}
		return t
	case l.closed:
		t = taken{claim: c, verdict: counts.Verdict{Wait: pause}, refusal: &Refusal{Err: ErrStore, Detail: err.Error()}}
	default:
		t = l.takeInMemory(ctx, c)
	}
	t.inStore = !errors.Is(err, errNotAsked)
	if t.inStore && t.refusal != nil && !c.Force { // It may have counted a Send that it does not decide on.
		giveBack := func(ctx context.Context) error { return l.store.Settle(ctx, c, counts.Verdict{}, counts.End{}) }
		l.owed.add(correction{giveBack, time.Now()})
	}
	return t
}

func (l *ledger) takeInMemory(ctx context.Context, c *counts.Claim) taken {
	v, _ := l.memory.Take(ctx, c)
	t := l.said(c, v)
	t.memory, t.inMemory = v, true
	return t
}

// countAlong counts in memory what the store has counted, and whom it trusts, for
// when it does not answer. Budgets are left out: this process does not hear of all
// codes that are verified.
func (l *ledger) countAlong(ctx context.Context, c *counts.Claim, trusted bool) counts.Verdict {
	along := *c
	along.Force, along.Free = true, true
	v, _ := l.memory.Take(ctx, &along)
	if trusted {
		_ = l.memory.Settle(ctx, &along, v, counts.End{Sent: true, Verified: true})
	}
	return v
}

// refusedBy is what has no room: what a limit counts, or else the Member. That a
// budget has none is true of those only who are not trusted, with this number.
func refusedBy(c *counts.Claim, v counts.Verdict) refusedKey {
	switch {
	case v.By < 0:
		return refusedKey{subject: c.Member}
	case c.Buckets[v.By].Rule.Kind != counts.Limit:
		return refusedKey{subject: c.Member, budget: true, number: c.Number}
	}
	return refusedKey{limit: c.Buckets[v.By].Rule, subject: c.Buckets[v.By].Subject}
}

// remember finds a refusal of moments ago, which needs no answer of the store's.
func (l *ledger) remember(c *counts.Claim) (t taken, ok bool) {
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
	if is(refusedKey{subject: c.Member}) || is(refusedKey{subject: c.Member, budget: true, number: c.Number}) {
		return t, ok
	}
	for _, b := range c.Buckets {
		if b.Rule.Kind == counts.Limit && is(refusedKey{limit: b.Rule, subject: b.Subject}) {
			break
		}
	}
	return t, ok
}

// settle corrects what was counted.
func (l *ledger) settle(ctx context.Context, t taken, end counts.End) {
	if t.inMemory {
		_ = l.memory.Settle(ctx, t.claim, t.memory, end)
	}
	if t.inStore {
		v := t.verdict
		if !t.answered {
			v = counts.Verdict{}
		}
		l.tell(ctx, func(ctx context.Context) error { return l.store.Settle(ctx, t.claim, v, end) })
	}
}

// verify trusts the claim's Member.
func (l *ledger) verify(ctx context.Context, c *counts.Claim) {
	_ = l.memory.Verify(ctx, c)
	if l.store == nil {
		return
	}
	l.refused.Remove(refusedKey{subject: c.Member})
	l.refused.Remove(refusedKey{subject: c.Member, budget: true})
	l.refused.Remove(refusedKey{subject: c.Member, budget: true, number: c.Number})
	l.tell(ctx, func(ctx context.Context) error { return l.store.Verify(ctx, c) })
}

// tell tells the store something, if need be later.
func (l *ledger) tell(ctx context.Context, what func(context.Context) error) {
	_, err := l.ask(context.WithoutCancel(ctx), func(ctx context.Context) (counts.Verdict, error) { return counts.Verdict{}, what(ctx) })
	if err != nil {
		l.owed.add(correction{what, time.Now()})
	}
}

// The store was not asked: it has counted nothing.
var (
	errNotAsked = errors.New("it was not asked")
	errDown     = fmt.Errorf("%w: it has failed a moment ago", errNotAsked)
	errBusy     = fmt.Errorf("%w: too many calls of it are under way", errNotAsked)
)

// ask asks the store, and waits for it no longer than it may, whether the store
// obeys its context or not. After a failure the store is not asked for a while,
// and then by one call first.
func (l *ledger) ask(ctx context.Context, question func(context.Context) (counts.Verdict, error)) (counts.Verdict, error) {
	now := time.Now().UnixNano()
	if down := l.down.Load(); down != 0 && (now < down || !l.down.CompareAndSwap(down, now+int64(pause))) {
		return counts.Verdict{}, errDown
	}
	if l.asking.Add(1) > maxAsking {
		l.asking.Add(-1)
		return counts.Verdict{}, errBusy
	}
	type answer struct {
		verdict counts.Verdict
		err     error
	}
	answers := make(chan answer, 1)
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	defer cancel()
	go func() {
		defer l.asking.Add(-1)
		l.owed.pay(l.timeout)
		v, err := question(asking)
		answers <- answer{v, err}
	}()
	var a answer
	select {
	case a = <-answers:
	case <-asking.Done():
		a.err = asking.Err()
	case <-ctx.Done():
		return counts.Verdict{}, ctx.Err() // The caller has gone: that says nothing of the store.
	}
	if a.err != nil {
		l.down.Store(time.Now().Add(pause).UnixNano())
		l.log(ctx, a.err)
	} else {
		l.down.Store(0)
	}
	return a.verdict, a.err
}

// owed are corrections that the store has not heard. One may be told twice.
type owed struct {
	mu  sync.Mutex
	all []correction // the oldest first

	paying atomic.Bool
}

type correction struct {
	tell  func(context.Context) error
	since time.Time
}

func (o *owed) add(c correction) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.all) == maxOwed {
		o.all = o.all[1:]
	}
	o.all = append(o.all, c)
}

// next takes the oldest that is not too old.
func (o *owed) next() (c correction, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.all) > 0 {
		c, o.all = o.all[0], o.all[1:]
		if time.Since(c.since) < owedLasts {
			return c, true
		}
	}
	return correction{}, false
}

// pay tells the store what it is owed, up to the first failure. It waits for that
// a little: what is given back is to be there for the call that has found the
// store answering.
func (o *owed) pay(timeout time.Duration) {
	if !o.paying.CompareAndSwap(false, true) {
		return
	}
	c, ok := o.next()
	if !ok {
		o.paying.Store(false)
		return
	}
	paid := make(chan struct{})
	go func() {
		defer close(paid)
		defer o.paying.Store(false)
		for ; ok; c, ok = o.next() {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			err := c.tell(ctx)
			cancel()
			if err != nil {
				o.add(c)
				return
			}
		}
	}()
	select {
	case <-paid:
	case <-time.After(timeout / 2):
	}
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
