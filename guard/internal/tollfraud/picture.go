package main

import (
	"fmt"
	"math"
	"os"
	"strings"
)

const (
	left, top, width, height = 70, 20, 470, 260
	decades                  = 6 // up to a million
)

// draw draws the SMS to the attacker on the day of the first attack, summed up,
// with each setting.
func draw(file string) error {
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
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">SMS to the attacker, of 172,800 asked for</text>`+"\n", left+width/2, top+height+42)
	for i, set := range settings {
		d, err := attacks[0].play(set)
		if err != nil {
			return err
		}
		color := []string{"#b00", "#c80", "#080"}[i]
		sum, path := 0, fmt.Sprintf("M%d %.1f", left, y(1))
		for hour, n := range d.hours {
			sum += n
			path += fmt.Sprintf("L%d %.1f", left+width*(hour+1)/24, y(float64(sum)))
		}
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="2.5"/><text x="%d" y="%.0f" fill="%s">%s: %s</text>`+"\n",
			path, color, left+width+8, y(float64(sum))+4, color, []string{"no guard", "by key", "guard"}[i], thousands(sum))
	}
	b.WriteString("</svg>\n")
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
