package main

import (
	"golang.org/x/text/language"

	"github.com/eb715825/stytchb2b"
)

// locale returns the language for an SMS, by the browser's Accept-Language: the
// first that Stytch has texts for, in a script that its reader can read, or else
// English. [language.Matcher] would also take a language that the reader may
// know, such as Russian for Ukrainian.
func locale(acceptLanguage string) stytchb2b.Locale {
	tags, _, _ := language.ParseAcceptLanguage(acceptLanguage) // in order of preference
	for _, tag := range tags {
		for _, l := range stytchb2b.Locales() {
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
