package main

import (
	"errors"
	"math"
	"math/rand/v2"
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
	wrongOnce bool // the number, still
}

// newLogin begins a login at its time.
func (s *simulation) newLogin(p *person, day int, clock time.Duration) {
	at := s.day(day).Add((clock + day24 - time.Duration(s.hour)*time.Hour) % day24)
	s.at(at, func() {
		p.returning = p.returning || p.member.verified
		l := &login{s: s, p: p, day: s.today(), given: p.number}
		if !p.returning && p.random.Float64() < mistypes {
			l.wrongOnce = true
			l.given = newNumber(p.random, p.member.organization.home)
		}
		if s.logins {
			s.passOn(p.member, false)
		}
		l.ask()
		s.at(at.Add(2*time.Hour), l.end)
	})
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
	cooldown := errors.Is(err, guard.ErrCooldown)
	l.waited = l.waited || !cooldown
	// The page says when to ask again. People who are told nothing, or too long a
	// time, ask in 10 minutes.
	wait := stytchb2b.RetryAfter(err) + time.Second + time.Duration(l.p.random.Int64N(int64(3*time.Second)))
	if stytchb2b.RetryAfter(err) == 0 || wait > 10*time.Minute {
		wait = 10 * time.Minute
	}
	switch {
	case l.got && (!cooldown || wait > time.Minute || l.p.random.IntN(2) == 0):
		l.read() // The code that is there will do.
	case l.got, l.refusals < 2, cooldown && l.refusals < 4:
		l.again(wait)
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
	if out := l.s.crowd.outage; out != nil && out(l.p.member.number, l.s.now.Sub(l.s.day(3)).Hours()) {
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
	l.s.after(takes, func() {
		if l.round == round {
			l.s.enter(l.p.member, true)
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
	if !l.got {
		g.never++
	}
}

// officeHours are about nine, after lunch, or any time from seven to ten in the
// evening, where the person is.
func officeHours(p *person) time.Duration {
	local := 7 + 15*p.random.Float64()
	switch what := p.random.Float64(); {
	case what < 0.5:
		local = 9 + 0.7*p.random.NormFloat64()
	case what < 0.7:
		local = 13.25 + 0.6*p.random.NormFloat64()
	}
	utc := math.Mod(local+float64(p.member.organization.home.hours)+24, 24)
	return time.Duration(utc * float64(time.Hour))
}
