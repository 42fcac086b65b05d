package main

import (
	"golang.org/x/text/language"

	"github.com/eb715825/stytchb2b"
)

// locale returns the language for an SMS, by the browser's Accept-Language: the
// first that Stytch has texts for, in the script of its reader, or else English.
// [language.Matcher] would also take a language that the reader may know, such as
// Russian for Kazakh.
func locale(acceptLanguage string) stytchb2b.Locale {
	tags, _, _ := language.ParseAcceptLanguage(acceptLanguage) // in order of preference
	for _, tag := range tags {
		for _, l := range stytchb2b.Locales() {
			if written(tag) == written(language.Make(string(l))) {
				return l
			}
		}
	}
	return stytchb2b.LocaleEn
}

// written is a language and its script: Chinese of Taiwan is not in simplified
// characters.
func written(tag language.Tag) string {
	base, _ := tag.Base()
	script, _ := tag.Script()
	return base.String() + "-" + script.String()
}
