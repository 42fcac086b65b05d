package guard

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// sandboxNumber is a number that sends nothing and costs nothing. Stytch documents
// it for its consumer API only
// (https://stytch.com/docs/guides/testing/sandbox-values).
const sandboxNumber = "+10000000000"

// A number is what the metadata of libphonenumber says of a phone number.
type number struct {
	e164   string // as libphonenumber writes it
	one    string // one form for each phone, to count by
	region string // ISO 3166
	reason string // why no code should go there; "" where it may
}

// refused are the types of numbers that no person receives a code on, or that
// somebody earns from.
var refused = map[phonenumbers.PhoneNumberType]string{
	phonenumbers.PREMIUM_RATE:    "a premium-rate number",
	phonenumbers.SHARED_COST:     "a shared-cost number",
	phonenumbers.TOLL_FREE:       "a toll-free number",
	phonenumbers.PAGER:           "a pager's number",
	phonenumbers.VOICEMAIL:       "a voicemail number",
	phonenumbers.UAN:             "a company's universal access number",
	phonenumbers.PERSONAL_NUMBER: "a personal number, which is forwarded at a premium",
}

// noCountry is libphonenumber's region of satellite networks and international
// services.
const noCountry = "001"

// classify looks a number in E.164 form up. The metadata is a snapshot: a number
// that it does not know, but that is possible, may be of a new range, and is taken.
// What tells the countries of calling code 1 apart are the ranges, so there an unknown
// range has no country.
func classify(e164 string) number {
	if e164 == sandboxNumber {
		return number{e164: e164, one: e164, region: "US"}
	}
	// Mexico has dropped the 1 after its calling code; it is still dialed.
	if len(e164) == len("+5215512345678") && strings.HasPrefix(e164, "+521") {
		e164 = "+52" + e164[len("+521"):]
	}
	parsed, err := phonenumbers.Parse(e164, "")
	if err != nil || !phonenumbers.IsPossibleNumber(parsed) {
		return number{reason: "not a number that can exist"}
	}
	formatted := phonenumbers.Format(parsed, phonenumbers.E164)
	n := number{
		e164:   formatted,
		one:    oneForm(formatted),
		region: phonenumbers.GetRegionCodeForNumber(parsed),
		reason: refused[phonenumbers.GetNumberType(parsed)],
	}
	code := int(parsed.GetCountryCode())
	if n.region == "" && code != 1 {
		n.region = phonenumbers.GetRegionCodeForCountryCode(code)
	}
	switch {
	case n.reason != "":
	case n.region == "":
		n.reason = "of an area code that is not known"
	case n.region == noCountry:
		n.reason = "a number of a satellite network or an international service"
	}
	return n
}

// oneForm writes the numbers of a phone that has two in one way: Argentina's
// mobile numbers have a 9 after the calling code for calls from abroad, and Brazil's
// have got a 9 after the area code.
func oneForm(e164 string) string {
	switch {
	case len(e164) == len("+5491112345678") && strings.HasPrefix(e164, "+549"):
		return "+54" + e164[len("+549"):]
	case len(e164) == len("+551187654321") && strings.HasPrefix(e164, "+55") && e164[5] >= '6':
		return e164[:5] + "9" + e164[5:]
	}
	return e164
}

// isCountry reports whether a code is of a country with phone numbers.
func isCountry(code string) bool { return phonenumbers.GetSupportedRegions()[code] }
