package main

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// An attacker makes Members and asks for SMS to them, on the simulation's last
// day unless said otherwise.
type attacker struct {
	s      *simulation
	crowd  *crowd
	random *rand.Rand

	blocks        []string
	organizations []*organization
	serial        int
}

const day24 = 24 * time.Hour

// rent gets n blocks of 10,000 numbers, in the countries in turn.
func (a *attacker) rent(n int, countries ...string) {
	for len(a.blocks) < n {
		c := countries[len(a.blocks)%len(countries)]
		if block := newBlock(a.random, c, pick(a.random, areas[c])); !slices.Contains(a.blocks, block) {
			a.blocks = append(a.blocks, block)
		}
	}
}

var allowed = []string{"US", "CA", "GB"}

// found makes Organizations by the product's own sign-up.
func (a *attacker) found(n int) {
	for range n {
		a.organizations = append(a.organizations, a.s.stytch.newOrganization())
	}
}

// every does something at intervals, from a time of the last day to another.
func (a *attacker) every(interval, from, to time.Duration, do func(i int)) {
	a.everyOn(len(a.s.days)-1, interval, from, to, do)
}

func (a *attacker) everyOn(day int, interval, from, to time.Duration, do func(i int)) {
	begin := a.s.day(day)
	var next func(i int)
	next = func(i int) {
		if at := begin.Add(from + time.Duration(i)*interval); at.Before(begin.Add(to)) {
			a.s.at(at, func() {
				do(i)
				next(i + 1)
			})
		}
	}
	next(0)
}

// next returns a number that it has not used yet: of one block after the other.
func (a *attacker) next() string {
	a.serial++
	return number(a.blocks[a.serial%len(a.blocks)], a.serial/len(a.blocks)*7919)
}

func (a *attacker) member(o *organization) *member {
	m := a.s.stytch.newMember(o, "", false)
	m.attacker = true
	return m
}

// ask asks for an SMS to a number, for a Member.
func (a *attacker) ask(m *member, number string) error { return a.s.ask(m, number, true) }

// pump asks for an SMS to one more number, for one more Member.
func (a *attacker) pump() (*member, error) {
	m := a.member(a.organizations[a.serial%len(a.organizations)])
	return m, a.ask(m, a.next())
}

// own asks for an SMS to a phone of the attacker's, and enters the code.
func (a *attacker) own(m *member, phone string) bool {
	if a.ask(m, phone) != nil {
		return false
	}
	a.verify(m)
	return true
}

// insist asks for SMS to a Member's number until the day is over, each time as
// soon as the guard lets it.
func (a *attacker) insist(m *member) {
	err := a.ask(m, "")
	wait := 30 * time.Second
	if guardErr := (*stytchb2b.GuardError)(nil); errors.As(err, &guardErr) {
		wait = max(guardErr.RetryAfter, wait)
	}
	if a.s.now.Add(wait).Before(a.s.day(len(a.s.days))) {
		a.s.after(wait, func() { a.insist(m) })
	}
}

// phones are n real ones.
func (a *attacker) phones(n int) (phones []string) {
	for range n {
		phones = append(phones, newNumber(a.random, pick(a.random, places)))
	}
	return phones
}

// verify enters the code that a Member got.
func (a *attacker) verify(m *member) {
	a.s.after(15*time.Second, func() {
		if a.s.enter(m, m.code) {
			a.s.today().entered++
		}
	})
}

// spread is the issue's: twice a second, of 600 blocks and 2,000 Organizations.
func (a *attacker) spread(countries ...string) {
	a.rent(600, countries...)
	a.found(2000)
	a.every(500*time.Millisecond, 0, day24, func(int) { a.pump() })
}

// verifying pumps as spread does, with a share of the Members on real phones.
func verifying(percent int) func(*attacker) {
	return func(a *attacker) {
		a.rent(600, allowed...)
		a.found(2000)
		a.every(500*time.Millisecond, 0, day24, func(int) {
			real := a.random.IntN(100) < percent
			if m, err := a.pump(); err == nil && real {
				a.verify(m)
			}
		})
	}
}

// beside asks for an SMS to a number beside an honest user's, for a new Member of
// the user's Organization.
func (a *attacker) beside() {
	p := pick(a.random, a.crowd.returning)
	_ = a.ask(a.member(p.member.organization), number(p.number[:len(p.number)-4], a.random.IntN(10_000)))
}

// prepared is an attacker who knows how the guard tells people apart: real phones
// verify codes in Organizations of the attacker's first.
func prepared(phones, organizations int) func(*attacker) {
	return func(a *attacker) {
		a.found(organizations)
		for _, phone := range a.phones(phones) {
			for i := range min(20, organizations) {
				a.s.at(a.s.day(len(a.s.days)-1).Add(time.Duration(i)*30*time.Second), func() {
					a.serial++
					a.own(a.member(a.organizations[a.serial%organizations]), phone)
				})
			}
		}
		a.every(500*time.Millisecond, 15*time.Minute, day24, func(i int) {
			_ = a.ask(a.member(a.organizations[i%organizations]), a.anywhere())
		})
	}
}

// anywhere is a number of any block.
func (a *attacker) anywhere() string {
	c := pick(a.random, allowed)
	return number(newBlock(a.random, c, pick(a.random, areas[c])), a.random.IntN(10_000))
}

// A scenario is what happens in a simulation.
type scenario struct {
	name  string
	about string

	bound bool // the reach is for it
	waits bool // some may have to ask again, and then get a code
	days  int  // with those before the day that counts, 4 if it is 0
	fresh bool // it begins with the deployment of the guard, at 13:00 UTC
	worst bool // the worst day counts, not the last
	text  bool // Stytch itself sends a returning user's first SMS
	names bool // the product names the number in each Send

	crowd  func(*simulation) *crowd // nil for 6,000 people
	attack func(*attacker)          // nil without one
}

var scenarios = append(honestDays, attacks...)

var attacks = []scenario{
	{
		name: "spread", bound: true,
		about:  "twice a second, each time another number of 600 blocks, another Member, of 2,000 Organizations",
		attack: func(a *attacker) { a.spread(allowed...) },
	},
	{
		name: "slow", bound: true,
		about: "15 an hour to each of 120 blocks, under every limit",
		attack: func(a *attacker) {
			a.rent(120, allowed...)
			a.found(2000)
			a.every(time.Hour/(120*15), 0, day24, func(int) { a.pump() })
		},
	},
	{
		name: "again", bound: true,
		about: "500 Members enroll a number and ask again, number unnamed, five an hour",
		attack: func(a *attacker) {
			a.rent(250, allowed...)
			a.found(500)
			members := make([]*member, 500)
			a.every(time.Hour/(500*5), 0, day24, func(i int) {
				m, n := members[i%500], ""
				if m == nil {
					m = a.member(a.organizations[i%500])
					members[i%500] = m
				}
				if m.number == "" {
					n = number(a.blocks[i%250], i%500)
				}
				a.ask(m, n)
			})
		},
	},
	{
		name:   "spread, first day",
		about:  "the same against a deployment that has learned nothing",
		fresh:  true,
		attack: func(a *attacker) { a.spread(allowed...) },
	},
	{
		name:   "spread, Stytch texts first",
		about:  "the same, and Stytch itself sends a returning user's first SMS",
		text:   true,
		attack: func(a *attacker) { a.spread(allowed...) },
	},
	{
		name:   "spread, numbers named",
		about:  "the same, and the product names the number in each Send",
		names:  true,
		attack: func(a *attacker) { a.spread(allowed...) },
	},
	{
		name:   "spread, 60 people",
		about:  "the same, against a small product: 54 returning, 6 new",
		crowd:  func(s *simulation) *crowd { return newCrowd(s, 10, 54, 6) },
		attack: func(a *attacker) { a.spread(allowed...) },
	},
	{
		name: "spread, 60,000 people", days: 2,
		about:  "the same, against a big one",
		crowd:  func(s *simulation) *crowd { return newCrowd(s, 3000, 54_000, 6000) },
		attack: func(a *attacker) { a.spread(allowed...) },
	},
	{
		name:   "spread, small Organizations",
		about:  "the same, against a product whose 6,000 people are in Organizations of four, half of the new ones in new ones",
		crowd:  smallOrganizations,
		attack: func(a *attacker) { a.spread(allowed...) },
	},
	{
		name:   "one country",
		about:  "spread, in GB only",
		attack: func(a *attacker) { a.spread("GB") },
	},
	{
		name:  "one range",
		about: "every ten seconds, another of one block of 10,000 numbers",
		attack: func(a *attacker) {
			a.rent(1, "US")
			a.found(2000)
			a.every(10*time.Second, 0, day24, func(int) { a.pump() })
		},
	},
	{
		name:  "one phone",
		about: "2,000 Members enroll one number, one after the other",
		attack: func(a *attacker) {
			a.rent(1, "US")
			a.found(2000)
			phone := a.next()
			a.every(40*time.Second, 0, day24, func(i int) { _ = a.ask(a.member(a.organizations[i%2000]), phone) })
		},
	},
	{
		name:  "wide",
		about: "spread, each number of another block",
		attack: func(a *attacker) {
			a.found(2000)
			a.every(500*time.Millisecond, 0, day24, func(i int) {
				_ = a.ask(a.member(a.organizations[i%2000]), a.anywhere())
			})
		},
	},
	{
		name:  "at night",
		about: "spread, eight times a second, from 3 to 9 UTC",
		attack: func(a *attacker) {
			a.rent(600, allowed...)
			a.found(2000)
			a.every(time.Second/8, 3*time.Hour, 9*time.Hour, func(int) { a.pump() })
		},
	},
	{
		name:  "an Organization each",
		about: "spread, each Member by self-service sign-up in an Organization of its own",
		attack: func(a *attacker) {
			a.rent(600, allowed...)
			a.every(500*time.Millisecond, 0, day24, func(int) {
				a.ask(a.member(a.s.stytch.newOrganization()), a.next())
			})
		},
	},
	{
		name:  "honest Organizations",
		about: "spread, the Members in the Organizations of the honest",
		attack: func(a *attacker) {
			a.rent(600, allowed...)
			a.every(500*time.Millisecond, 0, day24, func(int) {
				a.ask(a.member(pick(a.random, a.crowd.returning).member.organization), a.next())
			})
		},
	},
	{
		name:  "honest ranges",
		about: "spread, to numbers beside those of the honest, in their Organizations",
		attack: func(a *attacker) {
			a.every(500*time.Millisecond, 0, day24, func(int) { a.beside() })
		},
	},
	{
		name:  "honest numbers",
		about: "Members of the attacker's enroll the numbers of the honest, to have them refused: each eight times, from midnight",
		attack: func(a *attacker) {
			a.found(2000)
			people := append(append([]*person{}, a.crowd.returning...), a.crowd.newcomers(-1)...)
			a.every(500*time.Millisecond, 0, day24, func(i int) {
				if i < 8*len(people) {
					a.ask(a.member(a.organizations[i%2000]), people[i%len(people)].number)
				}
			})
		},
	},
	{
		name:  "honest Members",
		about: "asks for codes for 300 returning Members of the honest, each every two minutes",
		attack: func(a *attacker) {
			people := a.crowd.returning[:300]
			a.every(2*time.Minute/300, 0, day24, func(i int) {
				p, n := people[i%300], ""
				if p.member.organization.numbers {
					n = p.number
				}
				a.ask(p.member, n)
			})
		},
	},
	{
		name:  "Jamaica on file",
		about: "1,900 Members with numbers of one Jamaican prefix on file; the Sends name none",
		attack: func(a *attacker) {
			block := newBlock(a.random, "JM", "+1876")
			a.found(2000)
			a.every(45*time.Second, 0, 1900*45*time.Second, func(i int) {
				m := a.member(a.organizations[i%2000])
				m.number = number(block, i)
				a.ask(m, "")
			})
		},
	},
	{name: "verifies 1%", about: "spread, 1% of the codes entered, by real phones", attack: verifying(1)},
	{name: "verifies 5%", about: "spread, 5%", attack: verifying(5)},
	{name: "verifies 20%", about: "spread, 20%", attack: verifying(20)},
	{name: "verifies all", about: "spread, all: the numbers' carrier is in it", attack: verifying(100)},
	{
		name:  "own phones",
		about: "spread; five real phones verify one code a minute each, of another Member each time",
		attack: func(a *attacker) {
			a.spread(allowed...)
			phones := a.phones(5)
			a.every(12*time.Second, 0, day24, func(i int) {
				a.own(a.member(a.organizations[i%2000]), phones[i%5])
			})
		},
	},
	{
		name:  "own phones only",
		about: "five real phones verify two codes a second, of another Member each time",
		attack: func(a *attacker) {
			a.found(2000)
			phones := a.phones(5)
			a.every(500*time.Millisecond, 0, day24, func(i int) {
				a.own(a.member(a.organizations[i%2000]), phones[i%5])
			})
		},
	},
	{
		name:  "300 Members",
		about: "300 Members verify numbers of the attacker's within a week; then each asks as often as it may",
		days:  8,
		attack: func(a *attacker) {
			a.rent(20, allowed...)
			a.found(100)
			var members []*member
			for day := range 7 {
				a.everyOn(day, day24/43, 0, day24, func(i int) {
					m := a.member(a.organizations[i])
					members = append(members, m)
					a.own(m, a.next())
				})
			}
			a.s.at(a.s.day(7), func() {
				for i, m := range members {
					if m.verified {
						a.s.after(time.Duration(i)*time.Second, func() { a.insist(m) })
					}
				}
			})
		},
	},
	{name: "mix honest", about: "x", attack: mix{members: 100, organizations: 1, blocks: 500, every: 12 * time.Minute, honest: true, days: 1, spread: day24 - time.Minute}.attack},
	{name: "mix 500", about: "x", attack: mix{members: 500, organizations: 500, blocks: 500, every: 0, days: 1, spread: day24 - time.Minute}.attack},
	{name: "mix 2000", about: "x", attack: mix{members: 2000, organizations: 500, blocks: 2000, every: 6 * time.Hour, days: 1, honest: true, spread: 6 * time.Hour}.attack},
	{
		name:  "sleepers",
		about: "100 Members a day verify numbers of the attacker's for two weeks; then each asks as often as it may",
		days:  17,
		attack: func(a *attacker) {
			a.rent(20, allowed...)
			a.found(100)
			var members []*member
			for day := 2; day < 16; day++ {
				a.everyOn(day, day24/100, 0, day24, func(i int) {
					m := a.member(a.organizations[i])
					members = append(members, m)
					a.own(m, a.next())
				})
			}
			a.s.at(a.s.day(16), func() {
				for i, m := range members {
					if m.verified {
						a.s.after(time.Duration(i)*time.Second, func() { a.insist(m) })
					}
				}
			})
		},
	},
	{
		name:  "changes its number",
		about: "200 Members verify one of 20 real phones, then change to a pumped number and ask twice, and again, every five minutes",
		attack: func(a *attacker) {
			a.rent(600, allowed...)
			a.found(200)
			phones := a.phones(20)
			var members []*member
			for i := range 200 {
				members = append(members, a.member(a.organizations[i]))
			}
			a.every(5*time.Minute/200, 0, day24, func(i int) {
				m := members[i%200]
				m.number = "" // The product lets Members change it.
				a.own(m, phones[i%20])
				a.s.after(time.Minute, func() {
					m.number = ""
					m.verified = false
					a.ask(m, a.next())
				})
				a.s.after(2*time.Minute+time.Second, func() {
					if m.number == "" {
						a.ask(m, a.next())
					} else {
						a.ask(m, "")
					}
				})
			})
		},
	},
	{
		name:  "changes its number, unnamed",
		about: "2,000 Members verify one of 20 real phones, then their number at Stytch is a pumped one, and the Send a quarter of an hour later names none; and again",
		attack: func(a *attacker) {
			a.rent(600, allowed...)
			a.found(2000)
			phones := a.phones(20)
			members := make([]*member, 2000)
			a.every(30*time.Minute/2000, 0, day24, func(i int) {
				m := members[i%2000]
				if m == nil {
					m = a.member(a.organizations[i%2000])
					members[i%2000] = m
				}
				m.number = ""
				if a.own(m, phones[i%20]) {
					a.s.after(15*time.Minute, func() {
						m.number, m.verified = a.next(), false
						a.ask(m, "")
					})
				}
			})
		},
	},
	{
		name:   "prepared",
		about:  "one real phone verifies in 20 Organizations of the attacker's; then spread from these, each number of another block",
		attack: prepared(1, 20),
	},
	{
		name:  "the day after",
		about: "the day after an attack as in \"honest ranges\"",
		days:  5,
		attack: func(a *attacker) {
			a.everyOn(3, 500*time.Millisecond, 0, day24, func(int) { a.beside() })
		},
	},
	{
		name:  "ramp",
		about: "grows from 40 a day to 173,000 in two weeks, 5% of the codes entered; the worst day",
		days:  17, worst: true,
		attack: func(a *attacker) {
			a.rent(600, allowed...)
			a.found(2000)
			perDay := 40.0
			for day := 3; day < 17; day++ {
				a.everyOn(day, time.Duration(float64(day24)/perDay), 0, day24, func(i int) {
					if m, err := a.pump(); err == nil && i%20 == 0 {
						a.verify(m)
					}
				})
				perDay *= 1.905
			}
		},
	},
	{
		name:  "in turn",
		about: "twice a second, 2,000 to one range of a million numbers, then to the next",
		attack: func(a *attacker) {
			a.found(2000)
			a.every(500*time.Millisecond, 0, day24, func(i int) {
				if i%2000 == 0 {
					c := pick(a.random, allowed)
					a.blocks = nil
					first := newBlock(a.random, c, pick(a.random, areas[c]))
					for range 50 {
						a.blocks = append(a.blocks, newBlock(a.random, c, first[:len(first)-2]))
					}
				}
				a.pump()
			})
		},
	},
}

// A setting is one way to guard.
type setting struct {
	name  string
	guard func(now func() time.Time) (*guard.Guard, error) // nil for none
}

var settings = []setting{
	{name: "no guard"},
	{"limits alone", func(now func() time.Time) (*guard.Guard, error) {
		return guard.New(
			guard.AllowCountries(allowed...),
			guard.Limit(guard.PerMember, 5, time.Hour),
			guard.Limit(guard.PerPhoneNumber, 5, time.Hour),
			guard.Limit(guard.PerPrefix, 20, time.Hour),
			guard.Limit(guard.PerOrganization, 200, time.Hour),
			guard.Limit(guard.InAll, 2000, time.Hour),
			guard.WithClock(now),
		)
	}},
	{"guard.Recommended", func(now func() time.Time) (*guard.Guard, error) {
		return guard.New(guard.Recommended(allowed...), guard.WithClock(now))
	}},
}
