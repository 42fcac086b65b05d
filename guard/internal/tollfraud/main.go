// Command tollfraud measures what package guard is worth: it plays days of a
// product's logins, honest ones and attacks, without a guard, with limits by key and
// with the recommendation. Its README says what it assumes.
//
//	go -C guard run ./internal/tollfraud
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

func main() {
	names := flag.String("run", "", "play only days whose names match this `regexp`")
	write := flag.Bool("write", false, "write the table and the picture of the guard's README")
	flag.Parse()
	debug.SetGCPercent(400) // A day needs little memory, and makes much garbage.
	var plays []*scenario
	for _, sc := range append(attacks, honestDays...) {
		matched, err := regexp.MatchString(*names, sc.name)
		must(err)
		if matched {
			plays = append(plays, &sc)
		}
	}
	var wg sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, sc := range plays {
		wg.Go(func() {
			free <- struct{}{}
			sc.day = sc.play()
			<-free
		})
	}
	wg.Wait()

	var table strings.Builder
	broken := false
	fmt.Println("| day | asked for | SMS to the attacker | unanswered at most | returning users without a code | new ones | asked to wait |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, sc := range plays {
		old, fresh := sc.day.returning, sc.day.newcomers
		fmt.Printf("| %s | %s | %s | %s | %s of %s | %s of %s | %s |\n", sc.name, thousands(sc.day.asked), sc.sent(), thousands(sc.bound()),
			thousands(old.never), thousands(old.came), thousands(fresh.never), thousands(fresh.came), thousands(old.waited+fresh.waited))
		if sc.why != "" {
			fmt.Fprintf(&table, "| %s | %s | %s | %s | %s |\n", sc.name, sc.sent(), thousands(old.never), thousands(fresh.never), sc.why)
		}
	}
	for _, sc := range plays {
		for _, says := range sc.check() {
			broken = true
			log.Printf("%s: %s", sc.name, says)
		}
	}
	if *write && *names == "" {
		readme, err := os.ReadFile("README.md")
		must(err)
		rows := regexp.MustCompile(`(?s)(\| ---: \| --- \|\n).*?\n(\n)`)
		must(os.WriteFile("README.md", rows.ReplaceAll(readme, []byte("${1}"+table.String()+"${2}")), 0o644))
		must(os.WriteFile("internal/tollfraud/day.svg", []byte(draw(plays)), 0o644))
	}
	if broken {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A scenario is what happens in a simulation.
type scenario struct {
	name    string
	crowd   crowd
	attacks []attack
	guard   []guard.Option // the recommendation if it is nil
	hour    int            // UTC, at which it begins
	days    int            // with those before the day that counts; 4 if it is 0
	draw    uint64         // of random numbers
	restart bool           // the guard forgets all at 13:00 of the last day
	logins  bool           // the product passes its logins on
	redis   bool           // two processes count in one Redis

	// What the attacker has, and what the bounds follow from: phones and passwords.
	phones, passwords int
	// At most so many codes are guessed, and so many users are left without a code. If
	// never is 0, 30 new ones are, and nobody without an attack.
	guesses, returning, never int
	why                       string // so many; the README has such rows

	day *day // what came of it
}

// Ways to guard, beside the recommendation.
var (
	nobody = []guard.Option{guard.ObserveOnly()}
	byKey  = []guard.Option{
		perHour("member", 5, func(p stytchb2b.SMSSendParams) string { return p.MemberID }),
		perHour("number", 5, func(p stytchb2b.SMSSendParams) string { return p.MFAPhoneNumber }),
		perHour("prefix", 20, func(p stytchb2b.SMSSendParams) string { return p.MFAPhoneNumber[:max(0, len(p.MFAPhoneNumber)-4)] }),
		perHour("organization", 200, func(p stytchb2b.SMSSendParams) string { return p.OrganizationID }),
		perHour("all", 2000, func(stytchb2b.SMSSendParams) string { return "all" }),
	}
)

func perHour(name string, n int, key func(stytchb2b.SMSSendParams) string) guard.Option {
	return guard.LimitBy(name, n, time.Hour, func(_ context.Context, p stytchb2b.SMSSendParams) string { return key(p) })
}

// bound is how many SMS the attacker can get at most and leave unanswered: what the
// pool holds, what leaks away in a day, and a third of the codes that make room;
// ten for each phone with a code or of a user; and for each password the one SMS
// that Stytch sends before the guard has heard of the Member.
func (sc *scenario) bound() int {
	bound := 290 + 24 + sc.day.made/3 + 10*sc.phones + sc.passwords
	if sc.restart {
		bound += 290
	}
	return bound
}

// check says which bounds are broken.
func (sc *scenario) check() (broken []string) {
	d := sc.day
	most := func(most, n int, what string) {
		if n > most {
			broken = append(broken, fmt.Sprintf("%s: %d, more than %d", what, n, most))
		}
	}
	switch {
	case sc.guard != nil && d.sent < 40_000:
		return []string{"it is an attack that limits by key stop"}
	case sc.guard != nil:
		return nil
	case sc.attacks == nil:
		most(0, d.newcomers.never, "new users without a code")
		most((d.returning.came+d.newcomers.came)/50, d.returning.waited+d.newcomers.waited, "users who were asked to wait")
	default:
		most(cmp.Or(sc.never, 30), d.newcomers.never, "new users without a code")
	}
	most(sc.returning, d.returning.never, "returning users without a code")
	most(sc.bound(), d.sent-d.entered, "unanswered SMS to the attacker")
	most(500*max(1, sc.phones), d.entered, "codes that it entered")
	most(sc.guesses, d.guesses, "codes that it guessed")
	return broken
}

// sent says how many SMS the attacker got.
func (sc *scenario) sent() string {
	d := sc.day
	text := thousands(d.sent)
	if d.entered > 0 {
		text += ", " + thousands(d.entered) + " entered"
	}
	if d.guesses > 0 {
		text += ", " + thousands(d.guesses) + " guesses"
	}
	return text
}

// thousands writes 45870 as 45,870.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
