package main

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/runenames"
)

// The language of the SMS is one that its reader can read, or English.
func TestLocale(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		// as Chrome, Firefox and Safari send them
		"zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7":        "en",
		"zh-MO,zh;q=0.9,pt-PT;q=0.8,pt;q=0.7":        "pt-br",
		"zh-Hant-TW,zh-Hant;q=0.9,zh;q=0.8,ja;q=0.7": "ja",
		"zh-TW,zh;q=0.9,zh-CN;q=0.8,en;q=0.7":        "zh-Hans",
		"zh;q=0.9,zh-TW":                             "en",
		"de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7":        "de-DE",
		"ca-ES-valencia,ca;q=0.9,es;q=0.8":           "ca-ES",
		"sr-Latn-RS,sr;q=0.9,hr;q=0.8,en;q=0.7":      "en",

		// with a part that is malformed or names no language
		"es-ES,es;q=0.8,chrome://global/locale/intl.properties;q=0.5": "es",
		"zh-CHS, zh-CN;q=0.9":        "zh-Hans",
		"fr-FR,fr;q=0.8,sr-SP;q=0.5": "fr",

		"ru-Latn,ru;q=0.9": "en", "ru-Latn,ru-RU;q=0.9": "ru", "zh_TW,zh;q=0.9": "en", "uk": "en", "ur": "en", "fa-AF": "fa",
		"sv,fr;q=0.3": "fr", "en,fr;q=0.9": "en", "fr;q=0.2,it": "it", "": "en", "fr;q=0": "en", "*": "en", "de,*;q=0.5": "de-DE",
	} {
		assert.EqualValues(t, want, locale(header), header)
	}
}

// A code is found in whatever is entered or pasted.
func TestCodeIn(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"123456": "123456", " 123 456 ": "123456", "123-456": "123456", "1 2 3 4 5 6": "123456", "123\u00a0456": "123456",
		"\u202a123456\u202c": "123456", "۱۲۳۴۵۶": "123456", "١٢٣٤٥٦": "123456", "１２３４５６": "123456", "१२३४५६": "123456", "𝟏𝟐𝟑𝟒𝟓𝟔": "123456",
		"Example Inc.: your verification code is 123456.":           "123456",
		"Studio 54: your verification code is 123456.":              "123456",
		"Studio 54: 123-456 is your code. Text STOP to 87654.":      "123456",
		"Example Inc.：您的验证码是 １２３４５６。":                               "123456",
		"Example Inc.: کد تأیید شما ۱۲۳۴۵۶ است.":                    "123456",
		"Reply to +12025550106. Your code is 123456, for 2 minutes": "123456",
		"+1 202 555 0123: 123456":                                   "123456",
		"+1 202 555 0123 123456":                                    "123456",
		"12345":                                                     "", "1234567": "", "": "", "none": "", "①②③④⑤⑥": "", "12345⑥": "", "+1 202 555 0123": "", "123456 654321": "",
	} {
		assert.Equal(t, want, codeIn(typed), typed)
	}
	for r := range unicode.MaxRune { // by their names in Unicode
		if !unicode.IsDigit(r) {
			continue
		}
		value := slices.IndexFunc(strings.Fields("ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE"), func(name string) bool {
			return strings.HasSuffix(runenames.Name(r), "DIGIT "+name)
		})
		require.Equal(t, strconv.Itoa(value), asciiDigits(string(r)), runenames.Name(r))
	}
}

// A number is read as people write it.
func TestE164(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"+12025550123": "+12025550123", "+1 (202) 555-0123": "+12025550123", "(202) 555-0123": "+12025550123", "202.555.0123": "+12025550123",
		"1-202-555-0123": "+12025550123", "0012025550123": "+12025550123", "011 1 202 555 0123": "+12025550123", "tel:+1-202-555-0123": "+12025550123",
		"TEL:2025550123": "+12025550123", "202\u2011555\u20110123": "+12025550123", "\u202a+1 202 555 0123\u202c": "+12025550123", "+1\u00a0202\u00a0555\u00a00123": "+12025550123",
		"＋１２０２５５５０１２３": "+12025550123", "۲۰۲۵۵۵۰۱۲۳": "+12025550123", "+1/202/555/0123": "+12025550123",
		"+44 (0)7911 123456": "+447911123456", "00 44 7911 123456": "+447911123456",
		"202·555·0123": "+12025550123", "202_555_0123": "+12025550123", "2025550123,": "+12025550123", "\"+12025550123\"": "+12025550123", "+1\t202\t555\t0123": "+12025550123",
		"202 555 0123 (mobile)": "+12025550123", "Mobile: 202-555-0123": "+12025550123", "202-555-0123 ext. 4": "+12025550123", "(+1) 202 555 0123": "+12025550123",
		"202 555 0123 / 202 555 0199": "", "07911 123456": "", "202 555 O123": "",
		"555 0123": "", "5550123": "", "②⓪②5550123": "", "②⓪②⑤⑤⑤⓪①②③": "", "2025550123²": "",
		"call me": "", "555": "", "+": "", "++1 202": "", strings.Repeat("1", 300): "",
	} {
		number, ok := e164(typed)
		assert.Equal(t, want, number, typed)
		assert.Equal(t, want != "", ok, typed)
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 seconds", 1: "1 second", time.Second: "1 second", 29500 * time.Millisecond: "30 seconds",
		90 * time.Second: "90 seconds", 91 * time.Second: "2 minutes", time.Hour: "60 minutes", 24 * time.Hour: "24 hours",
		math.MaxInt64: "2562048 hours",
	} {
		assert.Equal(t, want, inWords(seconds(d)))
	}
}
