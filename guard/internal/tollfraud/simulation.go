package main

import (
	"cmp"
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

const (
	day24 = 24 * time.Hour
	tick  = 100 * time.Millisecond
)

// socket is of a Redis.
var socket = filepath.Join(os.TempDir(), fmt.Sprint("tollfraud-", os.Getpid()))

// A simulation plays some days of a product's logins, in its own time. All of it
// happens in one goroutine, and the same way each time.
type simulation struct {
	scenario
	begin, now time.Time
	events     map[int64][]func() // by the tick in which they happen
	serial     int                // of IDs and codes
	last       *day               // the one that counts

	sends, codes *guard.Guard // which is asked about a Send, and about a code
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
	came   int
	never  int // got no code
	waited int // were asked to wait, for another reason than that they had a code a moment ago
}

// newRandom returns random numbers of a stream of their own, so that one
// person's day does not depend on what another one meets.
func (s *simulation) newRandom(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(20261129+s.draw, uint64(stream)))
}

// play plays a scenario, and returns the last day.
func (sc scenario) play() *day {
	s := &simulation{scenario: sc, begin: time.Date(2026, 11, 2, sc.hour, 0, 0, 0, time.UTC), events: map[int64][]func(){}, last: &day{}}
	s.days = cmp.Or(sc.days, 4)
	if sc.redis {
		server := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "")
		must(server.Start())
		defer func() { must(server.Process.Signal(os.Interrupt)) }() // It removes the socket.
	}
	s.deploy()
	if sc.restart {
		s.at(s.day(s.days-1).Add(13*time.Hour), s.deploy)
	}
	s.crowd.fill(s)
	for day := range s.days {
		s.crowd.come(s, day)
	}
	a := newAttacker(s)
	for _, at := range sc.attacks {
		a.start(at)
	}
	for s.now = s.begin; s.now.Before(s.day(s.days).Add(3 * time.Hour)); s.now = s.now.Add(tick) {
		at := ticks(s.now)
		for len(s.events[at]) > 0 {
			do := s.events[at][0]
			s.events[at] = s.events[at][1:]
			do()
		}
		delete(s.events, at)
	}
	return s.last
}

// deploy puts a guard in that has learned nothing. With Redis there are two: one is
// asked about Sends, and the other about codes.
func (s *simulation) deploy() {
	options := s.guard
	if options == nil {
		options = []guard.Option{guard.Recommended("US", "CA", "GB")}
	}
	deploy := func(counts guard.Option) *guard.Guard {
		g, err := guard.New(append(options[:len(options):len(options)], counts, guard.WithClock(func() time.Time { return s.now }),
			guard.OnDecision(func(_ context.Context, d guard.Decision) { s.trusted = d.Trusted }),
			guard.StoreTimeout(time.Minute), guard.FailClosed())...)
		must(err)
		return g
	}
	if !s.redis {
		s.sends = deploy(guard.SingleProcess())
		s.codes = s.sends
		return
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: 50})
	store, err := redisstore.New(client, "tollfraud", make([]byte, 16))
	must(err)
	s.sends, s.codes = deploy(guard.WithStore(store)), deploy(guard.WithStore(store))
}

// at has something happen in the tick of a time.
func (s *simulation) at(t time.Time, do func()) {
	s.events[ticks(t)] = append(s.events[ticks(t)], do)
}

func ticks(t time.Time) int64 { return t.UnixNano() / int64(tick) }

func (s *simulation) after(d time.Duration, do func()) { s.at(s.now.Add(d), do) }

func (s *simulation) next() int {
	s.serial++
	return s.serial
}

// day returns a day's beginning.
func (s *simulation) day(i int) time.Time { return s.begin.AddDate(0, 0, i) }

// today is the last day and what goes on after it, or a day that does not count.
func (s *simulation) today() *day {
	if s.now.Before(s.day(s.days - 1)) {
		return &day{}
	}
	return s.last
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
	pooled       bool      // the last SMS counts in the pool
	expires      time.Time // its code
}

func (s *simulation) newOrganization(random *rand.Rand) *organization {
	return &organization{fmt.Sprintf("organization-test-%08d", s.next()), random.IntN(4) == 0, pick(random, places)}
}

func (s *simulation) newMember(o *organization) *member {
	return &member{organization: o, id: fmt.Sprintf("member-test-%08d", s.next())}
}

// send is one Send for a Member, as a client with the guard makes it, and Stytch
// answers it. An error is the guard's, and no SMS went out. Stytch is kinder to an
// attacker here than it is: it has no limits of its own, and lets Members of an
// Organization share a number.
func (s *simulation) send(m *member, number string) error {
	done, err := s.sends.AllowSend(context.Background(), stytchb2b.SMSSendParams{OrganizationID: m.organization.id, MemberID: m.id, MFAPhoneNumber: number})
	if err != nil {
		return err
	}
	if number != "" {
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
	m.expires, m.pooled = s.now.Add(2*time.Minute), !s.trusted
}

// enter is one Authenticate. It reports whether Stytch was asked, and whether the
// code was right.
func (s *simulation) enter(m *member, right bool) (asked, entered bool) {
	done, err := s.codes.AllowAuthenticate(context.Background(), stytchb2b.SMSAuthenticateParams{OrganizationID: m.organization.id, MemberID: m.id})
	if err != nil {
		return false, false
	}
	if !right || !s.now.Before(m.expires) {
		done(nil, &stytchb2b.APIError{Op: stytchb2b.OpSMSAuthenticate, StatusCode: http.StatusNotFound, ErrorType: stytchb2b.ErrorTypeOTPCodeNotFound, Outcome: stytchb2b.OutcomeNotApplied})
		return true, false
	}
	if m.pooled {
		s.today().made++
	}
	m.expires, m.verified = time.Time{}, true
	resp := &stytchb2b.SMSAuthenticateResponse{MemberID: m.id, Member: m.object()}
	resp.Organization.OrganizationID = m.organization.id
	done(resp, nil)
	return true, true
}

// login is the primary login of a Member who is enrolled: the product asks the guard
// first, Stytch sends an SMS, and the guard hears of it.
func (s *simulation) login(m *member) error {
	if err := s.sends.BeforeLogin(context.Background(), m.organization.id, m.id); err != nil {
		return err
	}
	s.texted(m)
	s.passOn(m, true)
	return nil
}

// passOn tells the guard of a primary login.
func (s *simulation) passOn(m *member, sent bool) {
	s.sends.AfterLogin(context.Background(), guard.Login{
		OrganizationID: m.organization.id, MemberID: m.id, MFAPhoneNumber: m.number, MFAPhoneNumberVerified: m.verified, SMSSent: sent,
	})
}

func (m *member) object() stytchb2b.Member {
	return stytchb2b.Member{MemberID: m.id, MFAPhoneNumber: m.number, MFAPhoneNumberVerified: m.verified}
}
