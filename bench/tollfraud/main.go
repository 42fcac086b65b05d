// Command tollfraud measures what package guard is worth: it plays days of a
// product's logins, honest ones and attacks, without a guard, with limits alone
// and with the recommendation, and prints what its README quotes.
//
//	go -C bench run ./tollfraud
//
// Everything goes through Send and Authenticate of a Client, whose transport is
// a Stytch in memory. Time is simulated, and each run has the same results.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
)

const price = 0.05 // US dollars, of an SMS, assumed

func main() {
	var (
		run     = flag.String("run", "", "play only scenarios whose names match this `regexp`")
		set     = flag.String("set", "", "only with settings whose names match this `regexp`")
		verbose = flag.Bool("v", false, "say why the honest were refused, and where the attacker's SMS went")
		checked = flag.Bool("check", false, "play what a reach is set for, with the recommendation, and exit with 1 if it is missed")
		image   = flag.String("plot", "", "draw the attacked day into this PNG `file`")
	)
	n := flag.Int("search", 0, "")
	sd := flag.Uint64("seed", 1, "")
	flag.Parse()
	if *n > 0 {
		search(*n, *sd)
		return
	}
	debug.SetGCPercent(400) // A play needs little memory, and makes much garbage.
	names, err := regexp.Compile(*run)
	check(err)
	sets, err := regexp.Compile(*set)
	check(err)

	var plays []*play
	for _, sc := range scenarios {
		for i, st := range settings {
			wanted := names.MatchString(sc.name) && sets.MatchString(st.name)
			if *checked {
				wanted = wanted && sc.bound && i == len(settings)-1
			}
			if *image != "" {
				wanted = sc.name == plotted
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

	if *image != "" {
		for _, p := range plays {
			<-p.done
			check(p.err)
		}
		check(picture(*image, plays))
		return
	}
	fmt.Println("| scenario | guard | asked for | went out to the attacker | cost | without a code, of the returning | of the new | asked to wait | refused by more than the cooldown |")
	fmt.Println("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	missed := 0
	for _, p := range plays {
		<-p.done
		check(p.err)
		fmt.Println(p.row())
		if *verbose {
			p.details()
		}
		if *checked {
			if problem := p.misses(); problem != "" {
				fmt.Printf("missed: %s: %s\n", p.scenario.name, problem)
				missed++
			}
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
	var c *crowd
	if sc.crowd != nil {
		c = sc.crowd(s)
	} else {
		c = newCrowd(s, 400, 5400, 600)
	}
	for day := range days {
		for _, p := range append(c.newcomers(day), c.returning...) {
			if sc.names {
				p.member.organization.numbers = true
			}
			s.newLogin(p, day, c.at(p), sc.text)
		}
	}
	if sc.attack != nil {
		sc.attack(&attacker{s: s, crowd: c, random: newRandom(9)})
	}
	s.run()
	counts := s.days[days-1]
	if sc.worst {
		counts = slices.MaxFunc(s.days, func(a, b *day) int { return cmp.Compare(a.sent, b.sent) })
	}
	return counts, nil
}

func (p *play) row() string {
	d := p.day
	sent := thousands(d.sent)
	if d.entered > 0 {
		sent += " (" + thousands(d.entered) + " entered)"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | $%s | %s of %s | %s of %s | %s | %s |", p.scenario.name, p.setting.name,
		thousands(d.asked), sent, thousands(int(float64(d.sent)*price+0.5)),
		thousands(d.returning.never), thousands(d.returning.came), thousands(d.newcomers.never), thousands(d.newcomers.came),
		thousands(d.returning.waited+d.newcomers.waited), thousands(d.returning.refused+d.newcomers.refused))
}

// misses says how the day falls short of its reach.
func (p *play) misses() string {
	d := p.day
	var problems []string
	if p.scenario.attack == nil {
		if n := d.returning.refused + d.newcomers.refused; n > 0 && !p.scenario.waits {
			problems = append(problems, fmt.Sprintf("%d people refused by more than the cooldown, without an attack", n))
		}
		if n := d.newcomers.never; n > 0 {
			problems = append(problems, fmt.Sprintf("%d new users without a code, without an attack", n))
		}
	}
	if d.sent > 500 {
		problems = append(problems, fmt.Sprintf("%d SMS to the attacker, more than 500", d.sent))
	}
	if d.returning.never > 0 {
		problems = append(problems, fmt.Sprintf("%d returning users without a code", d.returning.never))
	}
	if 20*d.newcomers.never > d.newcomers.came {
		problems = append(problems, fmt.Sprintf("%d of %d new users without a code, more than 5%%", d.newcomers.never, d.newcomers.came))
	}
	return strings.Join(problems, "; ")
}

// details prints what the table does not say.
func (p *play) details() {
	d := p.day
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	list := func(title string, of map[string]int, most int) {
		names := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
			return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b))
		})
		for _, name := range names[:min(most, len(names))] {
			fmt.Fprintf(w, "    %s\t%s\t%d\n", title, name, of[name])
		}
	}
	fmt.Fprintf(w, "  %s\t\t\n", p.scenario.about)
	fmt.Fprintf(w, "    entered a code\tof returning, new\t%.1f%%, %.1f%%\n", share(d.returning), share(d.newcomers))
	list("honest, refused", d.why, 20)
	list("honest, without a code", d.whyNever, 20)
	list("attacker", d.went, 20)
	list("attacker, by block", d.blocks, 5)
	_ = w.Flush()
}

func share(g group) float64 { return 100 * float64(g.entered) / float64(max(1, g.came)) }

// thousands writes 45870 as 45,870.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
