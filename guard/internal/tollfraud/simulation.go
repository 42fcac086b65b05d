package main

import (
	"cmp"
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

const day24 = 24 * time.Hour

// A simulation plays some days of a product's logins, in its own time. All of it
// happens in one goroutine, and the same way each time.
type simulation struct {
	scenario
	now, begin time.Time
	events     events
	serial     int // of events, IDs and codes
	played     []*day

	sends, codes *guard.Guard // which is asked about a Send, and about a code; nil for no guard
	trusted      bool         // the last decision
}

// A day is what one day came to.
type day struct {
	asked, sent, entered int     // by and for the attacker; codes that it entered
	guesses              int     // wrong codes of its that Stytch got
	hours                [24]int // SMS to the attacker, by the hour
	made                 int     // codes entered that make room in the pool
	returning, newcomers group
}

type group struct {
	came    int
	never   int // got no code
	waited  int // were asked to wait, for another reason than that they had a code a moment ago
	entered int // a code, in the end
}

// newRandom returns random numbers of a stream of their own, so that one
// person's day does not depend on what another one meets.
func (s *simulation) newRandom(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(20261126+uint64(s.draw), uint64(stream)))
}

// play plays a scenario, and returns the last day.
func (sc scenario) play() (*day, error) {
	s := &simulation{scenario: sc, begin: time.Date(2026, 11, 2, sc.hour, 0, 0, 0, time.UTC)}
	s.now = s.begin
	for range cmp.Or(sc.days, 4) {
		s.played = append(s.played, &day{})
	}
	end, err := s.deploy()
	if err != nil {
		return nil, err
	}
	defer end()
	last := len(s.played) - 1
	if sc.restart {
		s.at(s.day(last).Add(13*time.Hour), func() { _, _ = s.deploy() }) // It has not failed before.
	}
	s.crowd.fill(s)
	for day := range s.played {
		s.crowd.come(s, day)
	}
	a := newAttacker(s, &s.crowd)
	for _, at := range sc.attacks {
		a.start(at)
	}
	for len(s.events) > 0 {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		e.do()
	}
	return s.played[last], nil
}

// deploy puts a guard in that has learned nothing. With Redis, there are two: one is
// asked about Sends and the other about codes.
func (s *simulation) deploy() (end func(), err error) {
	end = func() {}
	options := s.guard.options()
	if options == nil {
		return end, nil
	}
	options = append(options, guard.WithClock(func() time.Time { return s.now }),
		guard.OnDecision(func(_ context.Context, d guard.Decision) { s.trusted = d.Trusted }))
	if !s.redis {
		s.sends, err = guard.New(append(options, guard.SingleProcess())...)
		s.codes = s.sends
		return end, err
	}
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
	store, err := redisstore.New(client, "tollfraud", []byte("0123456789abcdef"))
	options = append(options, guard.WithStore(store), guard.StoreTimeout(time.Minute), guard.FailClosed())
	for _, g := range []**guard.Guard{&s.sends, &s.codes} {
		if err == nil {
			*g, err = guard.New(options...)
		}
	}
	return end, err
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
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].serial < e[j].serial
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (s *simulation) at(t time.Time, do func()) { heap.Push(&s.events, event{t, s.next(), do}) }

func (s *simulation) after(d time.Duration, do func()) { s.at(s.now.Add(d), do) }

func (s *simulation) next() int {
	s.serial++
	return s.serial
}

// day returns a day's beginning.
func (s *simulation) day(i int) time.Time { return s.begin.AddDate(0, 0, i) }

// on returns when it is that time of the clock, by UTC, on a day of the
// simulation, which may begin at another hour than midnight.
func (s *simulation) on(day int, clock time.Duration) time.Time {
	clock -= time.Duration(s.begin.Hour()) * time.Hour
	return s.day(day).Add((clock%day24 + day24) % day24)
}

// today is the day it is; the last one for what goes on after it.
func (s *simulation) today() *day {
	return s.played[min(len(s.played)-1, int(s.now.Sub(s.begin)/day24))]
}

// An organization and a member are what Stytch and the product know of them.
type organization struct {
	id    string
	names bool  // the product names its Members' numbers in every Send
	home  place // where its people are
}

type member struct {
	organization *organization
	id, number   string
	verified     bool
	pooled       bool // the last SMS counts in the pool
	code         int
	expires      time.Time
}

func (s *simulation) newOrganization() *organization {
	return &organization{id: fmt.Sprintf("organization-test-%08d", s.next())}
}

func (s *simulation) newMember(o *organization) *member {
	return &member{organization: o, id: fmt.Sprintf("member-test-%08d", s.next())}
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
	s.texted(m)
	resp := &stytchb2b.SMSSendResponse{MemberID: m.id, Member: m.object()}
	resp.Organization.OrganizationID = m.organization.id
	done(resp, nil)
	return nil
}

// texted gives a Member a code.
func (s *simulation) texted(m *member) {
	m.code, m.expires, m.pooled = s.next(), s.now.Add(2*time.Minute), !s.trusted
}

// enter is one Authenticate. It reports whether Stytch was asked, and whether the
// code was right.
func (s *simulation) enter(m *member, code int) (asked, right bool) {
	done := func(*stytchb2b.SMSAuthenticateResponse, error) {}
	if s.codes != nil {
		told, err := s.codes.AllowAuthenticate(context.Background(), stytchb2b.SMSAuthenticateParams{OrganizationID: m.organization.id, MemberID: m.id})
		if err != nil {
			return false, false
		}
		done = told
	}
	if m.code == 0 || m.code != code || !s.now.Before(m.expires) {
		done(nil, &stytchb2b.APIError{Op: stytchb2b.OpSMSAuthenticate, StatusCode: http.StatusNotFound, ErrorType: stytchb2b.ErrorTypeOTPCodeNotFound, Outcome: stytchb2b.OutcomeNotApplied})
		return true, false
	}
	if m.pooled {
		s.today().made++
	}
	m.code, m.verified = 0, true
	resp := &stytchb2b.SMSAuthenticateResponse{MemberID: m.id, Member: m.object()}
	resp.Organization.OrganizationID = m.organization.id
	done(resp, nil)
	return true, true
}

// login is the primary login of a Member who is enrolled: the product asks the guard
// first, Stytch sends an SMS, and the guard hears of it.
func (s *simulation) login(m *member) error {
	if s.sends != nil {
		if err := s.sends.BeforeLogin(context.Background(), m.organization.id, m.id); err != nil {
			return err
		}
	}
	s.texted(m)
	s.passOn(m, true)
	return nil
}

// passOn tells the guard of a primary login.
func (s *simulation) passOn(m *member, sent bool) {
	if s.sends != nil {
		s.sends.AfterLogin(context.Background(), guard.Login{
			OrganizationID: m.organization.id, MemberID: m.id, MFAPhoneNumber: m.number, MFAPhoneNumberVerified: m.verified, SMSSent: sent,
		})
	}
}

func (m *member) object() stytchb2b.Member {
	return stytchb2b.Member{MemberID: m.id, MFAPhoneNumber: m.number, MFAPhoneNumberVerified: m.verified}
}

type memberKey struct{}
