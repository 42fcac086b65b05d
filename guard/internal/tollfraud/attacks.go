package main

import (
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

	organizations []*organization
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

// anywhere is a number that it has rented: each is of another block.
func (a *attacker) anywhere() string { return numberOf(a.random, pick(a.random, places).area) }

// member makes one, in an Organization of the attacker's.
func (a *attacker) member(i int) *member {
	return a.s.newMember(a.organizations[i%len(a.organizations)], "")
}

// among makes a Member in an Organization of the honest who come each day.
func (a *attacker) among() *member {
	return a.s.newMember(pick(a.random, a.crowd.returning).member.organization, "")
}

// ask asks for an SMS to a number, for a Member.
func (a *attacker) ask(m *member, number string) error { return a.count(a.s.send(m, number)) }

// signIn makes Stytch send an SMS, by a primary login.
func (a *attacker) signIn(m *member) error { return a.count(a.s.login(m)) }

// count counts an SMS, if err is nil.
func (a *attacker) count(err error) error {
	today := a.s.today()
	today.asked++
	if err == nil {
		today.sent++
		today.hours[a.s.now.Hour()]++
	}
	return err
}

// own asks for an SMS to a phone of the attacker's, and enters the code. Stytch may
// know the phone already.
func (a *attacker) own(m *member, phone string, onFile bool) {
	m.number, m.verified = "", false
	if onFile {
		m.number, phone = phone, ""
	}
	if a.ask(m, phone) == nil {
		a.verify(m)
	}
}

// phones are n real ones.
func (a *attacker) phones(n int) (phones []string) {
	for range n {
		phones = append(phones, a.anywhere())
	}
	return phones
}

// verify enters the code that a Member got.
func (a *attacker) verify(m *member) {
	a.s.after(15*time.Second, func() {
		if _, right := a.s.enter(m, m.code); right {
			a.s.today().entered++
		}
	})
}

// insist does something each time as soon as the guard lets it, until the day is
// over.
func (a *attacker) insist(do func() error) {
	wait := max(30*time.Second, stytchb2b.RetryAfter(do()))
	if a.s.now.Add(wait).Before(a.s.day(len(a.s.days))) {
		a.s.after(wait, func() { a.insist(do) })
	}
}

// spread asks with ever new numbers, for Members of 2,000 Organizations, at intervals. A share of the codes is entered, by real phones.
func spread(interval time.Duration, percent int) func(*attacker) {
	return func(a *attacker) {
		a.found(2000)
		a.every(interval, 0, func(i int) {
			m, real := a.member(i), a.random.IntN(100) < percent
			if a.ask(m, a.anywhere()) == nil && real {
				a.verify(m)
			}
		})
	}
}

// hide asks for Members in the users' Organizations, with each number of another
// block, on a day.
func hide(day int) func(*attacker) {
	return func(a *attacker) {
		a.everyOn(day, 2*time.Second, 0, func(int) { _ = a.ask(a.among(), a.anywhere()) })
	}
}

// prepare has codes of some phones entered, for ever new Members whose number is on
// file at Stytch, so often on each of some days. On the last day their numbers are
// others, Sends name none, and no code is entered.
func prepare(phones, codes, days int) func(*attacker) {
	return func(a *attacker) {
		a.found(2000)
		var members []*member
		last := len(a.s.days) - 1
		for i, phone := range a.phones(phones) {
			for day := last - days; day < last; day++ {
				a.everyOn(day, day24/time.Duration(codes), time.Duration(i)*time.Second, func(i int) {
					members = append(members, a.member(i))
					a.own(members[len(members)-1], phone, true)
				})
			}
		}
		a.every(2*time.Second, 0, func(i int) {
			m := members[i%len(members)]
			m.number, m.verified = a.anywhere(), false
			_ = a.ask(m, "")
		})
	}
}

var attacks = []scenario{
	{name: "spread: twice a second, each number of another block, 2,000 Organizations", reach: &reach{sent: 400, never: 30, waited: 30}, attack: spread(time.Second/2, 0)},
	{name: "500 Members ask again and again, number unnamed", reach: &reach{sent: 400, never: 30, waited: 30}, attack: func(a *attacker) {
		a.found(500)
		a.every(day24/500, 0, func(i int) {
			m := a.member(i)
			m.number = a.anywhere()
			a.insist(func() error { return a.ask(m, "") })
		})
	}},
	{name: "spread, where half of the new users bring an Organization", reach: &reach{sent: 400, never: 300, waited: 300}, crowd: smallOrganizations, attack: spread(2*time.Second, 0)},
	{name: "in your users' Organizations, each number of another block", reach: &reach{sent: 500, never: 600, waited: 600}, attack: hide(3)},
	{name: "the day after that", days: 5, reach: &reach{sent: 0, never: 30, waited: 30}, attack: hide(3)},
	{name: "the same, on the guard's second day", days: 2, reach: &reach{sent: 500, never: 600, waited: 600}, attack: hide(1)},
	{name: "the same, on the day after a launch", days: 2, crowd: launched, reach: &reach{sent: 500, never: 1230, waited: 1230}, attack: hide(1)},
	{name: "one phone, on file for ever new Members; codes entered", reach: &reach{sent: 500, never: 30, waited: 30}, attack: func(a *attacker) {
		a.found(2000)
		phone := a.phones(1)[0]
		a.every(time.Second, 0, func(i int) { a.own(a.member(i), phone, true) })
	}},
	{name: "one phone, 5,000 codes entered yesterday; other numbers today, none entered", reach: &reach{sent: 500, never: 30, waited: 30}, attack: prepare(1, 5000, 1)},
	{name: "twelve phones, 100 codes each on five days; other numbers today, none entered", days: 8, reach: &reach{sent: 700, never: 30, waited: 30}, attack: prepare(12, 100, 5)},
	{name: "one phone, 40 codes in an Organization of its own, which then asks", reach: &reach{sent: 500, never: 30, waited: 30}, attack: func(a *attacker) {
		a.found(1)
		phone := a.phones(1)[0]
		a.every(30*time.Second, 0, func(i int) {
			if i < 40 {
				a.own(a.member(i), phone, false)
			}
		})
		a.every(2*time.Second, 30*time.Minute, func(i int) { _ = a.ask(a.member(i), a.anywhere()) })
	}},
	{name: "one phone's number, which 2,000 Members enroll", reach: &reach{sent: 12}, attack: func(a *attacker) {
		a.found(2000)
		phone := a.anywhere()
		a.every(40*time.Second, 0, func(i int) { _ = a.ask(a.member(i), phone) })
	}},
	{name: "five phones, two codes a second, all entered", reach: &reach{sent: 5 * 100}, attack: func(a *attacker) {
		a.found(2000)
		phones := a.phones(5)
		a.every(time.Second/2, 0, func(i int) { a.own(a.member(i), phones[i%5], false) })
	}},
	{name: "one phone, 25 Members sign in all day; codes entered", reach: &reach{sent: 130}, attack: func(a *attacker) {
		a.found(25)
		phone := a.phones(1)[0]
		var members []*member
		a.every(20*time.Second, 0, func(i int) {
			if i < 25 {
				members = append(members, a.member(i))
			}
			a.own(members[i%25], phone, true)
		})
	}},
	{name: "spread, 20% of the codes entered", reach: &reach{sent: 500, never: 30, waited: 30}, attack: spread(2*time.Second, 20)},
	{name: "Jamaican numbers on file; the Sends name none", reach: &reach{sent: 400, never: 30, waited: 30}, attack: func(a *attacker) {
		a.found(2000)
		a.every(45*time.Second, 0, func(i int) {
			m := a.member(i)
			m.number = numberOf(a.random, "+1876")
			_ = a.ask(m, "")
		})
	}},
	{name: "Members enroll your users' numbers, to have them refused", reach: &reach{sent: 400, never: 30, waited: 30}, attack: func(a *attacker) {
		a.found(2000)
		a.every(2*time.Second, 0, func(i int) { _ = a.ask(a.member(i), a.crowd.returning[i/8].number) })
	}},
	{name: "asks in the names of 300 users, each every two minutes", reach: &reach{sent: 3000, returning: 300, waited: 300}, attack: func(a *attacker) {
		a.every(2*time.Minute/300, 0, func(i int) {
			p, n := a.crowd.returning[i%300], ""
			if p.member.organization.names {
				n = p.number
			}
			_ = a.ask(p.member, n)
		})
	}},
	{name: "one password: signs in again and again, and guesses codes", reach: &reach{sent: 10, guesses: 40, returning: 1, waited: 1}, attack: func(a *attacker) {
		m := pick(a.random, a.crowd.returning).member
		a.every(3*time.Second, 0, func(int) {
			_ = a.signIn(m)
			if asked, _ := a.s.enter(m, -1); asked {
				a.s.today().guesses++
			}
		})
	}},
	{name: "passwords of 500 Members with pumped numbers, who sign in again and again", reach: &reach{sent: 900, never: 30, waited: 30}, attack: func(a *attacker) {
		a.found(500)
		a.every(time.Minute, 0, func(i int) {
			if m := a.member(i); i < 500 {
				m.number = a.anywhere()
				a.insist(func() error { return a.signIn(m) })
			}
		})
	}},
	{name: "spread; every fourth user's last code was 35 days ago", days: 36, crowd: rare, reach: &reach{sent: 400, never: 30, waited: 30}, attack: spread(2*time.Second, 0)},
	{name: "spread, in the first hours of the guard", fresh: true, attack: spread(2*time.Second, 0)},
	{name: "the same; the product passes its logins on", fresh: true, logins: true, reach: &reach{sent: 400, never: 600, waited: 600}, attack: spread(2*time.Second, 0)},
	{name: "spread, and the guard restarts at 13:00 without its memory", restart: true, attack: spread(2*time.Second, 0)},
	{name: "the same; the product passes its logins on", restart: true, logins: true, reach: &reach{sent: 500, never: 600, waited: 600}, attack: spread(2*time.Second, 0)},
	{name: "spread, two processes that count in one Redis", redis: true, days: 2, reach: &reach{sent: 400, never: 30, waited: 30}, attack: spread(20*time.Second, 0)},
}
