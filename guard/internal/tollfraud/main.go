// Command tollfraud measures what package guard is worth: it plays days of a
// product's logins, honest ones and attacks, without a guard, with limits alone
// and with the recommendation. Its README says what it assumes, and has the table.
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
		set     = flag.String("set", "", "only with settings whose names match this `regexp`")
		checked = flag.Bool("check", false, "play what a reach is set for, with the recommendation, and exit with 1 if it is missed")
		mixes   = flag.Int("search", 0, "play `n` mixes at random instead, and print the worst so far")
		seed    = flag.Uint64("seed", 1, "of the search")
	)
	flag.Parse()
	debug.SetGCPercent(400) // A play needs little memory, and makes much garbage.
	if *mixes > 0 {
		check(search(*mixes, *seed))
		return
	}
	names, err := regexp.Compile(*run)
	check(err)
	sets, err := regexp.Compile(*set)
	check(err)

	var plays []*play
	for _, sc := range scenarios {
		for i, st := range settings {
			wanted := names.MatchString(sc.name) && sets.MatchString(st.name)
			if *checked {
				wanted = wanted && sc.reach != nil && i == len(settings)-1
			}
			if wanted {
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
	fmt.Println("| day | guard | asked for | SMS to the attacker | without a code, of the returning | of the new | told to wait | refused by more than the wait |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
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
	{"limits alone", []guard.Option{
		guard.AllowCountries(allowed...),
		by("member", 5, func(m *member, _ string) string { return m.id }),
		by("number", 5, func(_ *member, n string) string { return n }),
		by("prefix", 20, func(_ *member, n string) string { return n[:max(0, len(n)-4)] }),
		by("organization", 200, func(m *member, _ string) string { return m.organization.id }),
		by("all", 2000, func(*member, string) string { return "all" }),
	}},
	{"Recommended", []guard.Option{guard.Recommended(allowed...)}},
}

func by(name string, n int, of func(*member, string) string) guard.Option {
	return guard.LimitBy(name, n, time.Hour, func(ctx context.Context, p stytchb2b.SMSSendParams) string {
		m := ctx.Value(memberKey{}).(*member)
		return of(m, cmp.Or(p.MFAPhoneNumber, m.number))
	})
}

// A scenario is what happens in a simulation.
type scenario struct {
	name   string
	reach  *reach                   // nil where none is set
	days   int                      // with those before the day that counts, 4 if it is 0
	fresh  bool                     // it begins with the deployment of the guard, at 13:00 UTC
	crowd  func(*simulation) *crowd // nil for 6,000 people
	attack func(*attacker)          // nil without one
}

// A reach is what the guard has to reach: at most so many SMS to the attacker,
// people refused, new users without a code; and never a returning user without.
type reach struct{ sent, refused, never int }

var scenarios = append(honestDays, attacks...)

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
	s, err := newSimulation(set, hour, days)
	if err != nil {
		return nil, err
	}
	crowd := sc.crowd
	if crowd == nil {
		crowd = sixThousand
	}
	c := crowd(s)
	for day := range days {
		for _, p := range append(c.newcomers(day), c.returning...) {
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
	return fmt.Sprintf("| %s | %s | %s | %s | %s of %s | %s of %s | %s | %s |", p.scenario.name, p.setting.name, thousands(d.asked), sent,
		thousands(d.returning.never), thousands(d.returning.came), thousands(d.newcomers.never), thousands(d.newcomers.came),
		thousands(d.returning.waited+d.newcomers.waited), thousands(d.returning.refused+d.newcomers.refused))
}

// misses says how the day falls short of its reach.
func (p *play) misses() string {
	var problems []string
	most := func(what string, n, most int) {
		if n > most {
			problems = append(problems, fmt.Sprintf("%s: %d, more than %d", what, n, most))
		}
	}
	d, r := p.day, p.scenario.reach
	if r == nil {
		return ""
	}
	most("SMS to the attacker", d.sent, r.sent)
	most("people refused", d.returning.refused+d.newcomers.refused, r.refused)
	most("new users without a code", d.newcomers.never, r.never)
	most("returning users without a code", d.returning.never, 0)
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
