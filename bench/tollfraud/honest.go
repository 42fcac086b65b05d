package main

import (
	"strings"
	"time"
)

// honestDays are days without an attack, on which nobody may be refused but by
// the cooldown.
var honestDays = []scenario{
	{name: "6,000 people", bound: true, about: "the honest day that every attack is beside"},
	{name: "6,000 people, Stytch texts first", bound: true, text: true, about: "Stytch itself sends a returning user's first SMS, and the product tells the guard"},
	{name: "6,000 people, first day", bound: true, fresh: true, about: "a deployment that has learned nothing"},
	{
		name: "60 people", bound: true,
		about: "a small product: 54 returning, 6 new",
		crowd: func(s *simulation) *crowd { return newCrowd(s, 10, 54, 6) },
	},
	{
		name: "60,000 people", bound: true, days: 2,
		about: "a big one",
		crowd: func(s *simulation) *crowd { return newCrowd(s, 3000, 54_000, 6000) },
	},
	{
		name: "launch", bound: true, fresh: true,
		about: "6,000 people on a product's first day, all new",
		crowd: func(s *simulation) *crowd { return newCrowd(s, 400, 0, 6000) },
	},
	{
		name:  "outage",
		about: "from 9 to 10 UTC no SMS arrives in GB, and people ask again and again",
		crowd: func(s *simulation) *crowd {
			s.outage = func(number string) bool {
				return s.now.Sub(s.day(3)) > 9*time.Hour && s.now.Sub(s.day(3)) < 10*time.Hour && strings.HasPrefix(number, "+44")
			}
			return newCrowd(s, 400, 5400, 600)
		},
	},
	{
		name: "small Organizations", bound: true,
		about: "6,000 people, most in Organizations of four",
		crowd: smallOrganizations,
	},
	{
		name: "nine o'clock", bound: true,
		about: "10,000 people of one Organization come between 8:55 and 9:10",
		crowd: func(s *simulation) *crowd { return nineOClock(s, false) },
	},
	{
		name: "nine o'clock, all new", bound: true, waits: true,
		about: "the same, on their first day",
		crowd: func(s *simulation) *crowd { return nineOClock(s, true) },
	},
	{
		name: "one block", bound: true,
		about: "2,000 people of one company, all phones of one block of 10,000 numbers",
		crowd: func(s *simulation) *crowd {
			c, random := newCrowd(s, 400, 5400, 600), newRandom(3)
			o := newHonestOrganization(s, random)
			o.block = newBlock(random, o.home.country, o.home.area)
			for i := range 2000 {
				c.returning = append(c.returning, newPerson(s, o, number(o.block, i), true))
			}
			return c
		},
	},
	{
		name: "one block, all new", bound: true,
		about: "the same, on their first day",
		crowd: func(s *simulation) *crowd {
			c, random := newCrowd(s, 400, 5400, 600), newRandom(3)
			o := newHonestOrganization(s, random)
			o.block = newBlock(random, o.home.country, o.home.area)
			newcomers := c.newcomers
			c.newcomers = func(day int) []*person {
				people := newcomers(day)
				if day == 3 {
					for i := range 2000 {
						people = append(people, newPerson(s, o, number(o.block, i), false))
					}
				}
				return people
			}
			return c
		},
	},
	{
		name: "reception", bound: true,
		about: "20 Members share a reception's phone, at 30 companies",
		crowd: func(s *simulation) *crowd {
			c, random := newCrowd(s, 400, 5400, 600), newRandom(3)
			for range 30 {
				o := newHonestOrganization(s, random)
				phone := o.newNumber(random)
				for range 20 {
					c.returning = append(c.returning, newPerson(s, o, phone, true))
				}
			}
			return c
		},
	},
}

// nineOClock is the usual crowd, and a company of 10,000 that all come at nine.
func nineOClock(s *simulation, firstDay bool) *crowd {
	c, random := newCrowd(s, 400, 5400, 600), newRandom(3)
	o := newHonestOrganization(s, random)
	o.home = place{"US", "+1312", 6}
	var company []*person
	for range 10_000 {
		company = append(company, newPerson(s, o, o.newNumber(random), !firstDay))
	}
	if firstDay {
		newcomers := c.newcomers
		c.newcomers = func(day int) []*person {
			if people := newcomers(day); day < 3 {
				return people
			} else {
				return append(people, company...)
			}
		}
	} else {
		c.returning = append(c.returning, company...)
	}
	c.at = func(p *person) time.Duration {
		if p.member.organization == o {
			return 14*time.Hour + 55*time.Minute + time.Duration(p.random.Int64N(int64(15*time.Minute)))
		}
		return officeHours(p)
	}
	return c
}

// smallOrganizations are 6,000 people, most in Organizations of four. Half of the
// new ones bring an Organization of their own.
func smallOrganizations(s *simulation) *crowd {
	random := newRandom(2)
	c := newCrowd(s, 0, 0, 0)
	var o *organization
	for i := range 5400 {
		if i%4 == 0 {
			o = newHonestOrganization(s, random)
		}
		c.returning = append(c.returning, newPerson(s, o, o.newNumber(random), true))
	}
	c.newcomers = func(int) (people []*person) {
		for i := range 600 {
			o := pick(random, c.returning).member.organization
			if i%2 == 0 {
				o = newHonestOrganization(s, random)
			}
			people = append(people, newPerson(s, o, o.newNumber(random), false))
		}
		return people
	}
	return c
}
