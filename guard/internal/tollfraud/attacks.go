package main

import (
	"math/rand/v2"
	"time"
)

// An attack is a loop: at intervals it makes a request.
type attack struct {
	every       time.Duration
	days        []int         // 0 is the last day, -1 the day before; nil is {0}
	from, until time.Duration // of each day; until is its end if it is 0
	do          func(a *attacker, i int)
}

// An attacker has Organizations and Members of its own, and numbers.
type attacker struct {
	s             *simulation
	random        *rand.Rand
	organizations []*organization
	members       []*member
	rented        []string // nobody reads the codes that they get
	phones        []string // it can read codes on these
}

func newAttacker(s *simulation) *attacker {
	a := &attacker{s: s, random: s.newRandom(9)}
	for i := range 5000 {
		a.organizations = append(a.organizations, s.newOrganization(a.random))
		a.rented = append(a.rented, newNumber(a.random, pick(a.random, places)))
		if i < 12 {
			a.phones = append(a.phones, newNumber(a.random, pick(a.random, places)))
		}
	}
	return a
}

// fresh makes a Member in one of so many Organizations of the attacker's.
func (a *attacker) fresh(i, organizations int) *member {
	a.members = append(a.members, a.s.newMember(a.organizations[i%organizations]))
	return a.members[len(a.members)-1]
}

// start schedules an attack.
func (a *attacker) start(at attack) {
	if at.days == nil {
		at.days = []int{0}
	}
	if at.until == 0 {
		at.until = day24
	}
	for _, day := range at.days {
		begin := a.s.day(a.s.days - 1 + day)
		var next func(i int)
		next = func(i int) {
			if after := at.from + time.Duration(i)*at.every; after < at.until {
				a.s.at(begin.Add(after), func() {
					at.do(a, i)
					next(i + 1)
				})
			}
		}
		next(0)
	}
}

// send is a Send that names the number. Of the codes, so many percent are entered.
func (a *attacker) send(m *member, number string, enters int) {
	a.count(m, enters, a.s.send(m, number))
}

// onFile is a Send for a number that Stytch knows.
func (a *attacker) onFile(m *member, number string, enters int) {
	m.verified = m.verified && m.number == number
	m.number = number
	a.count(m, enters, a.s.send(m, ""))
}

// count counts a request.
func (a *attacker) count(m *member, enters int, err error) {
	today := a.s.today()
	today.asked++
	if err != nil {
		return
	}
	today.sent++
	today.hours[a.s.now.Hour()]++
	if a.random.IntN(100) < enters {
		a.s.after(15*time.Second, func() {
			if _, right := a.s.enter(m, true); right {
				a.s.today().entered++
			}
		})
	}
}

// spread asks for numbers of many blocks, for new Members of 2,000 Organizations.
func spread(every time.Duration, enters int) []attack {
	return []attack{{every: every, do: func(a *attacker, i int) { a.send(a.fresh(i, 2000), pick(a.random, a.rented), enters) }}}
}

// hidden asks for new Members of the users' Organizations, on a day.
func hidden(day int) []attack {
	return []attack{{every: 2 * time.Second, days: []int{day}, do: func(a *attacker, i int) {
		a.send(a.s.newMember(pick(a.random, a.s.crowd.returning).member.organization), pick(a.random, a.rented), 0)
	}}}
}

// enroll has new Members enroll so many phones, and enter the codes.
func enroll(phones int, every time.Duration, days ...int) attack {
	return attack{every: every, days: days, do: func(a *attacker, i int) { a.onFile(a.fresh(i, 2000), a.phones[i%phones], 100) }}
}

// moved asks for the Members that there are, whose numbers are others now.
var moved = attack{every: 2 * time.Second, do: func(a *attacker, i int) { a.onFile(a.members[i%len(a.members)], pick(a.random, a.rented), 0) }}

// attacks are the worst first.
var attacks = []scenario{
	{name: "spread, first hours of a guard", why: "all users are strangers", hour: 13, days: 1, attacks: spread(2*time.Second, 0), returning: 4400, never: 500},
	{name: "the same, logins passed on", why: "no Organization has entered codes", hour: 13, days: 1, logins: true, attacks: spread(2*time.Second, 0), never: 70},
	{name: "spread, the guard loses its memory", why: "all users are strangers", restart: true, attacks: spread(2*time.Second, 0), returning: 3700, never: 450},
	{name: "the same, logins passed on", why: "no Organization has entered codes", restart: true, logins: true, attacks: spread(2*time.Second, 0), never: 70},
	{name: "in the names of 300 users", why: "their numbers are full", phones: 300, returning: 300, attacks: []attack{
		{every: 2 * time.Minute / 300, do: func(a *attacker, i int) { a.send(a.s.crowd.returning[i%300].member, "", 0) }},
	}},
	{name: "in your users' Organizations", why: "new users look the same", attacks: hidden(0), never: 600},
	{name: "the same, a guard's second day", why: "the same", days: 2, attacks: hidden(0), never: 600},
	{name: "the same, the day after a launch", why: "the same", days: 2, crowd: crowd{launched: true}, attacks: hidden(0), never: 1300},
	{name: "the day after that", why: "the pool begins full", days: 5, attacks: hidden(-1), never: 50},
	{name: "spread, half the new users bring an Organization", why: "so does the attacker", crowd: crowd{small: true}, attacks: spread(2*time.Second, 0), never: 300},
	{name: "500 passwords, pumped numbers", why: "the first SMS is Stytch's own", passwords: 500, attacks: []attack{
		{every: time.Second / 2, do: func(a *attacker, i int) {
			if i < 500 {
				a.fresh(i, 2000).number = pick(a.random, a.rented)
			}
			m := a.members[i%500]
			a.count(m, 0, a.s.login(m))
		}},
	}},
	{name: "one phone, codes entered", why: "50 count in a day", phones: 1, attacks: []attack{enroll(1, time.Second)}},
	{name: "spread over 2,000 Organizations", why: "24 new users bring one", attacks: spread(time.Second/2, 0)},
	{name: "the same with limits by key", why: "no key has many", guard: byKey, attacks: spread(time.Second/2, 0)},
	{name: "the same without a guard", guard: nobody, attacks: spread(time.Second/2, 0)},
	{name: "twelve phones, 6,000 codes in five days, then other numbers", days: 8, phones: 12, attacks: []attack{
		enroll(12, day24/1200, -5, -4, -3, -2, -1), moved,
	}},
	{name: "one password, codes guessed all day", phones: 1, guesses: 40, returning: 1, attacks: []attack{
		{every: 3 * time.Second, do: func(a *attacker, _ int) {
			m := a.s.crowd.returning[0].member
			a.count(m, 0, a.s.login(m))
			if asked, _ := a.s.enter(m, false); asked {
				a.s.today().guesses++
			}
		}},
	}},
	{name: "one phone, 5,000 codes entered yesterday; then other numbers", phones: 1, attacks: []attack{enroll(1, day24/5000, -1), moved}},
	{name: "40 codes in an Organization of its own, which then asks", phones: 1, attacks: []attack{
		{every: 30 * time.Second, until: 20 * time.Minute, do: func(a *attacker, _ int) { a.send(a.fresh(0, 1), a.phones[0], 100) }},
		{every: 2 * time.Second, from: 30 * time.Minute, do: func(a *attacker, _ int) { a.send(a.fresh(0, 1), pick(a.random, a.rented), 0) }},
	}},
	{name: "five phones, two codes a second, all entered", phones: 5, attacks: []attack{enroll(5, time.Second/2)}},
	{name: "spread, 20% of the codes entered", attacks: spread(2*time.Second, 20)},
	{name: "Members enroll your users' numbers, to have them refused", attacks: []attack{
		{every: 2 * time.Second, do: func(a *attacker, i int) { a.send(a.fresh(i, 2000), a.s.crowd.returning[i/8].number, 0) }},
	}},
	{name: "spread, every fourth user's last code was 35 days ago", days: 36, crowd: crowd{rare: true}, attacks: spread(2*time.Second, 0)},
	{name: "spread, two processes that count in one Redis", days: 2, redis: true, attacks: spread(20*time.Second, 0)},
}
