package main

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// A simulation plays some days of a product's logins, in its own time. All of it
// happens in one goroutine, and the same way each time.
type simulation struct {
	now    time.Time
	start  time.Time
	events events
	serial int // of events
	people int

	stytch *stytch
	client *stytchb2b.Client
	guard  *guard.Guard // nil without one

	// outage reports whether SMS to a number do not arrive at the moment; nil if
	// all arrive.
	outage func(number string) bool

	days     []*day
	attacker bool // who is asking
}

const seed = 20261126

// newRandom returns random numbers of a stream of their own, so that one
// person's day does not depend on what another one meets.
func newRandom(stream int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(stream))) }

// newSimulation makes one that begins at an hour of a Monday, UTC.
func newSimulation(set setting, hour, days int) (*simulation, error) {
	s := &simulation{start: time.Date(2026, 11, 2, hour, 0, 0, 0, time.UTC)}
	s.now = s.start
	for range days {
		s.days = append(s.days, newDay())
	}
	clock := func() time.Time { return s.now }
	s.stytch = newStytch(clock)
	s.stytch.sent = s.count
	opts := []stytchb2b.Option{stytchb2b.WithHTTPClient(&http.Client{Transport: s.stytch})}
	if set.guard != nil {
		g, err := set.guard(clock)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", set.name, err)
		}
		s.guard = g
		opts = append(opts, stytchb2b.WithGuard(g))
	}
	var err error
	s.client, err = stytchb2b.NewClient("project-test-00000000-0000-4000-8000-000000000000", "secret-test-simulation", opts...)
	return s, err
}

// An event is something that happens at a time.
type event struct {
	at     time.Time
	serial int
	do     func()
}

type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e events) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].serial < e[j].serial
	}
	return e[i].at.Before(e[j].at)
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (s *simulation) at(t time.Time, do func()) {
	s.serial++
	heap.Push(&s.events, event{t, s.serial, do})
}

func (s *simulation) after(d time.Duration, do func()) { s.at(s.now.Add(d), do) }

func (s *simulation) run() {
	for len(s.events) > 0 {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		e.do()
	}
}

// day returns a day's beginning.
func (s *simulation) day(i int) time.Time { return s.start.AddDate(0, 0, i) }

// on returns when it is that time of the clock, by UTC, on a day of the
// simulation, which may begin at another hour than midnight.
func (s *simulation) on(day int, clock time.Duration) time.Time {
	const whole = 24 * time.Hour
	clock -= time.Duration(s.start.Hour()) * time.Hour
	return s.day(day).Add((clock%whole + whole) % whole)
}

// today is the day it is; the last one for what goes on after it.
func (s *simulation) today() *day {
	return s.days[min(len(s.days)-1, int(s.now.Sub(s.start)/(24*time.Hour)))]
}

func (s *simulation) hour() int { return int(s.now.Sub(s.start)/time.Hour) % 24 }

// count counts an SMS of Stytch's.
func (s *simulation) count(m *member) {
	if !s.attacker {
		return
	}
	d := s.today()
	d.sent++
	d.hours[s.hour()].sent++
	what := "never verified"
	if m.verified {
		what = "verified"
	}
	block := m.number[:len(m.number)-4]
	d.went["to "+blockCountry(block)]++
	d.went["to "+what+" Members"]++
	d.blocks[block]++
}

// ask is one Send for a Member. It returns why the guard has refused it; nil if
// an SMS went out.
func (s *simulation) ask(m *member, number string, attacker bool) error {
	s.attacker = attacker
	organizationID, memberID := m.names()
	_, err := s.client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID:           organizationID,
		MemberID:                 memberID,
		MFAPhoneNumber:           number,
		IntermediateSessionToken: token,
	})
	s.attacker = false
	if attacker {
		s.today().asked++
	}
	if apiErr := (*stytchb2b.APIError)(nil); errors.As(err, &apiErr) {
		panic(fmt.Sprintf("the simulation has asked Stytch for nonsense: %v", err))
	}
	return err
}

// enter is one Authenticate. It reports whether the code was right.
func (s *simulation) enter(m *member, code string) bool {
	organizationID, memberID := m.names()
	_, err := s.client.OTPs.SMS.Authenticate(context.Background(), stytchb2b.SMSAuthenticateParams{
		OrganizationID:           organizationID,
		MemberID:                 memberID,
		Code:                     code,
		IntermediateSessionToken: token,
	})
	return err == nil
}

// textItself is the SMS that Stytch sends by itself after the primary
// authentication of a Member who is enrolled in MFA. The product tells the guard.
func (s *simulation) textItself(m *member) {
	s.stytch.text(m)
	organizationID, memberID := m.names()
	if s.guard != nil {
		s.guard.SMSSent(context.Background(), stytchb2b.SMSSendParams{OrganizationID: organizationID, MemberID: memberID})
	}
}

// A day is what one day came to.
type day struct {
	asked, sent, entered int // by and for the attacker; codes that it entered
	returning, newcomers group
	hours                [24]struct{ sent, never int }
	why                  map[string]int // honest people were refused
	whyNever             map[string]int // they got no code in the end
	went                 map[string]int // SMS to the attacker
	blocks               map[string]int
}

type group struct {
	came    int
	never   int // got no code
	waited  int // were told that they had a code a moment ago
	refused int // for another reason
	entered int // a code, in the end
}

func newDay() *day {
	return &day{why: map[string]int{}, whyNever: map[string]int{}, went: map[string]int{}, blocks: map[string]int{}}
}
