package guard_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// recommended are the settings that the README recommends, for a product whose
// users are in three countries.
func recommended() []guard.Option {
	return []guard.Option{
		guard.AllowCountries("US", "CA", "GB"),
		guard.Limit(guard.PerMember, 5, time.Hour),
		guard.Limit(guard.PerPhoneNumber, 5, time.Hour),
		guard.Limit(guard.PerPrefix, 20, time.Hour),
		guard.Limit(guard.PerOrganization, 200, time.Hour),
		guard.Limit(guard.InAll, 2000, time.Hour),
	}
}

// prices of one SMS in US dollars, assumed: the order of magnitude is right.
var prices = map[string]float64{"+1202": 0.008, "+1876": 0.20, "+4474": 0.05, "+1900": 0.10}

func price(number string) float64 { return prices[number[:5]] }

// A click asks for a Send.
type click struct {
	at     time.Duration
	user   int // of the honest; -1 for the attacker
	params stytchb2b.SMSSendParams
}

// traffic is two hours of it: 2,000 honest users in 40 Organizations, of whom
// 600 press "send it again" one to three times; and for one of the hours a
// script that signs up Members in one Organization, with 5,000 numbers of blocks
// that it earns from, and asks for SMS to them five times a second.
func traffic() (clicks []click) {
	random := rand.New(rand.NewPCG(1, 2))
	for user := range 600 {
		organization := random.IntN(40)
		number := fmt.Sprintf("+1202%07d", 2000000+random.IntN(7999999))
		if organization%2 == 0 { // its numbers are of one block
			number = fmt.Sprintf("+1202%03d%04d", 300+organization, random.IntN(200))
		}
		at := time.Duration(random.Int64N(int64(2 * time.Hour)))
		for range 1 + random.IntN(3) {
			clicks = append(clicks, click{at, user, stytchb2b.SMSSendParams{
				OrganizationID: fmt.Sprint("organization-", organization), MemberID: fmt.Sprint("member-", user), MFAPhoneNumber: number,
			}})
			at += 5*time.Second + time.Duration(random.Int64N(int64(time.Minute)))
		}
	}
	blocks := []string{"+1876210", "+1876310", "+44740012", "+44740034", "+1900234"}
	for i := range 5 * 3600 {
		n := random.IntN(5000)
		block := blocks[n%len(blocks)]
		number := block + fmt.Sprintf("%0*d", 12-len(block)+map[bool]int{true: 1}[strings.HasPrefix(block, "+44")], n/len(blocks))
		clicks = append(clicks, click{30*time.Minute + time.Duration(i)*time.Second/5, -1, stytchb2b.SMSSendParams{
			OrganizationID: "organization-attacker", MemberID: fmt.Sprint("attacker-", n), MFAPhoneNumber: number,
		}})
	}
	slices.SortStableFunc(clicks, func(a, b click) int { return cmp.Compare(a.at, b.at) })
	return clicks
}

// TestSimulation shows what gets out in an attack: go test -run TestSimulation -v .
func TestSimulation(t *testing.T) {
	t.Parallel()
	type outcome struct {
		attack, honest int // SMS
		cost           float64
		waited, never  int // honest users
	}
	simulate := func(opts ...guard.Option) (o outcome) {
		synctest.Test(t, func(t *testing.T) {
			var g *guard.Guard
			if opts != nil {
				g = newGuard(t, opts...)
			}
			start := time.Now()
			waited, served, asked := map[int]bool{}, map[int]bool{}, map[int]bool{}
			for _, c := range traffic() {
				time.Sleep(c.at - time.Since(start))
				var err error
				if g != nil {
					err = allow(t, g, c.params)
				}
				if c.user >= 0 {
					asked[c.user] = true
					switch {
					case err == nil:
						served[c.user] = true
					case errors.Is(err, guard.ErrCooldown):
						waited[c.user] = true // The page counts the seconds down.
					}
				}
				switch {
				case err != nil:
				case c.user >= 0:
					o.honest++
				default:
					o.attack++
					o.cost += price(c.params.MFAPhoneNumber)
				}
			}
			o.waited, o.never = len(waited), len(asked)-len(served)
		})
		return o
	}
	without, with := simulate(), simulate(recommended()...)
	assert.Equal(t, 5*3600, without.attack)
	assert.Less(t, with.attack, without.attack/100)
	assert.Less(t, with.never, 600/100, "honest users who got no code")

	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| \t| SMS to the attacker\t| their cost\t| SMS to honest users\t| of 600, asked to wait some seconds\t| of 600, got no code\t|")
	fmt.Fprintln(w, "| ---\t| ---:\t| ---:\t| ---:\t| ---:\t| ---:\t|")
	for name, o := range map[string]outcome{"without the guard": without, "with the recommended settings": with} {
		fmt.Fprintf(w, "| %s\t| %d\t| $%.2f\t| %d\t| %d\t| %d\t|\n", name, o.attack, o.cost, o.honest, o.waited, o.never)
	}
	_ = w.Flush()
	t.Logf("two hours, one of them under attack:\n%s", table.String())
}
