// Package counts counts SMS and remembers who has entered codes, in this process's
// memory. Package redisstore does the same in Redis.
package counts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// A Store counts SMS and remembers who has entered codes. All stores decide alike:
// [Memory] is their reference.
type Store interface {
	// Take decides on a Send and counts it, atomically. What it refuses is not
	// counted, unless the claim says Force. Asked again with the same ID, it gives
	// the same answer and counts nothing.
	Take(ctx context.Context, c *Claim) (Verdict, error)

	// Settle corrects what Take has counted, by how the Send ended. Only the
	// first Settle of an ID has an effect, and a Take that comes after it has
	// none. The verdict is Take's, or zero if Take's answer did not arrive.
	Settle(ctx context.Context, c *Claim, v Verdict, end End) error

	// Verify gives back what the Member's Sends have counted, and trusts the
	// Member with the claim's Number from now on. Only the first Verify of an ID
	// has an effect.
	Verify(ctx context.Context, c *Claim) error
}

// A Claim is one Send, as a [Store] counts it.
type Claim struct {
	ID       [2]uint64     // of this Send: random
	Member   [2]string     // Organization and Member
	Number   string        // in E.164 form; empty if it is not known
	Cooldown time.Duration // the wait after the first Send; it doubles with each
	Buckets  []Bucket      // up to MaxBuckets
	Force    bool          // count even what is refused
	Free     bool          // do not count as unanswered
}

// MaxBuckets is how many buckets a Send is counted in at most.
const MaxBuckets = 16

// A Bucket is what a [Claim] counts against one [Rule].
type Bucket struct {
	Rule    *Rule
	Subject [2]string // what is counted together: an Organization, a number
}

// A Rule says how many SMS a bucket holds.
type Rule struct {
	Name   string // names what is counted; it does not change with Max
	Kind   Kind
	Max    float64 // SMS
	Leak   float64 // SMS a day: room comes back with time
	Growth float64 // how much Max grows with each code verified in the last hours; 0 for a limit
}

// A Kind says what a [Rule] counts, and what it is for.
type Kind byte

const (
	// Limit counts each Send.
	Limit Kind = iota
	// All counts the unanswered SMS of Members who are not trusted, as the kinds
	// below do. How much of it a Send may fill depends on what speaks for it.
	All
	// Number counts them for one number.
	Number
	// Organization refuses nothing: it speaks for a Send.
	Organization
	// Block, of numbers, refuses nothing: it speaks for a Send. It counts those that
	// were refused, too.
	Block
)

// budget reports whether a rule counts unanswered SMS only.
func (k Kind) budget() bool { return k != Limit }

// refuses reports whether a rule refuses a Send that it has no room for.
func (k Kind) refuses() bool { return k <= Number }

// A Verdict is the answer of a [Store] to a [Claim].
type Verdict struct {
	Allowed bool
	By      int           // what refuses: -1 the Member's wait, otherwise a bucket's index
	Wait    time.Duration // until it would allow; 0 if that is not known
	Trusted bool          // the Member is trusted, and budgets do not count
	Charged bool          // budgets have counted it

	// Count, Max and Verified belong to the bucket that refuses, or else to the
	// first budget: how many SMS it counts, how many it allows, and how many codes
	// were verified in the last hours.
	Count, Max, Verified float64

	// Until is when the Member's wait ends, and Before when it had ended
	// before, in Unix milliseconds by the Store's clock.
	Until, Before int64
}

// Check returns an error where a verdict makes no sense.
func (v *Verdict) Check(c *Claim) error {
	counts := v.Count + v.Max + v.Verified
	switch {
	case v.By < -1 || v.By >= len(c.Buckets):
		return fmt.Errorf("its verdict names bucket %d of %d", v.By, len(c.Buckets))
	case v.Wait < 0:
		return fmt.Errorf("its verdict says to wait for %v", v.Wait)
	case math.IsNaN(counts) || math.IsInf(counts, 0):
		return errors.New("its verdict's counts are not numbers")
	}
	return nil
}

// An End is how a Send ended.
type End struct {
	Sent     bool   // an SMS may be out
	Refused  bool   // Stytch has refused it, and not because of a limit
	Verified bool   // Stytch says that the Member's number is verified
	Actual   *Claim // what the Send was about, from Stytch's answer; nil if the claim was right
}
