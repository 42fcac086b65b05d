// Command tollfraud measures what package guard is worth: it plays days of a
// product's logins, honest ones and attacks, without a guard, with limits by key and
// with the recommendation. Its README says what it assumes.
//
//	go -C guard run ./internal/tollfraud
package main

import (
	"cmp"
	"context"
	"errors"
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

const (
	readme  = "README.md"
	picture = "internal/tollfraud/day.svg"
)

func main() {
	var (
		run   = flag.String("run", "", "play only days whose names match this `regexp`")
		check = flag.Bool("check", false, "exit with 1 if a bound is broken, or if the README's table or its picture shows something else")
		write = flag.Bool("write", false, "write the README's table and its picture")
	)
	flag.Parse()
	debug.SetGCPercent(400) // A day needs little memory, and makes much garbage.
	if err := playAll(regexp.MustCompile(*run), *check, *write); err != nil {
		fmt.Fprintln(os.Stderr, "tollfraud:", err)
		os.Exit(1)
	}
}

// A scenario is what happens in a simulation.
type scenario struct {
	name    string
	crowd   crowd
	attacks []attack
	guard   kind
	hour    int  // UTC, at which it begins
	days    int  // with those before the day that counts; 4 if it is 0
	restart bool // the guard forgets all at 13:00 of the last day
	logins  bool // the product passes its logins on
	draw    int  // of random numbers
	redis   bool // two processes count in one Redis

	// What the attacker has, and what the bounds follow from: phones and passwords.
	phones, passwords int
	// At most so many codes are guessed, and so many users are left without a code, and
	// why. If never is 0, 30 new ones are, and nobody without an attack.
	guesses, returning, never int
	why                       string
	readme                    bool // the README has the row
}

// A kind is a way to guard.
type kind int

const (
	recommended kind = iota
	byKey
	nobody
)

func (k kind) String() string { return [...]string{"guard", "by key", "no guard"}[k] }

func (k kind) options() []guard.Option {
	switch k {
	case byKey:
		return []guard.Option{
			guard.AllowCountries("US", "CA", "GB"),
			by("member", 5, func(m *member, _ string) string { return m.id }),
			by("number", 5, func(_ *member, n string) string { return n }),
			by("prefix", 20, func(_ *member, n string) string { return n[:max(0, len(n)-4)] }),
			by("organization", 200, func(m *member, _ string) string { return m.organization.id }),
			by("all", 2000, func(*member, string) string { return "all" }),
		}
	case nobody:
		return nil
	}
	return []guard.Option{guard.Recommended("US", "CA", "GB")}
}

// by is a limit in an hour.
func by(name string, n int, of func(*member, string) string) guard.Option {
	return guard.LimitBy(name, n, time.Hour, func(ctx context.Context, p stytchb2b.SMSSendParams) string {
		m := ctx.Value(memberKey{}).(*member)
		return of(m, cmp.Or(p.MFAPhoneNumber, m.number))
	})
}

// A played scenario has its last day when done is closed.
type played struct {
	scenario
	day  *day
	err  error
	done chan struct{}
}

// playAll plays all scenarios, some at a time, and prints them in their order.
func playAll(names *regexp.Regexp, check, write bool) error {
	var plays []*played
	for _, sc := range append(attacks, honestDays...) {
		if names.MatchString(sc.name) {
			plays = append(plays, &played{scenario: sc, done: make(chan struct{})})
		}
	}
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	go func() {
		for _, p := range plays {
			free <- struct{}{}
			go func() {
				p.day, p.err = p.play()
				<-free
				close(p.done)
			}()
		}
	}()
	var errs []error
	var table strings.Builder
	fmt.Println("| day | asked for | SMS to the attacker | at most | returning users without a code | new ones | asked to wait |")
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, p := range plays {
		<-p.done
		if p.err != nil {
			return p.err
		}
		d := p.day
		fmt.Printf("| %s | %s | %s | %s | %s of %s | %s of %s | %s |\n", p.name, thousands(d.asked), p.sent(), thousands(p.bound()), thousands(d.returning.never),
			thousands(d.returning.came), thousands(d.newcomers.never), thousands(d.newcomers.came), thousands(d.returning.waited+d.newcomers.waited))
		if check && p.guard == recommended {
			errs = append(errs, p.check())
		}
		if p.readme {
			table.WriteString(p.row())
		}
	}
	if names.String() != "" || !check && !write {
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, inFile(readme, "| --- | ---: | ---: | ---: | --- |\n", table.String(), "\n", write), inFile(picture, "", draw(plays), "", write))...)
}

// inFile holds the text between two others in a file to what it has to be, or makes
// it so.
func inFile(name, after, want, before string, write bool) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	head, rest, found := strings.Cut(string(content), after)
	if after == "" {
		head, rest = "", string(content)
	}
	text, tail, _ := strings.Cut(rest, "\n\n")
	text += "\n"
	if before == "" {
		text, tail = rest, ""
	} else {
		tail = before + tail
	}
	switch {
	case after != "" && !found:
		return fmt.Errorf("%s: there is no %q", name, after)
	case write:
		return os.WriteFile(name, []byte(head+after+want+tail), 0o644)
	case text != want:
		return fmt.Errorf("%s shows something else than this:\n%s\nRun it with -write", name, want)
	}
	return nil
}

// bound is how many SMS the attacker can get at most and leave unanswered: what the
// pool holds, what leaks away in a day, and a third of the codes that make room;
// ten for each phone with a code or of a user; and for each password the one SMS
// that Stytch sends before the guard has heard of the Member.
func (p *played) bound() int {
	bound := 290 + 24 + p.day.made/3 + 10*p.phones + p.passwords
	if p.restart {
		bound += 290
	}
	return bound
}

// check says which bound is broken.
func (p *played) check() error {
	d := p.day
	never, waited := cmp.Or(p.never, 30), d.newcomers.came+d.returning.came
	if p.attacks == nil {
		never, waited = 0, (d.returning.came+d.newcomers.came)/50
	}
	var errs []error
	for _, x := range []struct {
		what    string
		n, most int
	}{
		{"unanswered SMS to the attacker", d.sent - d.entered, p.bound()},
		{"codes that it entered", d.entered, max(500, 100*p.phones)},
		{"codes that it guessed", d.guesses, p.guesses},
		{"returning users without a code", d.returning.never, p.returning},
		{"new users without a code", d.newcomers.never, never},
		{"users who were asked to wait", d.newcomers.waited + d.returning.waited, waited},
	} {
		if x.n > x.most {
			errs = append(errs, fmt.Errorf("%s: %s: %d, more than %d", p.name, x.what, x.n, x.most))
		}
	}
	return errors.Join(errs...)
}

func (p *played) sent() string {
	text := thousands(p.day.sent)
	switch d := p.day; {
	case d.sent > 0 && d.entered == d.sent:
		text += ", all entered"
	case d.entered > 0:
		text += ", " + thousands(d.entered) + " entered"
	case d.guesses > 0:
		text += ", and " + thousands(d.guesses) + " guesses"
	}
	return text
}

// row is one of the README's table.
func (p *played) row() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", p.name, p.sent(), thousands(p.day.returning.never), thousands(p.day.newcomers.never), p.why)
}

// thousands writes 45870 as 45,870.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
