package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// honestDays are days without an attack. Nobody may be left without a code, and
// few may be asked to wait.
var honestDays = []scenario{
	{name: "6,000 people", reach: &reach{}},
	{name: "6,000 people, the guard's first day", reach: &reach{}, fresh: true},
	{name: "60,000 people", reach: &reach{}, days: 2, crowd: func(s *simulation) *crowd { return newCrowd(s, 3000, 54_000, 6000) }},
	{name: "launch: 6,000 people, all new", reach: &reach{}, fresh: true, crowd: func(s *simulation) *crowd { return newCrowd(s, 400, 0, 6000) }},
	{name: "6,000 people; from 9 to 10 UTC no SMS arrives in GB", reach: &reach{waited: 20}, crowd: func(s *simulation) *crowd {
		s.outage = func(number string) bool {
			at := s.now.Sub(s.day(3))
			return at > 9*time.Hour && at < 10*time.Hour && strings.HasPrefix(number, "+44")
		}
		return sixThousand(s)
	}},
	{name: "6,000 people, most in Organizations of four", reach: &reach{}, crowd: smallOrganizations},
	{name: "10,000 new people of one Organization between 8:55 and 9:10, and 6,000 others", reach: &reach{waited: 320}, crowd: nineOClock},
	{name: "2,000 new people of one Organization and one block of numbers, and 6,000 others", reach: &reach{}, crowd: func(s *simulation) *crowd {
		return withCompany(s, 2000, func(i int) string { return fmt.Sprintf("+1312555%04d", i) })
	}},
	{name: "20 Members share a phone, at 30 companies, and 6,000 others", reach: &reach{}, crowd: func(s *simulation) *crowd {
		c, random := sixThousand(s), newRandom(3)
		for range 30 {
			o := newHonestOrganization(s, random)
			phone := newNumber(random, o.home)
			for range 20 {
				c.returning = append(c.returning, newPerson(s, o, phone, true))
			}
		}
		return c
	}},
}

// sixThousand are the usual people.
func sixThousand(s *simulation) *crowd { return newCrowd(s, 400, 5400, 600) }

// launched are 5,400 people who were all new on the day before, and 600 who are now.
func launched(s *simulation) *crowd {
	c := newCrowd(s, 400, 0, 5400)
	first := c.people(0)
	c.returning = first
	c.people = func(day int) []*person {
		if day == 0 {
			return first
		}
		come := slices.Clone(first)
		for range 600 {
			o := pick(newRandom(len(come)), first).member.organization
			come = append(come, newPerson(s, o, newNumber(newRandom(len(come)), o.home), false))
		}
		return come
	}
	return c
}

// rare are people of whom every fourth comes on the first day and on the last one
// only, and the others in the last week.
func rare(s *simulation) *crowd {
	c := sixThousand(s)
	people := c.people
	c.people = func(day int) (come []*person) {
		last := len(s.days) - 1
		if day > 0 && day < last-7 {
			return nil
		}
		for i, p := range people(day) {
			if day == 0 || day == last || i%4 > 0 {
				come = append(come, p)
			}
		}
		return come
	}
	return c
}

// withCompany are the usual people, and a company whose people are all new on the
// last day.
func withCompany(s *simulation, size int, phone func(i int) string) *crowd {
	c := sixThousand(s)
	o := newHonestOrganization(s, newRandom(3))
	o.home = place{"+1312", 6}
	people := c.people
	c.people = func(day int) []*person {
		all := people(day)
		for i := 0; day == len(s.days)-1 && i < size; i++ {
			all = append(all, newPerson(s, o, phone(i), false))
		}
		return all
	}
	return c
}

// nineOClock is a company that all comes at nine.
func nineOClock(s *simulation) *crowd {
	random := newRandom(5)
	company := map[string]bool{}
	c := withCompany(s, 10_000, func(int) string {
		n := newNumber(random, place{"+1312", 6})
		company[n] = true
		return n
	})
	c.at = func(p *person) time.Duration {
		if company[p.number] {
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
		c.returning = append(c.returning, newPerson(s, o, newNumber(random, o.home), true))
	}
	c.people = func(int) []*person {
		come := c.returning[:5400:5400]
		for i := range 600 {
			o := pick(random, c.returning).member.organization
			if i%2 == 0 {
				o = newHonestOrganization(s, random)
			}
			come = append(come, newPerson(s, o, newNumber(random, o.home), false))
		}
		return come
	}
	return c
}
