package main

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// A person is an honest user. The chances below are assumed; what comes of them
// is near what Stytch's and Twilio's customers see: 97% of the returning users
// and 87% of the new ones enter a code.
type person struct {
	member    *member
	number    string // the person's own
	returning bool
	random    *rand.Rand
}

const (
	impatient = 0.08 // asks for another code before a minute is over
	mistypes  = 0.03 // a new user's number, once
	fumbles   = 0.04 // enters a wrong code first
)

// A login is a person's on one day.
type login struct {
	s   *simulation
	p   *person
	day *day

	given     string // the number that a new user has given
	asks      int
	refusals  int
	round     int  // which of the codes is waited for
	back      bool // has come back after having given up
	got       bool
	waited    bool // for another reason than the cooldown
	entered   bool
	wrongOnce bool // the number, still
}

// newLogin begins a login at its time.
func (s *simulation) newLogin(p *person, day int, clock time.Duration) {
	at := s.on(day, clock)
	s.at(at, func() {
		p.returning = p.returning || p.member.verified
		l := &login{s: s, p: p, day: s.days[day], given: p.number}
		if !p.returning && p.random.Float64() < mistypes {
			l.wrongOnce = true
			l.given = newNumber(p.random, p.member.organization.home)
		}
		l.signIn()
		s.at(at.Add(2*time.Hour), l.end)
	})
}

// signIn is the primary login. The product may pass it on to the guard.
func (l *login) signIn() {
	if m := l.p.member; l.s.logins {
		l.s.tell(m, false)
	}
	l.ask()
}

// ask asks for a code.
func (l *login) ask() {
	l.asks++
	m, number := l.p.member, ""
	if m.number == "" || m.organization.names {
		number = l.given
	}
	err := l.s.send(m, number)
	if err == nil {
		l.codeComes()
		return
	}
	l.refusals++
	soon := stytchb2b.RetryAfter(err) + time.Second + time.Duration(l.p.random.Int64N(int64(3*time.Second)))
	switch {
	case errors.Is(err, guard.ErrCooldown):
		if l.got { // The code that is there will do, or the button is pressed again.
			if soon < time.Minute && l.p.random.IntN(2) == 0 {
				l.again(soon)
			} else {
				l.read()
			}
			return
		}
		if soon < 5*time.Minute && l.refusals < 4 {
			l.again(soon)
		} else if l.refusals < 4 {
			l.again(10 * time.Minute)
		}
	default:
		l.waited = true
		if l.got {
			l.read()
			return
		}
		// The page says when to try again. Who is told nothing, or too long a
		// time, tries in 10 minutes. Nobody tries a third time.
		if l.refusals < 2 {
			if soon < 10*time.Minute && stytchb2b.RetryAfter(err) > 0 {
				l.again(soon)
			} else {
				l.again(10 * time.Minute)
			}
		}
	}
}

func (l *login) again(d time.Duration) { l.s.after(d, l.ask) }

// codeComes is what follows when an SMS has gone out.
func (l *login) codeComes() {
	r := l.p.random
	l.round++
	if l.wrongOnce { // Somebody else has it. The product corrects the number.
		l.s.after(time.Duration(45+r.IntN(90))*time.Second, func() {
			l.wrongOnce = false
			l.given = l.p.number
			l.p.member.number = ""
			l.ask()
		})
		return
	}
	if l.s.outage != nil && l.s.outage(l.p.member.number) {
		switch {
		case l.asks < 3:
			l.again(time.Duration(60+r.IntN(60)) * time.Second)
		case l.asks < 7:
			l.again(20 * time.Minute)
		}
		return
	}
	l.got = true
	if l.asks < 3 && r.Float64() < impatient {
		l.again(time.Duration(5+r.IntN(55)) * time.Second)
		return
	}
	l.read()
}

// read is what a person does with a code.
func (l *login) read() {
	r := l.p.random
	leaves, returns := 0.11, 0.05
	if l.p.returning {
		leaves, returns = 0.02, 0.025
	}
	switch what := r.Float64(); {
	case what < leaves:
		return
	case what < leaves+returns && !l.back:
		l.back = true
		l.again(10 * time.Minute)
		return
	}
	takes := min(90*time.Second, 8*time.Second+time.Duration(r.ExpFloat64()*float64(15*time.Second)))
	round := l.round
	if r.Float64() < fumbles {
		l.s.after(takes/2, func() { l.s.enter(l.p.member, -1) })
	}
	l.s.after(takes, func() {
		if l.round == round {
			_, l.entered = l.s.enter(l.p.member, l.p.member.code)
		}
	})
}

// end counts the login, two hours after it began.
func (l *login) end() {
	g := &l.day.newcomers
	if l.p.returning {
		g = &l.day.returning
	}
	g.came++
	if l.waited {
		g.waited++
	}
	if l.entered {
		g.entered++
	}
	if !l.got {
		g.never++
	}
}

// A crowd are the honest users of a product.
type crowd struct {
	returning []*person
	people    func(day int) []*person // who come
	at        func(p *person) time.Duration
}

// newPerson makes somebody who is in Stytch's books already.
func newPerson(s *simulation, o *organization, number string, returning bool) *person {
	p := &person{number: number, returning: returning, random: newRandom(1000 + s.next()), member: s.newMember(o, "")}
	if returning {
		p.member.number, p.member.verified = number, true
	}
	return p
}

// newCrowd makes 5,400 people who come each day, and 600 a day who are new, in
// Organizations whose sizes follow a power law. One in 25 of the new ones is from
// a new Organization of four.
func newCrowd(s *simulation, organizations, people, newPeople int) *crowd {
	random := newRandom(1)
	c := &crowd{at: officeHours}
	var all []*organization
	var sum float64
	for i := range organizations {
		all = append(all, newHonestOrganization(s, random))
		sum += 1 / float64(i+1)
	}
	someone := func() *organization {
		at := random.Float64() * sum
		for i, o := range all {
			if at -= 1 / float64(i+1); at < 0 {
				return o
			}
		}
		return all[0]
	}
	for i := range people {
		o := someone()
		if i < len(all) {
			o = all[i]
		}
		c.returning = append(c.returning, newPerson(s, o, newNumber(random, o.home), true))
	}
	c.people = func(int) []*person {
		var fresh *organization
		come := slices.Clone(c.returning)
		for i := range newPeople {
			o := someone()
			if i < newPeople/25 {
				if i%4 == 0 {
					fresh = newHonestOrganization(s, random)
				}
				o = fresh
			}
			come = append(come, newPerson(s, o, newNumber(random, o.home), false))
		}
		return come
	}
	return c
}

func newHonestOrganization(s *simulation, random *rand.Rand) *organization {
	o := s.newOrganization()
	o.home = pick(random, places)
	o.names = random.IntN(4) == 0
	return o
}

// officeHours are about nine, after lunch, or any time from seven to ten in the
// evening, where the person is.
func officeHours(p *person) time.Duration {
	var local float64
	switch what := p.random.Float64(); {
	case what < 0.5:
		local = 9 + 0.7*p.random.NormFloat64()
	case what < 0.7:
		local = 13.25 + 0.6*p.random.NormFloat64()
	default:
		local = 7 + 15*p.random.Float64()
	}
	utc := math.Mod(local+float64(p.member.organization.home.hours)+24, 24)
	return time.Duration(utc * float64(time.Hour))
}
