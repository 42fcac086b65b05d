package counts

import (
	"math"
	"slices"
	"time"
)

// The rules by which every Store decides. Package redisstore has them in Lua, and
// its tests hold the two together. internal/tollfraud/README.md says what breaks
// without each.

const (
	day = 24 * time.Hour
	// trustLasts is how long a code that was entered speaks for a Member, and for
	// an Organization.
	trustLasts = 30 * day
	// patience is how many SMS in a row a Member may leave unanswered and be
	// trusted: without it, 300 Members whom an attacker has prepared get 15,000 SMS.
	patience = 5
	// maxDoublings are of the cooldown: 30 seconds become 32 minutes.
	maxDoublings = 6
	// freeRefusals are Stytch's, for a Member in a day, that cost no wait: people
	// mistype. More would tell an attacker which Members and numbers exist.
	freeRefusals = 5
	// memory is for how long a verified code makes room, in days: e^-1 of it is left
	// then. With a day, the worst attack gets 584 SMS, by what the day before made.
	memory = 0.25
)

// shares are the parts of what All holds that a Send may fill, by the evidence for
// it: 2 if codes were verified in its Organization, and 1 if its block of numbers
// is not one that only collects SMS. Each step keeps room for the next. Without the
// first, those who bring an Organization are shut out by a spread attack; without
// the second, those with numbers beside the attacker's; without the last, the
// others in an Organization that the attacker is in.
var shares = [...]float64{0.2, 0.75, 0.9, 1}

// A person is what is known of a Member. Times are in Unix milliseconds.
type person struct {
	at         int64   // the last change
	until      int64   // no Send before
	sends      int     // since a code was verified, or a day without any: the wait doubles with each
	unanswered int     // SMS since a code was verified, without free ones
	charged    int     // SMS counted against budgets, since a code was verified, or a day without any
	to         key     // the number that these went to
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
		p.charged = 0
	}
	p.refusals = max(0, p.refusals-freeRefusals*days(past))
	p.until = min(p.until, now+wait(cooldown, p.sends))
	p.trusted = min(p.trusted, now+trustLasts.Milliseconds())
	p.back = p.at > now
	p.at = now
}

// sent notes one more SMS.
func (p *person) sent(free bool) {
	p.sends++
	if !free {
		p.unanswered++
	}
}

// trusts reports whether a Send to number, or to the Member's own if that is
// zero, needs no budget.
func (p *person) trusts(now int64, number key) bool {
	return p.trusted > now && p.unanswered < patience && (number == 0 || number == p.number)
}

// charge notes n SMS that budgets count.
func (p *person) charge(charged bool, n int) {
	if charged {
		p.charged = max(0, p.charged+n)
	}
}

// chargeTo notes the number that SMS go to. What went to another one is not given
// back: the code of one phone says nothing of others. A zero number is not known.
func (p *person) chargeTo(number key, charged int) {
	if number != 0 && p.to != number {
		p.charged, p.to = charged, number
	}
}

// trust notes that the number is the Member's.
func (p *person) trust(now int64, number key) {
	p.trusted, p.number = now+trustLasts.Milliseconds(), number
}

// end is when a person may be forgotten.
func (p person) end() int64 { return max(p.trusted, p.at+day.Milliseconds()) }

// A count is the content of a bucket.
type count struct {
	at       int64   // the last change, in Unix milliseconds
	sms      float64 // counted: all, or those that were not answered
	verified float64 // codes of Sends that were counted, of an Organization all, in the last hours
	known    int64   // when a code was last verified
	over     int64   // when it may be forgotten
}

// advance brings a count to now. What leaks for the verified codes is, in all,
// Growth for each of them.
func (c *count) advance(now int64, r *Rule) {
	past := days(max(0, now-c.at))
	before := c.verified
	if before > 0 {
		c.verified *= math.Exp(-past / memory)
	}
	c.sms = max(0, c.sms-r.Leak*past-r.Growth*(before-c.verified))
	c.known = min(c.known, now)
	c.at = now
}

// add counts n SMS more, or less. What a budget counts without room, such as while
// the Guard only observes, does not close it for longer.
func (c *count) add(n float64, r *Rule) {
	before := c.sms
	c.sms = max(0, c.sms+n)
	if r.Kind.budget() {
		c.sms = min(c.sms, max(before, c.holds(r)))
	}
	c.over = c.at + int64(c.sms/max(r.Leak, 1e-3)*float64(day.Milliseconds()))
	if r.Kind.budget() {
		c.over = max(c.over+day.Milliseconds(), c.known+trustLasts.Milliseconds())
	}
}

// holds returns how many SMS a bucket holds.
func (c *count) holds(r *Rule) float64 { return r.Max + r.Growth*c.verified }

// evidence returns what a bucket says for a Send: a block of numbers while it has
// room, an Organization if a code was verified in the last weeks, until three more
// SMS are unanswered than codes were verified: one phone opens nothing to many.
func (c *count) evidence(r *Rule, now int64) int {
	switch {
	case r.Kind == Block && c.sms+1 <= c.holds(r):
		return 1
	case r.Kind == Organization && c.known > 0 && now-c.known < trustLasts.Milliseconds() && c.sms < 3+c.verified:
		return 2
	}
	return 0
}

// room returns how many SMS a bucket holds for a Send with this evidence.
func (c *count) room(r *Rule, evidence int) float64 {
	if r.Kind == All {
		return c.holds(r) * shares[evidence]
	}
	return c.holds(r)
}

// wait returns how long it takes until n SMS more have room: a second at least,
// and a day at most.
func (c *count) wait(r *Rule, n, room float64) time.Duration {
	rate := r.Leak + r.Growth*c.verified/2 // The room shrinks, too.
	left := (c.sms + n - room) / rate      // in days
	if !(left < 1) {
		return day
	}
	return max(time.Second, time.Duration(left*float64(day)).Round(time.Second))
}

// end is when a count may be forgotten.
func (c count) end() int64 { return c.over }

// days turns milliseconds into days.
func days(ms int64) float64 { return float64(ms) / float64(day.Milliseconds()) }

// counts returns what a Send counts in the bucket: budgets count those that are
// charged.
func (b Bucket) counts(charged bool) float64 {
	if b.Rule.Kind.budget() && !charged {
		return 0
	}
	return 1
}

// has reports whether a claim counts in the bucket.
func (c *Claim) has(b Bucket) bool {
	return slices.ContainsFunc(c.Buckets, func(o Bucket) bool {
		return o.Rule.Name == b.Rule.Name && o.Subject == b.Subject
	})
}
