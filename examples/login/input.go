package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/language"

	"github.com/eb715825/stytchb2b"
)

// e164 reads a phone number as people write it: with or without its country code,
// with a prefix for calls abroad, as a link, or among other signs. It does not
// guess: it completes no local number, and reads no ② as a 2.
func e164(typed string) (string, bool) {
	text := strings.TrimSpace(asciiDigits(typed))
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsNumber(r) && !unicode.IsDigit(r) }) {
		return "", false
	}
	if rest, ok := strings.CutPrefix(text, "00"); ok { // Parse knows the prefix of the first country only.
		text = "+" + rest
	}
	for _, text := range []string{text, noPhone.ReplaceAllString(text, "")} {
		number, err := phonenumbers.Parse(text, countries[0])
		if err == nil && phonenumbers.IsPossibleNumberWithReason(number) == phonenumbers.IS_POSSIBLE {
			return phonenumbers.Format(number, phonenumbers.E164), true
		}
	}
	return "", false
}

var (
	noPhone   = regexp.MustCompile(`[^0-9+]`)
	numbers   = regexp.MustCompile(`[0-9]+`)
	groupings = regexp.MustCompile(`[0-9]+(?:[^0-9][0-9]+)*`)
)

// codeIn returns the code in what was typed or pasted, perhaps the entire SMS, in
// digits of any script: six digits in a row, or else in groups such as 123-456. It
// is empty if there is no code, or more than one.
func codeIn(typed string) string {
	text := asciiDigits(typed)
	for _, pattern := range []*regexp.Regexp{numbers, groupings} {
		var codes []string
		for _, found := range pattern.FindAllString(text, -1) {
			if code := strings.Join(numbers.FindAllString(found, -1), ""); len(code) == 6 && !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
		if len(codes) == 1 {
			return codes[0]
		}
	}
	return ""
}

// asciiDigits replaces the digits of all scripts, and drops what cannot be seen,
// such as marks of the direction of writing.
func asciiDigits(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case !unicode.IsDigit(r):
			return r
		}
		zero := r // Unicode has the digits of a script in order, ten after ten.
		for unicode.IsDigit(zero - 1) {
			zero--
		}
		return '0' + (r-zero)%10
	}, text)
}

// locale returns the language for an SMS, by the browser's Accept-Language: the
// first that Stytch has texts in, or else English. [language.Matcher] has high
// confidence in English for readers of Urdu, and in the zh of "zh-TW, zh".
func locale(acceptLanguage string) stytchb2b.Locale {
	parts := slices.DeleteFunc(strings.Split(acceptLanguage, ","), func(part string) bool {
		_, _, err := language.ParseAcceptLanguage(part)
		return err != nil // One malformed part would make the others count for nothing.
	})
	tags, _, _ := language.ParseAcceptLanguage(strings.Join(parts, ",")) // in order of preference
	seen := map[language.Base]bool{}
	for _, tag := range tags {
		base, script, region := tag.Raw()
		isBare := script == language.Script{} && region == language.Region{}
		if isBare && seen[base] { // as browsers add it: "zh-TW, zh" is not simplified Chinese
			continue
		}
		seen[base] = true
		for _, l := range stytchb2b.Locales() {
			if written(tag) == written(language.Make(string(l))) {
				return l
			}
		}
	}
	return stytchb2b.LocaleEn
}

// written is a language and its script. In Taiwan, Chinese is not written in
// simplified characters.
func written(tag language.Tag) string {
	base, _ := tag.Base()
	script, _ := tag.Script()
	return base.String() + "-" + script.String()
}
