// Package counts has the rules of package guard, and a [Store] in this process's
// memory that follows them. Package redisstore does the same in Redis.
package counts

import (
	"context"
	"time"
)

// A Store counts SMS and wrong codes, and remembers who has entered codes. All
// stores decide alike: [Memory] is their reference.
type Store interface {
	// Do decides on an event, where there is something to decide, and counts it,
	// atomically.
	Do(ctx context.Context, e Event) (Verdict, error)
}

// An Event is what a [Store] hears of a Member.
type Event struct {
	Kind   Kind
	Member [2]string // Organization and Member
	Number string    // one form for each phone; empty if it is not known
	// At is when the event happened, in Unix milliseconds. Zero is now, and less is
	// so long ago, by the store's clock.
	At int64

	ID       uint64        // of a Send and its Undo: random
	Cooldown time.Duration // the wait after the first SMS; it doubles with each
	Budget   bool          // unanswered SMS count in the budgets
	Limits   []Limit       // of the caller's, for a Send
	Force    bool          // count even what is refused

	Verified bool // Told: Stytch says that the number is verified
	Answer   bool // Told: it is an answer to a Send
	Trusted  bool // Send, in memory only: another store trusts the Member
}

// A Kind says what has happened.
type Kind byte

const (
	Ask   Kind = iota // a Send would follow: decide, and count nothing
	Send              // decide, and count the SMS
	Undo              // the Send with this ID put no SMS out
	Told              // Stytch has said which number the Member has
	Code              // the Member has entered a right code
	Guess             // a code comes: decide, and count it as a wrong one
	Clear             // nobody has said that it was wrong: count it no more
)

// Decides reports whether a verdict on the kind can be a refusal.
func (k Kind) Decides() bool { return k == Ask || k == Send || k == Guess }

// A Limit lets so many Sends out in an interval.
type Limit struct {
	Name, Value string
	Max         int
	Interval    time.Duration
}

// One is how long it takes until one more may go out.
func (l Limit) One() time.Duration {
	return (l.Interval / time.Duration(l.Max)).Truncate(time.Millisecond)
}

// MaxLimits is how many limits an event has at most.
const MaxLimits = 16

// A Verdict is the answer of a [Store] to an [Event].
type Verdict struct {
	By      Cause
	Limit   int           // which one, by its index, if that is the cause
	Wait    time.Duration // until it would allow: the longest, and By and Limit say of what
	Trusted bool          // budgets do not count the Send
	// Count is how many unanswered SMS the budget of all counts, and Max how many it
	// may for this Send; both are 0 if it does not count the Send.
	Count, Max float64
}

// A Cause is why an event is refused.
type Cause int

const (
	Nothing  Cause = iota // it is allowed
	Cooldown              // the last SMS was a moment ago
	Limited               // a limit of the caller's
	Number                // too many SMS to the number are unanswered
	Pool                  // too many SMS in all
	Guesses               // too many wrong codes
)
