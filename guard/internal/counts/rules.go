package counts

import (
	"time"
)

// The rules by which every Store decides. Package redisstore has them in Lua, and
// its tests hold the two together. internal/tollfraud/README.md says what breaks
// without each.

const (
	day = 24 * time.Hour

	// trustLasts is for how long a code that was entered, or a number that Stytch
	// calls verified, speaks for a Member.
	trustLasts = 90 * day
	// maxDoublings are of the cooldown: 30 seconds become 32 minutes.
	maxDoublings = 6
	// poolWait is how long who finds the pool full waits at most. By then, codes that
	// were on their way are entered, and have made room.
	poolWait = 5 * time.Minute
	// ofTrusted is how many of a number's unanswered SMS are kept for Members who are
	// trusted.
	ofTrusted = 2
)

// What leaks one by one. internal/tollfraud shows what breaks without each.
var (
	// Unanswered SMS of all who are not trusted. With one in an hour and what codes make
	// room for, 290 is the most that keeps a day's attack below 500 SMS at 600 new
	// users.
	pool = leaky{holds: 290, one: time.Hour}
	// Unanswered SMS to a number. People ask up to six times while no SMS arrives.
	// A user whose number an attacker has filled waits 12 hours at most.
	numbers = leaky{holds: 8, one: 12 * time.Hour}
	// Codes sent to a number, and entered: 20 Members who share a phone need fewer. With
	// no limit, one phone gets any number of SMS.
	codes = leaky{holds: 50, one: day / 50}
	// Wrong codes of a Member: 40 of a million in a day.
	guesses = leaky{holds: 10, one: day / 30}
)

const (
	// entered is how much room a code of a Member who was not trusted makes in the pool,
	// beside its own SMS: enough for the one in six who does not enter one, or enters it
	// later, in a rush of new users.
	entered = 1.0 / 3
	// kept is how much of the pool is for Organizations whose codes speak for them. A rush
	// of new users of a new Organization fills the rest in its first minute, and codes of
	// an attacker fill a smaller part.
	kept = 80
)

// A leaky count holds so many, and one leaks away in each such time.
type leaky struct {
	holds float64
	one   time.Duration
}

// A level is what a leaky count holds, as the time when it will be empty, in Unix
// milliseconds.
type level int64

// full is the level of so many. The clock may have been set back: no level is
// higher than that of all that the count holds.
func (l leaky) full(now int64, n float64) level {
	return level(now) + level(n*float64(l.one.Milliseconds()))
}

// at returns how many a level is.
func (l leaky) at(v level, now int64) float64 {
	v = min(v, l.full(now, l.holds))
	return max(0, float64(int64(v)-now)/float64(l.one.Milliseconds()))
}

// add puts n in, or takes it out.
func (l leaky) add(v *level, now int64, n float64) {
	*v = l.full(now, min(l.holds, max(0, l.at(*v, now)+n)))
}

// wait returns how long it takes until there is room for one more in so many; not
// more than 0 if there is.
func (l leaky) wait(v level, now int64, holds float64) time.Duration {
	over := l.at(v, now) + 1 - holds
	return time.Duration(over*float64(l.one.Milliseconds())) * time.Millisecond
}

// fit puts one in if there is room for it in so many, and returns how many that are.
func (l leaky) fit(v *level, now int64, holds float64) int {
	if l.wait(*v, now, holds) > 0 {
		return 0
	}
	l.add(v, now, 1)
	return 1
}

// A person is what is known of a Member. Times are in Unix milliseconds.
type person struct {
	sent    int64  // the last SMS
	before  int64  // the SMS before it
	row     int    // SMS since a code was entered
	to      string // the number that the last went to, if that is known
	charged int    // SMS that count there, since a code was entered or an hour without an SMS
	pooled  int    // and in the pool
	trusted int64  // until when
	number  string // that the trust is for
	guesses level
	last    uint64 // the ID of the last Send
}

// wait returns how long the Member has to wait. If the clock was set back, the last
// SMS says nothing.
func (p *person) wait(now int64, cooldown time.Duration) time.Duration {
	if p.row == 0 || p.sent > now {
		return 0
	}
	return cooldown<<min(p.row-1, maxDoublings) - time.Duration(now-p.sent)*time.Millisecond
}

// over reports whether nothing of it matters any more.
func (p *person) over(now int64) bool {
	return max(p.trusted, int64(p.guesses)) <= now && (p.row == 0 || p.sent+trustLasts.Milliseconds() <= now)
}

// A phone is what is known of a number.
type phone struct {
	open, codes level
	entered     int64 // the last code that was
}

// codesLeft reports whether a code that is entered with the phone says anything.
func (p *phone) codesLeft(now int64) bool {
	return codes.wait(p.codes, now, codes.holds) <= 0
}

// A turn is an event with what is known of its Member and number.
type turn struct {
	Event
	s      *Memory
	now    int64
	person person
	number string // the event's, or the last one known; empty if there is none
	phone  phone
	credit int // of the Organization: phones with which codes were entered, less SMS that are open
}

// trusts reports whether the Member needs no budget.
func (t *turn) trusts() bool {
	p := &t.person
	return p.trusted > t.now && t.number == p.number && t.phone.codesLeft(t.now)
}

// share is how much of the pool the Member's Organization may use.
func (t *turn) share() float64 {
	if t.credit > 0 {
		return pool.holds
	}
	return pool.holds - kept
}

// ask decides on a Send.
func (t *turn) ask() (v Verdict) {
	p := &t.person
	v.Trusted = t.trusts()
	refuse := func(by Cause, limit int, wait time.Duration) {
		if wait > v.Wait {
			v.By, v.Limit, v.Wait = by, limit, wait
		}
	}
	refuse(Cooldown, 0, p.wait(t.now, t.Cooldown))
	for i, l := range t.Limits {
		v, _ := t.s.levels.Get(l)
		refuse(Limited, i, l.leaky().wait(v, t.now, float64(l.Max)))
	}
	if t.Budget && t.number != "" {
		refuse(Number, 0, numbers.wait(t.phone.open, t.now, numberHolds(v.Trusted)))
	}
	if t.Budget && !v.Trusted {
		v.Count, v.Max = pool.at(t.s.pool, t.now), t.share()
		refuse(Pool, 0, min(poolWait, pool.wait(t.s.pool, t.now, v.Max)))
	}
	return v
}

// numberHolds is how many unanswered SMS a number may have.
func numberHolds(trusted bool) float64 {
	if trusted {
		return numbers.holds
	}
	return numbers.holds - ofTrusted
}

// send decides on a Send, and counts it.
func (t *turn) send() Verdict {
	p := &t.person
	if t.ID != 0 && t.ID == p.last {
		return Verdict{} // This was counted before.
	}
	if t.Trusted {
		p.trusted, p.number = t.now+trustLasts.Milliseconds(), t.number
	}
	v := t.ask()
	if v.By != Nothing && !t.Force {
		return v
	}
	p.before, p.sent, p.last = p.sent, t.now, t.ID
	p.row++
	t.addToLimits(1)
	if t.Budget {
		if t.number != p.to {
			p.to, p.charged, p.pooled = t.number, 0, 0
		}
		t.charge(v.Trusted)
	}
	return v
}

// addToLimits counts n Sends more in the caller's limits.
func (t *turn) addToLimits(n float64) {
	for _, l := range t.Limits {
		v, _ := t.s.levels.Get(l)
		l.leaky().add(&v, t.now, n)
		t.s.levels.Add(l, v)
	}
}

// charge counts an SMS in the budgets that have room for it: what did not take room
// gives none back.
func (t *turn) charge(trusted bool) {
	p := &t.person
	if t.number != "" {
		p.charged += numbers.fit(&t.phone.open, t.now, numberHolds(trusted))
	}
	if trusted {
		return
	}
	n := pool.fit(&t.s.pool, t.now, t.share())
	t.credit -= n
	p.pooled += n
}

// discharge gives up to n SMS back to the number, and up to as many to the pool.
func (t *turn) discharge(n int) {
	p := &t.person
	charged, pooled := min(n, p.charged), min(n, p.pooled)
	if t.number != "" {
		numbers.add(&t.phone.open, t.now, -float64(charged))
	}
	p.charged -= charged
	pool.add(&t.s.pool, t.now, -float64(pooled))
	t.credit += pooled
	p.pooled -= pooled
}

// undo takes a Send back.
func (t *turn) undo() {
	p := &t.person
	if p.last != t.ID {
		return // It was not counted, or it was taken back before.
	}
	t.addToLimits(-1)
	t.discharge(1)
	p.last = 0
	if p.row > 0 {
		p.row--
		p.sent = p.before
	}
}

// vouch trusts the Member with the number, unless too many codes were entered there.
func (t *turn) vouch() bool {
	if t.number != "" && !t.phone.codesLeft(t.now) {
		return false
	}
	t.person.trusted, t.person.number = t.now+trustLasts.Milliseconds(), t.number
	return true
}

// told hears which number the Member has.
func (t *turn) told() {
	p := &t.person
	if t.number == "" {
		return
	}
	if p.to != t.number {
		last := t.Answer && p.pooled > 0 // The last SMS went there.
		p.to, p.charged, p.pooled = t.number, 0, 0
		if last {
			p.charged, p.pooled = numbers.fit(&t.phone.open, t.now, numberHolds(false)), 1
		}
	}
	switch {
	case t.Verified && t.vouch():
		if p.pooled > 0 {
			t.discharge(p.row)
		}
	case p.number != t.number && p.trusted > t.now:
		p.trusted = 0
		if t.Answer && t.Budget && p.pooled == 0 { // Nobody has verified that number.
			t.charge(false)
		}
	}
}

// code hears that the Member has entered one.
func (t *turn) code() {
	p := &t.person
	if t.number != p.to && p.to != "" {
		p.charged, p.pooled = 0, 0 // The code of one phone says nothing of another.
	}
	if t.vouch() {
		if p.pooled > 0 {
			pool.add(&t.s.pool, t.now, -entered)
		}
		t.discharge(p.row)
		if t.now-t.phone.entered >= day.Milliseconds() { // A phone speaks once a day.
			t.phone.entered = t.now
			t.credit++
		}
		codes.add(&t.phone.codes, t.now, 1)
	}
	p.to = t.number
	p.row, p.charged, p.pooled, p.guesses = 0, 0, 0, 0
}

// guess decides on a code, and counts it as a wrong one.
func (t *turn) guess() Verdict {
	if wait := guesses.wait(t.person.guesses, t.now, guesses.holds); wait > 0 {
		return Verdict{By: Guesses, Wait: wait}
	}
	guesses.add(&t.person.guesses, t.now, 1)
	return Verdict{}
}

func (l Limit) leaky() leaky {
	return leaky{float64(l.Max), l.One()}
}
