package main

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

// A simulation plays some days of a product's logins, in its own time. All of it
// happens in one goroutine, and the same way each time.
type simulation struct {
	now    time.Time
	start  time.Time
	events events
	serial int // of events, IDs and codes
	days   []*day

	sends, codes *guard.Guard // which is asked about a Send, and about a code; nil for no guard
	logins       bool         // the product tells the guard of primary logins

	// outage reports whether SMS to a number do not arrive at the moment; nil if
	// all arrive.
	outage func(number string) bool
}

const day24 = 24 * time.Hour

// newRandom returns random numbers of a stream of their own, so that one
// person's day does not depend on what another one meets.
func newRandom(stream int) *rand.Rand { return rand.New(rand.NewPCG(20261126, uint64(stream))) }

// newSimulation makes one that begins at an hour of a Monday, UTC.
func newSimulation(hour, days int) *simulation {
	s := &simulation{start: time.Date(2026, 11, 2, hour, 0, 0, 0, time.UTC)}
	s.now = s.start
	for range days {
		s.days = append(s.days, &day{})
	}
	return s
}

// deploy puts a guard in that has learned nothing.
func (s *simulation) deploy(options []guard.Option) (err error) {
	s.sends, err = guard.New(append([]guard.Option{guard.SingleProcess(), guard.WithClock(func() time.Time { return s.now })}, options...)...)
	s.codes = s.sends
	return err
}

// deployTwo puts two processes in that count in one Redis: one is asked about Sends
// and the other about codes.
func (s *simulation) deployTwo(options []guard.Option) (end func(), err error) {
	dir, err := os.MkdirTemp("", "tollfraud")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "redis.sock")
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: 50, ContextTimeoutEnabled: true})
	end = func() {
		_ = client.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	for _, g := range []**guard.Guard{&s.sends, &s.codes} {
		store, err := redisstore.New(client, "tollfraud", []byte("0123456789abcdef"))
		if err == nil {
			*g, err = guard.New(append([]guard.Option{
				guard.WithStore(store), guard.StoreTimeout(time.Minute), guard.FailClosed(), guard.WithClock(func() time.Time { return s.now }),
			}, options...)...)
		}
		if err != nil {
			end()
			return nil, err
		}
	}
	return end, nil
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
	names bool  // the product names its Members' numbers in every Send
	home  place // where its people are
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

func (s *simulation) newMember(o *organization, number string) *member {
	return &member{organization: o, id: fmt.Sprintf("member-test-%08d", s.next()), number: number}
}

// send is one Send for a Member, as a client with the guard makes it, and Stytch
// answers it. An error is the guard's, and no SMS went out. Stytch is kinder to an
// attacker here than it is: it has no limits of its own, and lets Members of an
// Organization share a number.
func (s *simulation) send(m *member, number string) error {
	params := stytchb2b.SMSSendParams{OrganizationID: m.organization.id, MemberID: m.id, MFAPhoneNumber: number}
	done := func(*stytchb2b.SMSSendResponse, error) {}
	if s.sends != nil {
		told, err := s.sends.AllowSend(context.WithValue(context.Background(), memberKey{}, m), params)
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

// enter is one Authenticate. It reports whether Stytch was asked, and whether the
// code was right.
func (s *simulation) enter(m *member, code int) (asked, right bool) {
	right = m.code != 0 && m.code == code && s.now.Before(m.expires)
	if s.codes != nil {
		done, err := s.codes.AllowAuthenticate(context.Background(), stytchb2b.SMSAuthenticateParams{OrganizationID: m.organization.id, MemberID: m.id})
		if err != nil {
			return false, false
		}
		if !right {
			done(nil, &stytchb2b.APIError{Op: stytchb2b.OpSMSAuthenticate, StatusCode: http.StatusNotFound, ErrorType: stytchb2b.ErrorTypeOTPCodeNotFound, Outcome: stytchb2b.OutcomeNotApplied})
			return true, false
		}
		m.verified = true
		resp := &stytchb2b.SMSAuthenticateResponse{MemberID: m.id, Member: m.object()}
		resp.Organization.OrganizationID = m.organization.id
		done(resp, nil)
	}
	if right {
		m.code, m.verified = 0, true
	}
	return true, right
}

// tell tells the guard of a primary login.
func (s *simulation) tell(m *member, sent bool) {
	if s.sends != nil {
		s.sends.AfterLogin(context.Background(), guard.Login{
			OrganizationID: m.organization.id, MemberID: m.id, MFAPhoneNumber: m.number, MFAPhoneNumberVerified: m.verified, SMSSent: sent,
		})
	}
}

// login is the primary login of a Member who is enrolled: the product asks the guard
// first, Stytch sends an SMS, and the guard hears of it.
func (s *simulation) login(m *member) error {
	if s.sends != nil {
		if err := s.sends.BeforeLogin(context.Background(), m.organization.id, m.id); err != nil {
			return err
		}
	}
	m.code, m.expires = s.next(), s.now.Add(2*time.Minute)
	s.tell(m, true)
	return nil
}

func (m *member) object() stytchb2b.Member {
	return stytchb2b.Member{MemberID: m.id, MFAPhoneNumber: m.number, MFAPhoneNumberVerified: m.verified}
}

// A day is what one day came to.
type day struct {
	asked, sent, entered int     // by and for the attacker; codes that it entered
	guesses              int     // wrong codes of its that Stytch got
	hours                [24]int // SMS to the attacker, by the hour
	returning, newcomers group
}

type group struct {
	came    int
	never   int // got no code
	waited  int // were asked to wait, for another reason than that they had a code a moment ago
	entered int // a code, in the end
}

type memberKey struct{}
