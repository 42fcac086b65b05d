package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/eb715825/stytchb2b"
)

// A mix is an attack that enters no codes: so many Members, of so many
// Organizations, enroll numbers of so many blocks, and each asks again.
type mix struct {
	members, organizations, blocks int
	every                          time.Duration // between a Member's Sends; 0: as soon as the guard says
	named                          bool          // the Sends name the number, not only the first
	filed                          bool          // the number is in Stytch's books already
	honest                         bool          // the Members are in Organizations of the honest
	days                           int
	spread                         time.Duration // the Members begin within this time
	from                           time.Duration
}

func (x mix) attack(a *attacker) {
	a.rent(x.blocks, allowed...)
	a.found(x.organizations)
	for i := range x.members {
		o := a.organizations[i%x.organizations]
		if x.honest {
			o = a.crowd.returning[i%len(a.crowd.returning)].member.organization
		}
		m := a.member(o)
		phone := number(a.blocks[i%x.blocks], i/x.blocks*7919)
		if x.filed {
			m.number = phone
		}
		begin := x.from + time.Duration(i)*x.spread/time.Duration(x.members)
		for day := len(a.s.days) - x.days; day < len(a.s.days); day++ {
			if x.every == 0 {
				a.s.at(a.s.day(day).Add(begin), func() { a.persist(m, phone, x.named, day) })
				continue
			}
			a.everyOn(day, x.every, begin, day24, func(int) {
				n := ""
				if x.named || m.number == "" {
					n = phone
				}
				_ = a.ask(m, n)
			})
		}
	}
}

func (a *attacker) persist(m *member, phone string, named bool, day int) {
	n := ""
	if named || m.number == "" {
		n = phone
	}
	wait := max(30*time.Second, stytchb2b.RetryAfter(a.ask(m, n)))
	if a.s.now.Add(wait).Before(a.s.day(day + 1)) {
		a.s.after(wait, func() { a.persist(m, phone, named, day) })
	}
}

func search(n int, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	of := func(n ...int) int { return n[random.IntN(len(n))] }
	worst := 0
	for range n {
		x := mix{
			members:       of(100, 500, 2000, 5000),
			organizations: of(1, 20, 500, 2000),
			blocks:        of(20, 120, 500, 600, 2000),
			every:         time.Duration(of(0, 0, 12, 24, 60, 180, 360)) * time.Minute,
			named:         of(0, 1) == 1,
			filed:         of(0, 0, 1) == 1,
			honest:        of(0, 0, 1) == 1,
			days:          of(1, 1, 2, 3),
			spread:        time.Duration(of(1, 60, 6*60, 24*60-1)) * time.Minute,
			from:          0,
		}
		if x.every > 0 && time.Duration(x.members)*(day24/x.every) > 100_000 {
			continue
		}
		d, err := scenario{attack: x.attack}.play(settings[len(settings)-1])
		check(err)
		mark := ""
		if d.sent > worst {
			worst, mark = d.sent, " <<<"
		}
		fmt.Printf("%d sent, %d asked, %d/%d honest: %+v%s\n", d.sent, d.asked, d.returning.never, d.newcomers.never, x, mark)
	}
}
