package main

import (
	"math/rand/v2"
	"time"
)

// An attack is a loop: at intervals it chooses a Member and a number, and asks.
type attack struct {
	every       time.Duration
	days        []int         // 0 is the last day, -1 the day before; nil is {0}
	from, until time.Duration // of each day; until is its end if it is 0
	who         func(a *attacker, i int) *member
	number      func(a *attacker, i int) string // nil: the Member's own, which Sends do not name
	onFile      bool                            // Stytch knows the number, and Sends do not name it
	login       bool                            // a primary login instead of a Send
	enters      int                             // percent of the codes
	guesses     bool                            // a wrong code after each request
}

// An attacker has Organizations and Members of its own, and numbers.
type attacker struct {
	s             *simulation
	crowd         *crowd
	random        *rand.Rand
	organizations []*organization
	members       []*member
	rented        []string // nobody reads the codes that they get
	phones        []string // it can read codes on these
}

func newAttacker(s *simulation, c *crowd) *attacker {
	a := &attacker{s: s, crowd: c, random: s.newRandom(9)}
	for range 2000 {
		a.organizations = append(a.organizations, s.newOrganization())
	}
	for range 5000 {
		a.rented = append(a.rented, numberOf(a.random, pick(a.random, places).area))
	}
	for range 12 {
		a.phones = append(a.phones, numberOf(a.random, pick(a.random, places).area))
	}
	return a
}

// fresh makes a Member in one of so many Organizations of the attacker's.
func fresh(organizations int) func(*attacker, int) *member {
	return func(a *attacker, i int) *member {
		a.members = append(a.members, a.s.newMember(a.organizations[i%organizations]))
		return a.members[len(a.members)-1]
	}
}

// again takes so many Members in turn.
func again(n int) func(*attacker, int) *member {
	return func(a *attacker, i int) *member {
		if len(a.members) < n {
			return fresh(2000)(a, i)
		}
		return a.members[i%n]
	}
}

// earlier takes the Members that there are in turn.
func earlier(a *attacker, i int) *member { return a.members[i%len(a.members)] }

// among makes a Member in an Organization of the users'.
func among(a *attacker, _ int) *member {
	return a.s.newMember(pick(a.random, a.crowd.returning).member.organization)
}

// users takes so many of the users in turn.
func users(n int) func(*attacker, int) *member {
	return func(a *attacker, i int) *member { return a.crowd.returning[i%n].member }
}

// rented is one of the attacker's numbers, each of another block.
func rented(a *attacker, _ int) string { return pick(a.random, a.rented) }

// phones takes so many of the attacker's phones in turn.
func phones(n int) func(*attacker, int) string {
	return func(a *attacker, i int) string { return a.phones[i%n] }
}

// jamaican is a number of a country that is not allowed.
func jamaican(a *attacker, _ int) string { return numberOf(a.random, "+1876") }

// usersNumber takes each user's number eight times.
func usersNumber(a *attacker, i int) string { return a.crowd.returning[i/8].number }

// start schedules an attack.
func (a *attacker) start(at attack) {
	days := at.days
	if days == nil {
		days = []int{0}
	}
	if at.until == 0 {
		at.until = day24
	}
	for _, day := range days {
		begin := a.s.day(len(a.s.played) - 1 + day)
		var next func(i int)
		next = func(i int) {
			if after := at.from + time.Duration(i)*at.every; after < at.until {
				a.s.at(begin.Add(after), func() {
					a.once(at, i)
					next(i + 1)
				})
			}
		}
		next(0)
	}
}

// once is one request of an attack.
func (a *attacker) once(at attack, i int) {
	m, number := at.who(a, i), ""
	if at.number != nil {
		number = at.number(a, i)
	}
	if at.onFile || at.login && m.number == "" {
		m.verified = m.verified && m.number == number
		m.number = number
	}
	if at.onFile || at.login {
		number = ""
	}
	today := a.s.today()
	today.asked++
	send := func() error { return a.s.send(m, number) }
	if at.login {
		send = func() error { return a.s.login(m) }
	}
	if send() == nil {
		today.sent++
		today.hours[a.s.now.Hour()]++
		if a.random.IntN(100) < at.enters {
			a.s.after(15*time.Second, func() {
				if _, right := a.s.enter(m, m.code); right {
					a.s.today().entered++
				}
			})
		}
	}
	if at.guesses {
		if asked, _ := a.s.enter(m, -1); asked {
			today.guesses++
		}
	}
}

var (
	fast   = []attack{{every: time.Second / 2, who: fresh(2000), number: rented}}
	spread = []attack{{every: 2 * time.Second, who: fresh(2000), number: rented}}
	slowly = []attack{{every: 20 * time.Second, who: fresh(2000), number: rented}}
	hidden = []attack{{every: 2 * time.Second, who: among, number: rented}}
)

var attacks = []scenario{
	{name: "asks in the names of 300 of your users, every two minutes", phones: 300, returning: 300, readme: true, attacks: []attack{
		{every: 2 * time.Minute / 300, who: users(300)},
	}},
	{name: "knows the passwords of 500 Members with pumped numbers", passwords: 500, readme: true, attacks: []attack{
		{every: time.Second / 2, who: again(500), number: rented, login: true},
	}},
	{name: "spread, in the first hours of a guard, logins not passed on", hour: 13, days: 1, attacks: spread, returning: 3200, never: 340,
		readme: true, why: "all users are strangers to it"},
	{name: "spread, in the first hours of a guard, logins passed on", hour: 13, days: 1, logins: true, attacks: spread, never: 60,
		readme: true, why: "no Organization has entered codes yet"},
	{name: "in your users' Organizations", attacks: hidden, never: 600,
		readme: true, why: "nothing tells the attacker from a new user"},
	{name: "the day after that", days: 5, attacks: []attack{{every: 2 * time.Second, days: []int{-1}, who: among, number: rented}}},
	{name: "in your users' Organizations, on the guard's second day", days: 2, attacks: hidden, never: 600, why: "as above"},
	{name: "in your users' Organizations, on the day after a launch", days: 2, crowd: crowd{launched: true}, attacks: hidden, never: 1300,
		why: "as above; all 6,000 are new, and more of them come back as new"},
	{name: "spread, half of the new users bring an Organization", crowd: crowd{small: true}, attacks: spread, never: 300,
		readme: true, why: "new Organizations share the part that the attacker fills"},
	{name: "spread, the guard restarts without its memory, logins not passed on", restart: true, attacks: spread, returning: 2700, never: 300,
		why: "all users are strangers again"},
	{name: "spread, the guard restarts without its memory, logins passed on", restart: true, logins: true, attacks: spread, never: 70,
		readme: true, why: "no Organization has entered codes since"},
	{name: "one phone, codes entered for ever new Members", phones: 1, readme: true, attacks: []attack{
		{every: time.Second, who: fresh(2000), number: phones(1), onFile: true, enters: 100},
	}},
	{name: "spread over 2,000 Organizations, each number of another block", attacks: fast, readme: true},
	{name: "the same with limits by key", guard: byKey, attacks: fast, readme: true},
	{name: "the same without a guard", guard: nobody, attacks: fast},
	{name: "one phone, 5,000 codes entered yesterday; then other numbers", phones: 1, attacks: []attack{
		{every: day24 / 5000, days: []int{-1}, who: fresh(2000), number: phones(1), onFile: true, enters: 100},
		{every: 2 * time.Second, who: earlier, number: rented, onFile: true},
	}},
	{name: "twelve phones, 6,000 codes entered in five days; then other numbers", days: 8, phones: 12, readme: true, attacks: []attack{
		{every: day24 / 1200, days: []int{-5, -4, -3, -2, -1}, who: fresh(2000), number: phones(12), onFile: true, enters: 100},
		{every: 2 * time.Second, who: earlier, number: rented, onFile: true},
	}},
	{name: "one password, codes guessed all day", phones: 1, guesses: 40, returning: 1, readme: true, attacks: []attack{
		{every: 3 * time.Second, who: users(1), login: true, guesses: true},
	}},
	{name: "500 Members ask again and again", attacks: []attack{{every: time.Second / 2, who: again(500), number: rented, onFile: true}}},
	{name: "40 codes in an Organization of its own, which then asks", phones: 1, attacks: []attack{
		{every: 30 * time.Second, until: 20 * time.Minute, who: fresh(1), number: phones(1), enters: 100},
		{every: 2 * time.Second, from: 30 * time.Minute, who: fresh(1), number: rented},
	}},
	{name: "2,000 Members enroll one phone", phones: 1, attacks: []attack{{every: 40 * time.Second, who: fresh(2000), number: phones(1)}}},
	{name: "five phones, two codes a second, all entered", phones: 5, attacks: []attack{
		{every: time.Second / 2, who: fresh(2000), number: phones(5), enters: 100},
	}},
	{name: "25 Members sign in all day with one phone, codes entered", phones: 1, attacks: []attack{
		{every: 20 * time.Second, who: again(25), number: phones(1), onFile: true, enters: 100},
	}},
	{name: "spread, 20% of the codes entered", attacks: []attack{{every: 2 * time.Second, who: fresh(2000), number: rented, enters: 20}}},
	{name: "Jamaican numbers on file", attacks: []attack{{every: 45 * time.Second, who: fresh(2000), number: jamaican, onFile: true}}},
	{name: "Members enroll your users' numbers, to have them refused", attacks: []attack{{every: 2 * time.Second, who: fresh(2000), number: usersNumber}}},
	{name: "spread, every fourth user's last code was 35 days ago", days: 36, crowd: crowd{rare: true}, attacks: spread},
	{name: "spread, two processes that count in one Redis", days: 2, redis: true, attacks: slowly},
}
