package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A crowd are the honest users of a product.
type crowd struct {
	organizations, daily, fresh int // Organizations; users who come each day, and new ones each day. 400, 5,400 and 600, if all are 0

	small    bool                                  // Organizations of four; every second new user brings one
	launched bool                                  // the daily ones were all new on the first day
	rare     bool                                  // every fourth comes on the first day and on the last one only
	company  int                                   // so many new users of one Organization, on the last day
	block    bool                                  // they have one block of numbers
	atNine   bool                                  // they come between 8:55 and 9:10
	shared   bool                                  // besides, 30 companies where 20 Members share a phone
	outage   func(number string, day float64) bool // whether no SMS arrives, at so many hours of a day

	returning []*person
	random    *rand.Rand
	all       []*organization
}

// honestDays are days without an attack.
var honestDays = []scenario{
	{name: "6,000 people"},
	{name: "the guard's first day", hour: 13, days: 1},
	{name: "60,000 people", days: 2, crowd: crowd{organizations: 3000, daily: 54_000, fresh: 6000}},
	{name: "a launch: all are new", days: 1, crowd: crowd{organizations: 400, fresh: 6000}},
	{name: "no SMS arrives in GB from 9 to 10", crowd: crowd{outage: func(number string, hour float64) bool {
		return hour > 9 && hour < 10 && strings.HasPrefix(number, "+44")
	}}},
	{name: "Organizations of four", crowd: crowd{small: true}},
	{name: "10,000 new people of one Organization between 8:55 and 9:10", crowd: crowd{company: 10_000, atNine: true}},
	{name: "the same, drawn again", draw: 1, crowd: crowd{company: 10_000, atNine: true}},
	{name: "and again", draw: 2, crowd: crowd{company: 10_000, atNine: true}},
	{name: "a fourth time", draw: 3, crowd: crowd{company: 10_000, atNine: true}},
	{name: "a fifth time", draw: 4, crowd: crowd{company: 10_000, atNine: true}},
	{name: "2,000 new people of one Organization and one block of numbers", crowd: crowd{company: 2000, block: true}},
	{name: "30 companies where 20 Members share a phone", crowd: crowd{shared: true}},
}

// fill makes those who come each day, in Organizations whose sizes follow a power law.
func (c *crowd) fill(s *simulation) {
	if c.organizations+c.daily+c.fresh == 0 {
		c.organizations, c.daily, c.fresh = 400, 5400, 600
	}
	c.random = s.newRandom(1)
	for range c.organizations {
		c.all = append(c.all, c.newOrganization(s))
	}
	for i := range c.daily {
		o := c.someone()
		switch {
		case c.small && i%4 == 0:
			o = c.newOrganization(s)
		case c.small:
			o = c.returning[i-1].member.organization
		case i < len(c.all):
			o = c.all[i]
		}
		c.returning = append(c.returning, c.newPerson(s, o, newNumber(c.random, o.home), !c.launched))
	}
	for i := range 600 {
		if !c.shared {
			break
		}
		if i%20 == 0 {
			c.all = append(c.all, c.newOrganization(s))
		}
		o, number := c.all[len(c.all)-1], ""
		if number = c.returning[len(c.returning)-1].number; i%20 == 0 {
			number = newNumber(c.random, o.home)
		}
		c.returning = append(c.returning, c.newPerson(s, o, number, true))
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

func (c *crowd) newOrganization(s *simulation) *organization {
	o := s.newOrganization()
	o.home = pick(c.random, places)
	o.names = c.random.IntN(4) == 0
	return o
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
	last := len(s.played) - 1
	if c.rare && day > 0 && day < last-7 {
		return
	}
	for i, p := range c.returning {
		if !c.rare || day == 0 || day == last || i%4 > 0 {
			s.newLogin(p, day, officeHours(p))
		}
	}
	var own *organization
	for i := range c.fresh {
		o := c.someone()
		switch {
		case c.launched && day == 0:
			return
		case c.small && i%2 == 0, !c.small && i < c.fresh/25 && i%4 == 0:
			own = c.newOrganization(s) // brought by its first user
			o = own
		case !c.small && i < c.fresh/25:
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
	o := c.newOrganization(s)
	o.home = place{"+1312", 6}
	for i := range c.company {
		number := newNumber(c.random, o.home)
		if c.block {
			number = fmt.Sprintf("+1312555%04d", i)
		}
		p := c.newPerson(s, o, number, false)
		at := officeHours(p)
		if c.atNine {
			at = 14*time.Hour + 55*time.Minute + time.Duration(p.random.Int64N(int64(15*time.Minute)))
		}
		s.newLogin(p, day, at)
	}
}

// A place is where people's numbers are from.
type place struct {
	area  string // what its numbers begin with; a mobile number of GB has no area
	hours int    // its clock is behind UTC
}

// places are where honest Organizations are, the ones with more of them more often.
var places = []place{
	{"+1212", 5}, {"+1646", 5}, {"+1917", 5}, {"+1617", 5}, {"+1202", 5}, {"+1404", 5}, {"+1305", 5}, {"+1312", 6}, {"+1512", 6}, {"+1713", 6},
	{"+1214", 6}, {"+1303", 7}, {"+1415", 8}, {"+1310", 8}, {"+1408", 8}, {"+1206", 8}, {"+1503", 8}, {"+1619", 8}, {"+1416", 5}, {"+1647", 5},
	{"+1514", 5}, {"+1604", 8}, {"+1403", 7}, {"+44740", 0}, {"+44740", 0}, {"+44740", 0}, {"+44741", 0}, {"+44741", 0}, {"+44742", 0},
}

// newNumber returns a number of a place, or of any other: every second person has
// brought it from elsewhere.
func newNumber(random *rand.Rand, home place) string {
	if random.IntN(2) == 0 {
		home = pick(random, places)
	}
	return numberOf(random, home.area)
}

func numberOf(random *rand.Rand, area string) string {
	if area[1] == '4' {
		return fmt.Sprintf("%s%07d", area, random.IntN(10_000_000))
	}
	return fmt.Sprintf("%s%d%06d", area, 2+random.IntN(8), random.IntN(1_000_000))
}

func pick[T any](random *rand.Rand, of []T) T { return of[random.IntN(len(of))] }
