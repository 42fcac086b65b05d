package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	left, top, width, height = 70, 20, 470, 260
	decades                  = 6 // up to a million
)

// draw draws the SMS to the attacker over a day, with the guard, with limits by key and
// without a guard: the days of the same attack.
func draw(plays []*scenario) string {
	var b strings.Builder
	y := func(n float64) float64 { return top + height*(1-math.Log10(max(1, n))/decades) }
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-15 0 715 330" font-family="sans-serif" font-size="13">`+
		`<title>SMS to the attacker over a day, summed up</title><rect x="-15" width="715" height="330" fill="white"/>`+"\n")
	for i := range decades + 1 {
		at := y(math.Pow10(i))
		fmt.Fprintf(&b, `<path d="M%d %.0fh%d" stroke="#ddd"/><text x="%d" y="%.0f" text-anchor="end">%s</text>`+"\n", left, at, width, left-8, at+4, thousands(int(math.Pow10(i))))
	}
	for hour := 0; hour <= 24; hour += 6 {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%d:00</text>`+"\n", left+width*hour/24, top+height+20, hour)
	}
	last := 1 + slices.IndexFunc(plays, func(sc *scenario) bool { return sc.guard != nil })
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">SMS to the attacker, of %s asked for</text>`+"\n", left+width/2, top+height+42, thousands(plays[last].day.asked))
	for i, label := range [...]string{`fill="#080">guard`, `fill="#c80">by key`, `fill="#b00">no guard`} {
		sum, path := 0, fmt.Sprintf("M%d %.1f", left, y(1))
		for hour, n := range plays[last-2+i].day.hours {
			sum += n
			path += fmt.Sprintf("L%d %.1f", left+width*(hour+1)/24, y(float64(sum)))
		}
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke=%s stroke-width="2.5"/><text x="%d" y="%.0f" %s: %s</text>`+"\n",
			path, label[5:11], left+width+8, y(float64(sum))+4, label, thousands(sum))
	}
	b.WriteString("</svg>\n")
	return b.String()
}
