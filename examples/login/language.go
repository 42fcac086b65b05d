package main

import (
	"golang.org/x/text/language"

	"github.com/eb715825/stytchb2b"
)

// locales are those that Stytch has a text for; the first one is for all who
// read none of them.
var locales = []stytchb2b.Locale{
	stytchb2b.LocaleEn, stytchb2b.LocaleEs, stytchb2b.LocaleFr, stytchb2b.LocalePtBR, stytchb2b.LocaleIt,
	stytchb2b.LocaleDeDE, stytchb2b.LocaleZhHans, stytchb2b.LocaleCaES, stytchb2b.LocaleJa, stytchb2b.LocaleRu,
	stytchb2b.LocaleNl, stytchb2b.LocalePl, stytchb2b.LocaleTr, stytchb2b.LocaleFa, stytchb2b.LocaleVi, stytchb2b.LocaleCs,
}

var matcher = func() language.Matcher {
	var tags []language.Tag
	for _, l := range locales {
		tags = append(tags, language.MustParse(string(l)))
	}
	return language.NewMatcher(tags)
}()

// locale is the language of an SMS, by the browser's Accept-Language.
func locale(acceptLanguage string) stytchb2b.Locale {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return locales[0]
	}
	_, i, _ := matcher.Match(tags...)
	return locales[i]
}
