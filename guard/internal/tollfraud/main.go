// Command tollfraud measures what package guard is worth: it plays days of a
// product's logins, honest ones and attacks, without a guard, with limits by key and
// with the recommendation. Its README says what it assumes, and has the table.
//
//	go -C guard run ./internal/tollfraud
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

func main() {
	var (
		run     = flag.String("run", "", "play only scenarios whose names match this `regexp`")
		set     = flag.String("set", "Recommended", "with settings whose names match this `regexp`")
		checked = flag.Bool("check", false, "exit with 1 if a day is worse than it may be")
		picture = flag.String("picture", "", "draw the day of the first attack into this `file` instead, as SVG")
	)
	flag.Parse()
	debug.SetGCPercent(400) // A play needs little memory, and makes much garbage.
	names, err := regexp.Compile(*run)
	check(err)
	sets, err := regexp.Compile(*set)
	check(err)
	if *picture != "" {
		check(draw(*picture))
		return
	}
	var plays []*play
	for _, sc := range append(honestDays, attacks...) {
		for _, st := range settings {
			if names.MatchString(sc.name) && sets.MatchString(st.name) {
				plays = append(plays, &play{scenario: sc, setting: st, done: make(chan struct{})})
			}
		}
	}
	queue := make(chan *play, len(plays))
	for _, p := range plays {
		queue <- p
	}
	close(queue)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for p := range queue {
				p.day, p.err = p.scenario.play(p.setting)
				close(p.done)
			}
		}()
	}
	fmt.Println("| day | guard | asked for | SMS to the attacker | without a code: returning | new | asked to wait |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
	missed := 0
	for _, p := range plays {
		<-p.done
		check(p.err)
		fmt.Println(p.row())
		if problem := p.misses(); *checked && problem != "" {
			fmt.Printf("missed: %s: %s\n", p.scenario.name, problem)
			missed++
		}
	}
	if missed > 0 {
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "tollfraud:", err)
		os.Exit(1)
	}
}

// A setting is one way to guard.
type setting struct {
	name    string
	options []guard.Option // nil for no guard
}

var allowed = []string{"US", "CA", "GB"}

var settings = []setting{
	{name: "no guard"},
	{"limits by key", []guard.Option{
		guard.AllowCountries(allowed...),
		by("member", 5, func(m *member, _ string) string { return m.id }),
		by("number", 5, func(_ *member, n string) string { return n }),
		by("prefix", 20, func(_ *member, n string) string { return n[:max(0, len(n)-4)] }),
		by("organization", 200, func(m *member, _ string) string { return m.organization.id }),
		by("all", 2000, func(*member, string) string { return "all" }),
	}},
	{"Recommended", []guard.Option{guard.Recommended(allowed...)}},
}

// by is a limit in an hour.
func by(name string, n int, of func(*member, string) string) guard.Option {
	return guard.LimitBy(name, n, time.Hour, func(ctx context.Context, p stytchb2b.SMSSendParams) string {
		m := ctx.Value(memberKey{}).(*member)
		return of(m, cmp.Or(p.MFAPhoneNumber, m.number))
	})
}

// A scenario is what happens in a simulation.
type scenario struct {
	name    string
	reach   *reach                   // nil where none is set
	days    int                      // with those before the day that counts, 4 if it is 0
	fresh   bool                     // it begins with the deployment of the guard, at 13:00 UTC
	restart bool                     // the guard forgets all at 13:00 of the last day
	logins  bool                     // the product passes its logins on
	redis   bool                     // two processes count in one Redis
	crowd   func(*simulation) *crowd // nil for 6,000 people
	attack  func(*attacker)          // nil without one
}

// A reach is what the guard has to reach with the recommendation: at most so many
// SMS to the attacker, codes that it guesses, returning and new users without a code,
// and users who are asked to wait.
type reach struct{ sent, guesses, returning, never, waited int }

// A play is one scenario with one setting.
type play struct {
	scenario scenario
	setting  setting
	day      *day
	err      error
	done     chan struct{}
}

// play returns the day that counts.
func (sc scenario) play(set setting) (*day, error) {
	days, hour := cmp.Or(sc.days, 4), 0
	if sc.fresh {
		days, hour = 1, 13
	}
	s := newSimulation(hour, days)
	s.logins = sc.logins
	switch {
	case set.options == nil:
	case sc.redis:
		end, err := s.deployTwo(set.options)
		if err != nil {
			return nil, err
		}
		defer end()
	default:
		if err := s.deploy(set.options); err != nil {
			return nil, err
		}
	}
	if sc.restart {
		s.at(s.day(days-1).Add(13*time.Hour), func() { check(s.deploy(set.options)) })
	}
	crowd := sixThousand
	if sc.crowd != nil {
		crowd = sc.crowd
	}
	c := crowd(s)
	for day := range days {
		for _, p := range c.people(day) {
			s.newLogin(p, day, c.at(p))
		}
	}
	if sc.attack != nil {
		sc.attack(&attacker{s: s, crowd: c, random: newRandom(9)})
	}
	s.run()
	return s.days[days-1], nil
}

func (p *play) row() string {
	d := p.day
	sent := thousands(d.sent)
	if d.entered > 0 {
		sent += " (" + thousands(d.entered) + " entered)"
	}
	if d.guesses > 0 {
		sent += ", " + thousands(d.guesses) + " codes guessed"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s of %s | %s of %s | %s |", p.scenario.name, p.setting.name, thousands(d.asked), sent,
		thousands(d.returning.never), thousands(d.returning.came), thousands(d.newcomers.never), thousands(d.newcomers.came),
		thousands(d.returning.waited+d.newcomers.waited))
}

// misses says how the day falls short of its reach.
func (p *play) misses() string {
	r := p.scenario.reach
	if r == nil || p.setting.name != "Recommended" {
		return ""
	}
	var problems []string
	d := p.day
	for _, x := range []struct {
		what    string
		n, most int
	}{
		{"SMS to the attacker", d.sent, r.sent},
		{"codes guessed", d.guesses, r.guesses},
		{"new users without a code", d.newcomers.never, r.never},
		{"returning users without a code", d.returning.never, r.returning},
		{"asked to wait", d.returning.waited + d.newcomers.waited, r.waited},
	} {
		if x.n > x.most {
			problems = append(problems, fmt.Sprintf("%s: %d, more than %d", x.what, x.n, x.most))
		}
	}
	return strings.Join(problems, "; ")
}

// thousands writes 45870 as 45,870.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
