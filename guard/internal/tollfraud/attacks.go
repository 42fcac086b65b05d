package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/eb715825/stytchb2b"
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

// rent gets n blocks of 10,000 numbers, in the allowed countries in turn.
func (a *attacker) rent(n int) {
	for i := range n {
		c := allowed[i%len(allowed)]
		a.blocks = append(a.blocks, newBlock(a.random, c, pick(a.random, areas[c])))
	}
}

// found makes Organizations by the product's own sign-up.
func (a *attacker) found(n int) {
	for range n {
		a.organizations = append(a.organizations, a.s.newOrganization())
	}
}

// every does something at intervals, from a time of the last day on.
func (a *attacker) every(interval, from time.Duration, do func(i int)) {
	a.everyOn(len(a.s.days)-1, interval, from, do)
}

func (a *attacker) everyOn(day int, interval, from time.Duration, do func(i int)) {
	begin := a.s.day(day)
	var next func(i int)
	next = func(i int) {
		if at := begin.Add(from + time.Duration(i)*interval); at.Before(begin.Add(day24)) {
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

// anywhere is a number of any block.
func (a *attacker) anywhere() string {
	c := pick(a.random, allowed)
	return number(newBlock(a.random, c, pick(a.random, areas[c])), a.random.IntN(10_000))
}

// member makes one, in an Organization of the attacker's.
func (a *attacker) member(i int) *member {
	return a.s.newMember(a.organizations[i%len(a.organizations)], "", false)
}

// user is one of the honest who come each day.
func (a *attacker) user() *person { return pick(a.random, a.crowd.returning) }

// ask asks for an SMS to a number, for a Member.
func (a *attacker) ask(m *member, number string) error {
	a.s.today().asked++
	err := a.s.send(m, number)
	if err == nil {
		a.s.today().sent++
	}
	return err
}

// own asks for an SMS to a phone of the attacker's, and enters the code.
func (a *attacker) own(m *member, phone string) {
	if a.ask(m, phone) == nil {
		a.verify(m)
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

// insist asks for SMS to a Member until the day is over: at intervals or, if that
// is 0, each time as soon as the guard lets it.
func (a *attacker) insist(m *member, phone string, names bool, interval time.Duration) {
	n := ""
	if names || m.number == "" {
		n = phone
	}
	err := a.ask(m, n)
	wait := cmp.Or(interval, max(30*time.Second, stytchb2b.RetryAfter(err)))
	if a.s.now.Add(wait).Before(a.s.day(len(a.s.days))) {
		a.s.after(wait, func() { a.insist(m, phone, names, interval) })
	}
}

// spread asks with numbers of 600 blocks, for Members of 2,000 Organizations, at
// intervals. A share of the codes is entered, by real phones.
func spread(interval time.Duration, percent int) func(*attacker) {
	return func(a *attacker) {
		a.rent(600)
		a.found(2000)
		a.every(interval, 0, func(i int) {
			m, real := a.member(i), a.random.IntN(100) < percent
			if a.ask(m, a.next()) == nil && real {
				a.verify(m)
			}
		})
	}
}

// beside asks with numbers beside the honest users', for new Members of their
// Organizations.
func (a *attacker) beside(day int) {
	a.everyOn(day, 2*time.Second, 0, func(int) {
		p := a.user()
		_ = a.ask(a.s.newMember(p.member.organization, "", false), number(p.number[:len(p.number)-4], a.random.IntN(10_000)))
	})
}

// A mix is an attack that enters no codes: so many Members, of so many
// Organizations, enroll numbers of so many blocks, and each asks again.
type mix struct {
	members, blocks int
	organizations   int           // 0: those of the honest
	every           time.Duration // between a Member's Sends; 0: as soon as the guard lets it
	within          time.Duration // all Members have begun
	named           bool          // each Send names the number, not only a Member's first
	filed           bool          // not even the first: Stytch has the number already
	days            int
}

func (x mix) attack(a *attacker) {
	a.rent(x.blocks)
	a.found(x.organizations)
	for day := len(a.s.days) - x.days; day < len(a.s.days); day++ {
		for i := range x.members {
			o := a.user().member.organization
			if x.organizations > 0 {
				o = a.organizations[i%x.organizations]
			}
			m, phone := a.s.newMember(o, "", false), number(a.blocks[i%x.blocks], i/x.blocks*7919)
			if x.filed {
				m.number = phone
			}
			begin := a.s.day(day).Add(time.Duration(i) * x.within / time.Duration(x.members))
			a.s.at(begin, func() { a.insist(m, phone, x.named, x.every) })
		}
	}
}

// search plays mixes at random and prints the worst so far.
func search(n int, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 1))
	worst := 0
	for range n {
		x := mix{
			members:       pick(random, []int{100, 300, 500, 2000, 5000}),
			blocks:        pick(random, []int{20, 120, 500, 600, 2000}),
			organizations: pick(random, []int{0, 0, 1, 20, 500, 2000}),
			every:         pick(random, []time.Duration{0, 0, 12 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour}),
			within:        pick(random, []time.Duration{time.Minute, time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour}),
			named:         random.IntN(2) == 0,
			filed:         random.IntN(4) == 0,
			days:          pick(random, []int{1, 1, 2}),
		}
		if x.every > 0 && time.Duration(x.members)*(day24/x.every) > 50_000 {
			continue // Nobody who asks so often gets more.
		}
		d, err := scenario{attack: x.attack}.play(settings[len(settings)-1])
		if err != nil {
			return err
		}
		if d.sent > worst {
			worst = d.sent
			fmt.Printf("%d SMS of %d, %d returning and %d new users without a code: %+v\n", d.sent, d.asked, d.returning.never, d.newcomers.never, x)
		}
	}
	return nil
}

// bound is the reach for what shuts out new users, and few that of other attacks.
var (
	bound = &reach{sent: 500, refused: 600, never: 600}
	few   = &reach{sent: 500, refused: 30, never: 30}
)

var attacks = []scenario{
	{name: "spread: twice a second, of 600 blocks and 2,000 Organizations", reach: few, attack: spread(time.Second/2, 0)},
	{name: "slow: 15 an hour to each of 120 blocks", reach: few, attack: func(a *attacker) {
		a.rent(120)
		a.found(2000)
		a.every(time.Hour/(120*15), 0, func(i int) { _ = a.ask(a.member(i), a.next()) })
	}},
	{name: "again: 500 Members of 500 blocks ask again, number unnamed, five an hour", reach: few,
		attack: mix{members: 500, blocks: 500, organizations: 500, every: 12 * time.Minute, within: 12 * time.Minute, days: 1}.attack},
	{name: "again, 2,000 Members of 600 blocks, each hour", reach: few,
		attack: mix{members: 2000, blocks: 600, organizations: 2000, every: time.Hour, within: time.Hour, days: 1}.attack},
	{name: "again, 500 Members of 500 blocks, as soon as they may", reach: few,
		attack: mix{members: 500, blocks: 500, organizations: 500, within: day24, days: 1}.attack},
	{name: "wide: each number of another block", reach: few, attack: func(a *attacker) {
		a.found(2000)
		a.every(2*time.Second, 0, func(i int) { _ = a.ask(a.member(i), a.anywhere()) })
	}},
	{name: "spread, where half of the new users bring an Organization", crowd: smallOrganizations, attack: spread(2*time.Second, 0)},
	{name: "spread, in the first hours of the guard", fresh: true, attack: spread(2*time.Second, 0)},
	{name: "spread, the Members in your users' Organizations", reach: bound, attack: func(a *attacker) {
		a.rent(600)
		a.every(2*time.Second, 0, func(int) { _ = a.ask(a.s.newMember(a.user().member.organization, "", false), a.next()) })
	}},
	{name: "the same, to numbers beside your users'", reach: bound, attack: func(a *attacker) { a.beside(3) }},
	{name: "the day after that", days: 5, attack: func(a *attacker) { a.beside(3) }},
	{name: "to numbers beside your users', from Organizations of its own", reach: few, attack: func(a *attacker) {
		a.found(2000)
		a.every(time.Second/2, 0, func(i int) {
			phone := a.user().number
			_ = a.ask(a.member(i), number(phone[:len(phone)-4], a.random.IntN(10_000)))
		})
	}},
	{name: "the worst mix that a search has found", reach: bound, attack: worstMix.attack},
	{name: "one phone, which 2,000 Members enroll", reach: bound, attack: func(a *attacker) {
		a.found(2000)
		phone := a.anywhere()
		a.every(40*time.Second, 0, func(i int) { _ = a.ask(a.member(i), phone) })
	}},
	{name: "1,900 Members with numbers of one Jamaican prefix on file; the Sends name none", reach: bound, attack: func(a *attacker) {
		block := newBlock(a.random, "JM", "+1876")
		a.found(2000)
		a.every(45*time.Second, 0, func(i int) {
			if m := a.member(i); i < 1900 {
				m.number = number(block, i)
				_ = a.ask(m, "")
			}
		})
	}},
	{name: "Members enroll your users' numbers, to have them refused", reach: bound, attack: func(a *attacker) {
		a.found(2000)
		a.every(2*time.Second, 0, func(i int) { _ = a.ask(a.member(i), a.crowd.returning[i/8].number) })
	}},
	{name: "asks for codes for 300 of your users, each every two minutes", attack: func(a *attacker) {
		a.every(2*time.Minute/300, 0, func(i int) {
			p, n := a.crowd.returning[i%300], ""
			if p.member.organization.names {
				n = p.number
			}
			_ = a.ask(p.member, n)
		})
	}},
	{name: "300 Members verify numbers in a week; none enters a code today", days: 8, reach: &reach{sent: 2500, refused: 30, never: 30}, attack: func(a *attacker) {
		a.rent(20)
		a.found(100)
		for i := range 300 {
			m := a.member(i)
			a.s.at(a.s.start.Add(time.Duration(i)*7*day24/300), func() { a.own(m, a.next()) })
			a.s.at(a.s.day(7).Add(time.Duration(i)*time.Second), func() { a.insist(m, "", false, 0) })
		}
	}},
	{name: "spread, 5% of the codes entered", attack: spread(2*time.Second, 5)},
	{name: "spread, 20%", attack: spread(2*time.Second, 20)},
	{name: "one real phone verifies in 20 Organizations; then wide, from these", reach: bound, attack: func(a *attacker) {
		a.found(20)
		phone := a.phones(1)[0]
		a.every(30*time.Second, 0, func(i int) {
			if i < 20 {
				a.own(a.member(i), phone)
			}
		})
		a.every(2*time.Second, 15*time.Minute, func(i int) { _ = a.ask(a.member(i), a.anywhere()) })
	}},
	{name: "five real phones, two codes a second, all entered", attack: func(a *attacker) {
		a.found(2000)
		phones := a.phones(5)
		a.every(time.Second/2, 0, func(i int) { a.own(a.member(i), phones[i%5]) })
	}},
	{name: "20 real phones verify, then the Members change to other numbers, and again", attack: func(a *attacker) {
		a.rent(600)
		a.found(200)
		phones, members := a.phones(20), make([]*member, 200)
		a.every(5*time.Minute/200, 0, func(i int) {
			if members[i%200] == nil {
				members[i%200] = a.member(i)
			}
			m := members[i%200]
			m.number = "" // The product lets Members change it.
			a.own(m, phones[i%20])
			a.s.after(time.Minute, func() {
				m.number, m.verified = "", false
				_ = a.ask(m, a.next())
			})
		})
	}},
	{name: "the same at Stytch, and the Sends name no number", attack: func(a *attacker) {
		a.rent(600)
		a.found(2000)
		phones, members := a.phones(20), make([]*member, 2000)
		a.every(30*time.Minute/2000, 0, func(i int) {
			if members[i%2000] == nil {
				members[i%2000] = a.member(i)
			}
			m := members[i%2000]
			m.number = ""
			a.own(m, phones[i%20])
			for _, later := range []time.Duration{15, 17, 20, 25} {
				a.s.after(later*time.Minute, func() {
					m.number, m.verified = a.next(), false
					_ = a.ask(m, "")
				})
			}
		})
	}},
}

// worstMix is what -search has found.
var worstMix = mix{members: 100, blocks: 500, within: day24, days: 1}
