package main

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
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
	serial int // of events, IDs and codes
	guard  *guard.Guard
	logins bool
	days   []*day

	// outage reports whether SMS to a number do not arrive at the moment; nil if
	// all arrive.
	outage func(number string) bool
}

const day24 = 24 * time.Hour

// newRandom returns random numbers of a stream of their own, so that one
// person's day does not depend on what another one meets.
func newRandom(stream int) *rand.Rand { return rand.New(rand.NewPCG(20261126, uint64(stream))) }

// newSimulation makes one that begins at an hour of a Monday, UTC.
func newSimulation(set setting, hour, days int) (*simulation, error) {
	s := &simulation{start: time.Date(2026, 11, 2, hour, 0, 0, 0, time.UTC)}
	s.now = s.start
	for range days {
		s.days = append(s.days, &day{})
	}
	if set.options == nil {
		return s, nil
	}
	var err error
	s.guard, err = guard.New(append([]guard.Option{guard.SingleProcess(), guard.WithClock(func() time.Time { return s.now })}, set.options...)...)
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

func (s *simulation) at(t time.Time, do func()) { heap.Push(&s.events, event{t, s.next(), do}) }

func (s *simulation) after(d time.Duration, do func()) { s.at(s.now.Add(d), do) }

func (s *simulation) run() {
	for len(s.events) > 0 {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		e.do()
	}
}

func (s *simulation) next() int {
	s.serial++
	return s.serial
}

// day returns a day's beginning.
func (s *simulation) day(i int) time.Time { return s.start.AddDate(0, 0, i) }

// on returns when it is that time of the clock, by UTC, on a day of the
// simulation, which may begin at another hour than midnight.
func (s *simulation) on(day int, clock time.Duration) time.Time {
	clock -= time.Duration(s.start.Hour()) * time.Hour
	return s.day(day).Add((clock%day24 + day24) % day24)
}

// today is the day it is; the last one for what goes on after it.
func (s *simulation) today() *day { return s.days[min(len(s.days)-1, int(s.now.Sub(s.start)/day24))] }

// An organization and a member are what Stytch and the product know of them.
type organization struct {
	id    string
	names bool   // the product names its Members' numbers in every Send
	home  place  // where its people are
	block string // what its phones have in common; "" for a company that has bought none
}

type member struct {
	organization *organization
	id           string
	number       string
	verified     bool
	code         int
	expires      time.Time
}

func (s *simulation) newOrganization() *organization {
	return &organization{id: fmt.Sprintf("organization-test-%08d", s.next())}
}

func (s *simulation) newMember(o *organization, number string, verified bool) *member {
	return &member{organization: o, id: fmt.Sprintf("member-test-%08d", s.next()), number: number, verified: verified}
}

// send is one Send for a Member, as a client with the guard makes it, and Stytch
// answers it. An error is the guard's, and no SMS went out. Stytch is kinder to an
// attacker here than it is: it has no limits of its own, and lets Members of an
// Organization share a number.
func (s *simulation) send(m *member, number string) error {
	params := stytchb2b.SMSSendParams{OrganizationID: m.organization.id, MemberID: m.id, MFAPhoneNumber: number}
	done := func(*stytchb2b.SMSSendResponse, error) {}
	if s.guard != nil {
		if s.logins {
			s.guard.AfterLogin(context.Background(), guard.Login{
				OrganizationID: m.organization.id, MemberID: m.id, MFAPhoneNumber: m.number, MFAPhoneNumberVerified: m.verified,
			})
		}
		told, err := s.guard.AllowSend(context.WithValue(context.Background(), memberKey{}, m), params)
		if err != nil {
			return err
		}
		done = told
	}
	if number != "" {
		if m.number != "" && m.number != number {
			panic("another number than the Member's: Stytch would refuse it")
		}
		m.number = number
	}
	m.code, m.expires = s.next(), s.now.Add(2*time.Minute)
	resp := &stytchb2b.SMSSendResponse{MemberID: m.id, Member: m.object()}
	resp.Organization.OrganizationID = m.organization.id
	done(resp, nil)
	return nil
}

// enter is one Authenticate. It reports whether the code was right.
func (s *simulation) enter(m *member, code int) bool {
	if m.code == 0 || m.code != code || !s.now.Before(m.expires) {
		return false
	}
	m.code, m.verified = 0, true
	if s.guard != nil {
		resp := &stytchb2b.SMSAuthenticateResponse{MemberID: m.id, Member: m.object()}
		resp.Organization.OrganizationID = m.organization.id
		done, err := s.guard.AllowAuthenticate(context.Background(), stytchb2b.SMSAuthenticateParams{OrganizationID: m.organization.id, MemberID: m.id})
		if err != nil {
			return false
		}
		done(resp, nil)
	}
	return true
}

func (m *member) object() stytchb2b.Member {
	return stytchb2b.Member{MemberID: m.id, MFAPhoneNumber: m.number, MFAPhoneNumberVerified: m.verified}
}

// A day is what one day came to.
type day struct {
	asked, sent, entered int // by and for the attacker; codes that it entered
	returning, newcomers group
}

type group struct {
	came    int
	never   int // got no code
	waited  int // were told that they had a code a moment ago
	refused int // for another reason
	entered int // a code, in the end
}

type memberKey struct{}
