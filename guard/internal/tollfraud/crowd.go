package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A crowd are the honest users of a product.
type crowd struct {
	times int // as many as 5,400 users who come each day, and 600 new ones, in 400 Organizations; 1 if it is 0

	small    bool                                  // Organizations of four; every second new user brings one
	launched bool                                  // the daily ones were all new on the first day
	rare     bool                                  // every fourth comes on the first day and on the last one only
	company  int                                   // so many new users of one Organization, on the last day
	atNine   bool                                  // they come between 8:55 and 9:10
	shared   bool                                  // 30 companies where 20 Members share a phone
	outage   func(number string, day float64) bool // whether no SMS arrives, at so many hours of a day

	returning []*person
	random    *rand.Rand
	all       []*organization
}

// honestDays are days without an attack.
var honestDays = []scenario{
	{name: "6,000 people"},
	{name: "the guard's first day", hour: 13, days: 1},
	{name: "60,000 people", days: 2, crowd: crowd{times: 10}},
	{name: "a launch: all are new", days: 1, crowd: crowd{launched: true}},
	{name: "no SMS arrives in GB from 9 to 10", crowd: crowd{outage: func(number string, hour float64) bool {
		return hour > 9 && hour < 10 && strings.HasPrefix(number, "+44")
	}}},
	{name: "Organizations of four", crowd: crowd{small: true}},
	{name: "10,000 new people of one Organization between 8:55 and 9:10", crowd: crowd{company: 10_000, atNine: true}},
	{name: "the same, drawn again", draw: 1, crowd: crowd{company: 10_000, atNine: true}},
	{name: "and again", draw: 2, crowd: crowd{company: 10_000, atNine: true}},
	{name: "a fourth time", draw: 3, crowd: crowd{company: 10_000, atNine: true}},
	{name: "a fifth time", draw: 4, crowd: crowd{company: 10_000, atNine: true}},
	{name: "2,000 new people of one Organization", crowd: crowd{company: 2000}},
	{name: "30 companies where 20 Members share a phone", crowd: crowd{shared: true}},
}

// fill makes those who come each day, in Organizations whose sizes follow a power law.
func (c *crowd) fill(s *simulation) {
	c.times = cmp.Or(c.times, 1)
	c.random = s.newRandom(1)
	for range 400 * c.times {
		c.all = append(c.all, s.newOrganization(c.random))
	}
	var last *person
	for i := range 5400 * c.times {
		sharing := c.shared && i < 600
		o := c.someone()
		switch {
		case c.small && i%4 == 0, sharing && i%20 == 0:
			o = s.newOrganization(c.random)
		case c.small, sharing:
			o = last.member.organization
		case i < len(c.all):
			o = c.all[i]
		}
		number := newNumber(c.random, o.home)
		if sharing && i%20 > 0 {
			number = last.number
		}
		last = c.newPerson(s, o, number, !c.launched)
		c.returning = append(c.returning, last)
	}
}

// someone is the Organization of a new user.
func (c *crowd) someone() *organization {
	// The i-th Organization has 1/i as many people as the first.
	for {
		if i := c.random.IntN(len(c.all)); c.random.IntN(i+1) == 0 {
			return c.all[i]
		}
	}
}

func (c *crowd) newPerson(s *simulation, o *organization, number string, returning bool) *person {
	p := &person{number: number, returning: returning, random: s.newRandom(1000 + s.next()), member: s.newMember(o)}
	if returning {
		p.member.number, p.member.verified = number, true
	}
	return p
}

// come has the people of a day come.
func (c *crowd) come(s *simulation, day int) {
	last, fresh := s.days-1, 600*c.times
	if c.rare && day > 0 && day < last-7 {
		return
	}
	for i, p := range c.returning {
		if !c.rare || day == 0 || day == last || i%4 > 0 {
			s.newLogin(p, day, officeHours(p))
		}
	}
	var own *organization
	for i := range fresh {
		o := c.someone()
		switch {
		case c.launched && day == 0:
			return
		case c.small && i%2 == 0, !c.small && i < fresh/25 && i%4 == 0:
			own = s.newOrganization(c.random) // brought by its first user
			o = own
		case !c.small && i < fresh/25:
			o = own
		case c.small || c.launched:
			o = pick(c.random, c.returning).member.organization
		}
		p := c.newPerson(s, o, newNumber(c.random, o.home), false)
		s.newLogin(p, day, officeHours(p))
	}
	if day < last || c.company == 0 {
		return
	}
	o := s.newOrganization(c.random)
	o.home = places[5] // six hours behind UTC
	for range c.company {
		p := c.newPerson(s, o, newNumber(c.random, o.home), false)
		at := officeHours(p)
		if c.atNine {
			at = 14*time.Hour + 55*time.Minute + time.Duration(p.random.Int64N(int64(15*time.Minute)))
		}
		s.newLogin(p, day, at)
	}
}

// A place is where people's numbers are from.
type place struct {
	area  string // what its numbers begin with
	hours int    // its clock is behind UTC
}

// places are where honest Organizations are, the ones with more of them more often.
var places = []place{
	{"+1212", 5}, {"+1646", 5}, {"+1617", 5}, {"+1404", 5}, {"+1416", 5}, {"+1312", 6}, {"+1512", 6}, {"+1713", 6},
	{"+1303", 7}, {"+1415", 8}, {"+1310", 8}, {"+1206", 8}, {"+1604", 8}, {"+44740", 0}, {"+44741", 0}, {"+44742", 0},
}

// newNumber returns a number of a place.
func newNumber(random *rand.Rand, p place) string {
	return fmt.Sprintf("%s%d%06d", p.area, 2+random.IntN(8), random.IntN(1_000_000))
}

func pick[T any](random *rand.Rand, of []T) T { return of[random.IntN(len(of))] }
