package guard

import (
	"math"
	"slices"
	"time"
)

// The rules by which every Store decides. Package redisstore has them in Lua, and
// the tests in internal/storetest hold the two together.

const (
	day          = 24 * time.Hour
	trustLasts   = 30 * day
	freeTries    = 3  // SMS in a row that a trusted Member may leave unanswered
	maxDoublings = 6  // of the cooldown: 30 seconds become 32 minutes
	maxCost      = 4  // of one Send, so that it fits into every budget
	freeRefusals = 5  // of Stytch's, a Member and day, that cost no wait
	provingCodes = 20 // verified in a day, after which a number proves nothing more
)

// shares are the parts of a shared budget that a Send may fill, by the evidence
// for it: 2 if codes were verified in its Organization, and 1 if some were in its
// range of numbers.
var shares = [...]float64{0.4, 0.6, 0.8, 1}

// A person is what is known of a Member. Times are in Unix milliseconds.
type person struct {
	at         int64   // the last change
	until      int64   // no Send before
	sends      int     // since a code was verified, or a day without any: the wait doubles with each
	unanswered int     // SMS since a code was verified
	charged    int     // of these, counted against budgets
	refusals   float64 // of Stytch's, leaking
	trusted    int64   // until when
	number     key     // that the trust is for
	back       bool    // the clock was set back since the last change
}

// wait is how long the next Send has to wait after one, in milliseconds.
func wait(cooldown time.Duration, sends int) int64 {
	return cooldown.Milliseconds() << min(max(sends-1, 0), maxDoublings)
}

// advance brings a person to now. The clock may have been set back: nothing lasts
// longer than if it had begun now.
func (p *person) advance(now int64, cooldown time.Duration) {
	past := max(0, now-p.at)
	if past >= day.Milliseconds() {
		p.sends = 0
		if p.trusted <= now {
			p.unanswered, p.charged = 0, 0
		}
	}
	p.refusals = max(0, p.refusals-freeRefusals*days(past))
	p.until = min(p.until, now+wait(cooldown, p.sends))
	p.trusted = min(p.trusted, now+trustLasts.Milliseconds())
	p.back = p.at > now
	p.at = now
}

// trusts reports whether a Send to number, or to the Member's own if that is
// zero, needs no budget.
func (p *person) trusts(now int64, number key) bool {
	return p.trusted > now && p.unanswered < freeTries && (number == key{} || number == p.number)
}

// cost is what budgets count for the next Send: also the SMS before it that were
// not counted, because the Member was trusted then.
func (p *person) cost() int { return min(max(1, p.unanswered+1-p.charged), maxCost) }

// trust notes that the number is the Member's.
func (p *person) trust(now int64, number key) {
	p.trusted, p.number = now+trustLasts.Milliseconds(), number
	p.unanswered, p.charged = 0, 0
}

// end is when a person may be forgotten.
func (p *person) end() int64 { return max(p.trusted, p.at+day.Milliseconds()) }

// A count is the content of a bucket.
type count struct {
	at       int64   // the last change, in Unix milliseconds
	sms      float64 // counted: all, or those that were not answered
	verified float64 // codes of Sends that were counted, a day or so
	known    int64   // when a code was last verified
	over     int64   // when it may be forgotten
}

// advance brings a count to now. What leaks for the verified codes is, in all,
// Growth for each of them.
func (c *count) advance(now int64, r *Rule) {
	past := days(max(0, now-c.at))
	before := c.verified
	c.verified *= math.Exp(-past)
	c.sms = max(0, c.sms-r.Leak*past-r.Growth*(before-c.verified))
	c.known = min(c.known, now)
	c.at = now
}

// add counts n SMS more, or less.
func (c *count) add(n float64, r *Rule) {
	c.sms = max(0, c.sms+n)
	c.over = c.at + int64(c.sms/max(r.Leak, 1e-3)*float64(day.Milliseconds()))
	if r.Budget {
		c.over = max(c.over+day.Milliseconds(), c.known+trustLasts.Milliseconds())
	}
}

// isKnown reports whether a code was verified in the last weeks.
func (c *count) isKnown(now int64) bool {
	return c.known > 0 && now-c.known < trustLasts.Milliseconds()
}

// room returns how many SMS a bucket holds for a Send with this evidence.
func (c *count) room(r *Rule, evidence int) float64 {
	most := r.Max + r.Growth*c.verified
	if r.Shared {
		most *= shares[evidence]
	}
	return most
}

// wait returns how long it takes until n SMS more have room; 0 if it cannot be
// told.
func (c *count) wait(r *Rule, n, room float64) time.Duration {
	rate := r.Leak + r.Growth*c.verified/2 // The room shrinks, too.
	left := (c.sms + n - room) / rate      // in days
	if !(left < 1) {
		return day
	}
	return max(time.Second, time.Duration(left*float64(day)).Round(time.Second))
}

// end is when a count may be forgotten.
func (c *count) end() int64 { return c.over }

// days turns milliseconds into days.
func days(ms int64) float64 { return float64(ms) / float64(day.Milliseconds()) }

// counts returns what a Send of this cost counts in the bucket.
func (b Bucket) counts(cost int) float64 {
	if b.Rule.Budget {
		return float64(cost)
	}
	return 1
}

// has reports whether a claim counts in the bucket.
func (c *Claim) has(b Bucket) bool {
	return slices.ContainsFunc(c.Buckets, func(o Bucket) bool {
		return o.Rule.Name == b.Rule.Name && o.Subject == b.Subject
	})
}
