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

// e164 parses a phone number as people write it: with or without the country code, with
// an international prefix, as a link, or with punctuation. It does not guess: it
// completes no local number, and does not read ② as 2.
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

// codeIn finds the code in what was typed or pasted, which may be the entire SMS: six
// consecutive digits of any script, or else digits in groups such as 123-456. It
// returns "" if there is no code, or more than one.
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

// asciiDigits converts digits of all scripts to ASCII.
func asciiDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsDigit(r) {
			return r
		}
		zero := r // In Unicode, the ten digits of a script are consecutive.
		for unicode.IsDigit(zero - 1) {
			zero--
		}
		return '0' + (r-zero)%10
	}, text)
}

// locale chooses the language of an SMS from the browser's Accept-Language: the first
// that Stytch has texts in, or English. [language.Matcher] will not do: it has high
// confidence in English for readers of Urdu, and in the zh of "zh-TW, zh".
func locale(acceptLanguage string) stytchb2b.Locale {
	parts := slices.DeleteFunc(strings.Split(acceptLanguage, ","), func(part string) bool {
		_, _, err := language.ParseAcceptLanguage(part)
		return err != nil // One malformed part would invalidate all.
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

// written is a language with its script: Chinese in Taiwan does not use simplified
// characters.
func written(tag language.Tag) string {
	base, _ := tag.Base()
	script, _ := tag.Script()
	return base.String() + "-" + script.String()
}
