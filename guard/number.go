package guard

import (
	"fmt"

	"github.com/nyaruka/phonenumbers"
)

// sandboxNumber is a number that sends nothing and costs nothing. Stytch documents
// it for its consumer API only
// (https://stytch.com/docs/guides/testing/sandbox-values).
const sandboxNumber = "+10000000000"

// A number is what the metadata of libphonenumber says of a phone number.
type number struct {
	region string // ISO 3166
	reason string // why no code should go there; "" where it may
}

// refused are the types of numbers that no person receives a code on, or that
// somebody earns from.
var refused = map[phonenumbers.PhoneNumberType]string{
	phonenumbers.PREMIUM_RATE: "a premium-rate number",
	phonenumbers.SHARED_COST:  "a shared-cost number",
	phonenumbers.TOLL_FREE:    "a toll-free number",
	phonenumbers.PAGER:        "a pager's number",
	phonenumbers.VOICEMAIL:    "a voicemail number",
	phonenumbers.UAN:          "a company's universal access number",
}

// classify looks a number in E.164 form up.
func classify(e164 string) number {
	if e164 == sandboxNumber {
		return number{region: "US"}
	}
	parsed, err := phonenumbers.Parse(e164, "")
	if err != nil || !phonenumbers.IsValidNumber(parsed) {
		return number{reason: "not a number that exists"}
	}
	return number{
		region: phonenumbers.GetRegionCodeForNumber(parsed),
		reason: refused[phonenumbers.GetNumberType(parsed)],
	}
}

// checkCountry returns an error for what is no ISO 3166 code with numbers.
func checkCountry(code string) error {
	if !phonenumbers.GetSupportedRegions()[code] {
		return fmt.Errorf("%q is not the ISO 3166 code of a country, such as \"US\"", code)
	}
	return nil
}
