package guard

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// A ledger asks the store, and decides in memory while that does not answer. What
// was decided in memory, the store hears before anything else when it answers again.
type ledger struct {
	memory  *counts.Memory // the only one, or for when the store does not answer
	store   counts.Store   // nil: none but memory
	timeout time.Duration
	closed  bool // refuse when the store does not answer
	logger  *slog.Logger

	mu       sync.Mutex
	owed     []owed // what the store has not heard, the oldest first
	settling bool   // a call tells it
	failed   bool   // the last call
	retry    time.Time
}

// owed is an event that the store has not heard.
type owed struct {
	event counts.Event
	since time.Time
}

const (
	// pause is how long a store that has failed is not asked.
	pause = time.Second
	// maxOwed bounds the memory that an outage may take: 200 bytes each.
	maxOwed = 1 << 18
)

// errNotAsked: the store has counted nothing.
var errNotAsked = errors.New("it was not asked: it has failed a moment ago")

// do has an event decided and counted. An error means that nothing could decide.
func (l *ledger) do(ctx context.Context, e counts.Event) (counts.Verdict, error) {
	if l.store == nil {
		return l.memory.Do(ctx, e)
	}
	v, err := counts.Verdict{}, errNotAsked
	if l.settled(ctx) {
		v, err = l.call(ctx, e)
	}
	if err == nil {
		if v.By == counts.Nothing || e.Force {
			l.countAlong(e, v.Trusted)
		}
		return v, nil
	}
	refuse := l.closed && e.Kind.Decides()
	if !refuse {
		v, _ = l.memory.Do(ctx, e)
	}
	counted := !refuse && (v.By == counts.Nothing || e.Force) && e.Kind != counts.Ask
	switch {
	case counted:
		e.Force = true
		l.owe(e)
	case errors.Is(err, errNotAsked):
	case e.Kind == counts.Send: // The store may have counted what does not go out.
		e.Kind = counts.Undo
		l.owe(e)
	default: // It is asked before anything else goes there.
		e.Kind = counts.Ask
		l.owe(e)
	}
	if refuse {
		return counts.Verdict{}, err
	}
	return v, nil
}

// countAlong counts in memory what the store has counted, for when it does not
// answer. Budgets are left out: this process does not hear of all codes that are
// entered.
func (l *ledger) countAlong(e counts.Event, trusted bool) {
	e.Force, e.Budget, e.Trusted = true, false, trusted
	_, _ = l.memory.Do(context.Background(), e) // It never fails.
}

func (l *ledger) owe(e counts.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.owed) < maxOwed {
		l.owed = append(l.owed, owed{e, time.Now()})
	}
}

// settled reports whether the store has heard all that it is owed. One call at a time
// tells it, for no longer than it may wait.
func (l *ledger) settled(ctx context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.owed) > 0 && (l.settling || time.Now().Before(l.retry)) {
		return false
	}
	l.settling = true
	defer func() { l.settling = false }()
	for start := time.Now(); len(l.owed) > 0 && time.Since(start) < l.timeout; l.owed = l.owed[1:] {
		e := l.owed[0].event
		if e.At == 0 {
			e.At = min(-1, -time.Since(l.owed[0].since).Milliseconds())
		}
		l.mu.Unlock()
		_, err := l.call(ctx, e)
		l.mu.Lock()
		if err != nil {
			return false
		}
	}
	return len(l.owed) == 0
}

// call asks the store, and waits for it no longer than it may, whether the store
// obeys its context or not.
func (l *ledger) call(ctx context.Context, e counts.Event) (counts.Verdict, error) {
	type answer struct {
		verdict counts.Verdict
		err     error
	}
	answers := make(chan answer, 1)
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	defer cancel()
	go func() {
		v, err := l.store.Do(asking, e)
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.err != nil {
		if !l.failed {
			l.logger.LogAttrs(ctx, slog.LevelError, "guard: the store does not answer", slog.String("error", a.err.Error()), slog.Bool("fail_closed", l.closed))
		}
		l.retry = time.Now().Add(pause)
	}
	l.failed = a.err != nil
	return a.verdict, a.err
}
