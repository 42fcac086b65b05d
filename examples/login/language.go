package main

import (
	"golang.org/x/text/language"

	"github.com/eb715825/stytchb2b"
)

// locales are those that Stytch has texts for besides English.
var locales = []stytchb2b.Locale{
	stytchb2b.LocaleEs, stytchb2b.LocaleFr, stytchb2b.LocalePtBR, stytchb2b.LocaleIt, stytchb2b.LocaleDeDE,
	stytchb2b.LocaleZhHans, stytchb2b.LocaleCaES, stytchb2b.LocaleJa, stytchb2b.LocaleRu, stytchb2b.LocaleNl,
	stytchb2b.LocalePl, stytchb2b.LocaleTr, stytchb2b.LocaleFa, stytchb2b.LocaleVi, stytchb2b.LocaleCs,
	stytchb2b.LocaleEn,
}

// locale returns the language for an SMS, by the browser's Accept-Language: the
// first that Stytch has in a script that its reader can read, or else English.
// [language.Matcher] also takes a language that its reader may know, such as
// Russian for Ukrainian.
func locale(acceptLanguage string) stytchb2b.Locale {
	tags, _, _ := language.ParseAcceptLanguage(acceptLanguage) // in order of preference
	for _, tag := range tags {
		for _, l := range locales {
			if isReadable(language.MustParse(string(l)), tag) {
				return l
			}
		}
	}
	return stytchb2b.LocaleEn
}

// isReadable reports whether both tags are of one language in one script: Chinese
// of Taiwan is not in simplified characters.
func isReadable(text, reader language.Tag) bool {
	textBase, _ := text.Base()
	textScript, _ := text.Script()
	readerBase, _ := reader.Base()
	readerScript, _ := reader.Script()
	return textBase == readerBase && textScript == readerScript
}
