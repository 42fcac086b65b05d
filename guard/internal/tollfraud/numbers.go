package main

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// A place is where people's numbers are from.
type place struct {
	country string
	area    string // what its numbers begin with
	hours   int    // its clock is behind UTC
}

// places are where honest Organizations are, the ones with more of them more
// often. A GB number has no area: it is a mobile's.
var places = []place{
	{"US", "+1212", 5}, {"US", "+1646", 5}, {"US", "+1917", 5}, {"US", "+1617", 5}, {"US", "+1202", 5}, {"US", "+1404", 5},
	{"US", "+1305", 5}, {"US", "+1312", 6}, {"US", "+1512", 6}, {"US", "+1713", 6}, {"US", "+1214", 6}, {"US", "+1303", 7},
	{"US", "+1415", 8}, {"US", "+1310", 8}, {"US", "+1408", 8}, {"US", "+1206", 8}, {"US", "+1503", 8}, {"US", "+1619", 8},
	{"CA", "+1416", 5}, {"CA", "+1647", 5}, {"CA", "+1514", 5}, {"CA", "+1604", 8}, {"CA", "+1403", 7},
	{"GB", "+447", 0}, {"GB", "+447", 0}, {"GB", "+447", 0}, {"GB", "+447", 0}, {"GB", "+447", 0}, {"GB", "+447", 0},
}

// areas are more of them, which people bring their phones from, and attackers
// rent numbers in.
var areas = map[string][]string{
	"US": {"+1201", "+1203", "+1205", "+1207", "+1208", "+1210", "+1215", "+1216", "+1219", "+1225", "+1228", "+1239", "+1240", "+1248",
		"+1251", "+1253", "+1256", "+1260", "+1269", "+1281", "+1301", "+1302", "+1304", "+1307", "+1309", "+1313", "+1314", "+1316",
		"+1317", "+1319", "+1321", "+1323", "+1330", "+1334", "+1336", "+1347", "+1352", "+1360", "+1361", "+1386", "+1401", "+1402",
		"+1405", "+1406", "+1407", "+1409", "+1410", "+1412", "+1413", "+1414", "+1417", "+1419", "+1423", "+1425", "+1434", "+1440"},
	"CA": {"+1204", "+1226", "+1236", "+1249", "+1250", "+1289", "+1306", "+1343", "+1365", "+1418", "+1437", "+1438", "+1450", "+1506", "+1519", "+1613", "+1705", "+1778", "+1902", "+1905"},
	"GB": {"+447"},
	"JM": {"+1876"},
}

// newBlock returns what 10,000 numbers of an area have in common: all but their
// last four digits.
func newBlock(random *rand.Rand, country, area string) string {
	digits := 8 // of a block, with the "+"
	if country == "GB" {
		digits = 9
	}
	for {
		block := area
		for len(block) < digits {
			block += fmt.Sprint(random.IntN(10))
		}
		if blockCountry(block) == country {
			return block
		}
	}
}

// blocks holds the country of each block that was looked up.
var blocks sync.Map

// blockCountry returns the country of a block of mobile numbers, or "".
func blockCountry(block string) string {
	if known, ok := blocks.Load(block); ok {
		return known.(string)
	}
	country := ""
	if parsed, err := phonenumbers.Parse(block+"1234", ""); err == nil && phonenumbers.IsValidNumber(parsed) && mobile(parsed) {
		country = phonenumbers.GetRegionCodeForNumber(parsed)
	}
	blocks.Store(block, country)
	return country
}

func mobile(n *phonenumbers.PhoneNumber) bool {
	kind := phonenumbers.GetNumberType(n)
	return kind == phonenumbers.MOBILE || kind == phonenumbers.FIXED_LINE_OR_MOBILE
}

func number(block string, i int) string { return fmt.Sprintf("%s%04d", block, i%10_000) }

// newNumber returns a number of a person who lives in a place: every other one
// has brought it from elsewhere in the country.
func newNumber(random *rand.Rand, home place) string {
	area := home.area
	if random.IntN(2) == 0 {
		area = pick(random, areas[home.country])
	}
	return number(newBlock(random, home.country, area), random.IntN(10_000))
}

func pick[T any](random *rand.Rand, of []T) T { return of[random.IntN(len(of))] }
