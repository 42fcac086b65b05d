package main

import (
	"fmt"
	"math/rand/v2"
)

// A place is where people's numbers are from.
type place struct {
	area  string // what its numbers begin with; a mobile number of GB has no area
	hours int    // its clock is behind UTC
}

// places are where honest Organizations are, the ones with more of them more often.
var places = []place{
	{"+1212", 5}, {"+1646", 5}, {"+1917", 5}, {"+1617", 5}, {"+1202", 5}, {"+1404", 5}, {"+1305", 5}, {"+1312", 6}, {"+1512", 6}, {"+1713", 6},
	{"+1214", 6}, {"+1303", 7}, {"+1415", 8}, {"+1310", 8}, {"+1408", 8}, {"+1206", 8}, {"+1503", 8}, {"+1619", 8}, {"+1416", 5}, {"+1647", 5},
	{"+1514", 5}, {"+1604", 8}, {"+1403", 7}, {"+44740", 0}, {"+44740", 0}, {"+44740", 0}, {"+44741", 0}, {"+44741", 0}, {"+44742", 0},
}

// newNumber returns a number of a place, or of any other: every second person has
// brought it from elsewhere.
func newNumber(random *rand.Rand, home place) string {
	if random.IntN(2) == 0 {
		home = pick(random, places)
	}
	return numberOf(random, home.area)
}

func numberOf(random *rand.Rand, area string) string {
	if area[1] == '4' {
		return fmt.Sprintf("%s%07d", area, random.IntN(10_000_000))
	}
	return fmt.Sprintf("%s%d%06d", area, 2+random.IntN(8), random.IntN(1_000_000))
}

func pick[T any](random *rand.Rand, of []T) T { return of[random.IntN(len(of))] }
