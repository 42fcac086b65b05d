package main

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/runenames"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// Stytch has sent the first code when the login begins. The login takes it from
// there.
func TestFirstSMS(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, 30*time.Second)
	v := newVisitor(t, app)
	page := v.signIn(ada)
	assert.Equal(t, "We have sent you a code.", noticeOf(page))
	assert.Contains(t, page, `Enter the code we sent to <span class="number">•••• 0106</span>`)
	assert.Regexp(t, `disabled data-wait="(30|29)"`, page)
	require.Len(t, app.fake.SMS(), 1)
	assert.True(t, app.fake.SMS()[0].Automatic)
	assert.Empty(t, app.fake.Requests(), "no Send was made")
	_, err := app.stytch.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: app.fake.OrganizationID, MemberID: app.fake.memberIDs[ada]})
	assert.ErrorIs(t, err, guard.ErrCooldown, "the guard was told")
	assert.Regexp(t, `Please wait (30|29) seconds before you request another code\.`, noticeOf(v.post("/resend")), "the cooldown is running")
	page = v.post("/code", "code", app.fake.SMS()[0].Code)
	assert.Equal(t, "You are signed in", titleOf(page))

	page = v.post("/sign-in", "member_id", app.fake.memberIDs[ada])
	assert.Equal(t, "You are signed in", titleOf(page), "with the session that there is")
	assert.Len(t, app.fake.SMS(), 1)

	v.post("/sign-out")
	page = v.signIn(ada)
	assert.Equal(t, "We have sent you a code.", noticeOf(page), "at once after a success, too")
	require.Len(t, app.fake.SMS(), 2)
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[1].Code)))
}

// The wait for another code doubles with each, as the guard has it, also with
// the first one that Stytch sends by itself. A right code ends that.
func TestWaits(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Second)
	v := newVisitor(t, app)
	v.signIn(ada)
	for _, wait := range []string{"2", "4"} {
		v.waitForButton()
		assert.Contains(t, v.post("/resend"), `disabled data-wait="`+wait+`"`)
	}
	v.post("/code", "code", app.fake.SMS()[2].Code)
	v.post("/sign-out")
	assert.Contains(t, v.signIn(ada), `disabled data-wait="1"`)
	v.waitForButton()
	assert.Equal(t, "We have sent you a code.", noticeOf(v.post("/resend")), "the guard has it so, too")
}

// A Member who needs no second factor, or whose device Stytch remembers, is
// signed in by the primary authentication.
func TestNoSecondFactor(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	page := v.signIn(alan)
	assert.Equal(t, "You are signed in", titleOf(page))
	assert.Empty(t, app.fake.SMS())
}

// To a Member whose default is an authenticator app Stytch sends no code by
// itself. The login does.
func TestNotInitiated(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	m, err := app.fake.AddMember(stytchtest.Member{
		MFAPhoneNumber: "+12025550177", MFAEnrolled: true, TOTP: true, DefaultMFAMethod: "totp",
	})
	require.NoError(t, err)
	v := newVisitor(t, app)
	app.fake.Fail(stytchtest.Fault{StatusCode: 400})
	page := v.post("/sign-in", "member_id", m.MemberID)
	assert.Equal(t, "We could not send the code. Please try again.", noticeOf(page))
	assert.Contains(t, page, "We have not sent you a code yet.")
	assert.NotContains(t, page, `name="code"`)
	assert.Contains(t, page, `<button id="resend" class="primary">Send me a code</button>`)
	assert.Equal(t, "We have sent you a code.", noticeOf(v.post("/resend")))
	require.Len(t, app.fake.SMS(), 1)
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
}

// A Member without a number enters one, which is theirs at the next sign-in.
func TestNumberIsKept(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	page := v.signIn(grace)
	assert.Equal(t, "Add your phone number", titleOf(page))
	assert.Empty(t, noticeOf(page))
	assert.Empty(t, app.fake.Requests())
	assert.Contains(t, v.post("/number", "mfa_phone_number", "(202) 555-0123"), "•••• 0123")
	v.post("/sign-out")
	assert.Equal(t, "Enter your code", titleOf(v.signIn(grace)))
}

// The page says where a code went, if the answer does not, too.
func TestAnswerWithoutMember(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Second)
	v := newVisitor(t, app)
	v.signIn(grace)
	answer := stytchtest.Fault{Processed: true, StatusCode: 200, Body: `{"status_code": 200, "request_id": "request-id-test-1", "member_id": "member-test-1"}`}
	app.fake.Fail(answer)
	assert.Contains(t, v.post("/number", "mfa_phone_number", "2025550123"), "•••• 0123")
	v.waitForButton()
	app.fake.Fail(answer)
	page := v.post("/resend")
	assert.Equal(t, "We have sent you a code.", noticeOf(page))
	assert.Contains(t, page, "•••• 0123")
}

// Each way in which Send can fail has its words.
func TestSendFailures(t *testing.T) {
	t.Parallel()
	apiError := func(status int, errorType stytchb2b.ErrorType) stytchtest.Fault {
		return stytchtest.Fault{StatusCode: status, ErrorType: errorType}
	}
	const (
		onItsWay = "Your code may be on its way. If it does not arrive within a minute, request another one."
		failed   = "We could not send the code. Please try again."
		country  = "We cannot send codes to phone numbers in that country."
		locked   = "Your account is locked after too many failed attempts. Please try again later."
		code     = "Enter your code"
		number   = "Error: Add your phone number"
	)
	for _, tc := range []struct {
		name   string
		number string // that Grace enters; "" for Ada, who requests a new code
		faults []stytchtest.Fault
		notice string
		title  string
		wait   string // of the button; "" where it is enabled
		sms    int
	}{
		{"reset after the SMS", "", []stytchtest.Fault{{Processed: true, Reset: true}}, onItsWay, code, "60", 1},
		{"reset before the SMS", "", []stytchtest.Fault{{Reset: true}}, onItsWay, code, "60", 0},
		{"503", "", []stytchtest.Fault{{StatusCode: 503}}, onItsWay, code, "60", 0},
		{"503 for two minutes", "", []stytchtest.Fault{{StatusCode: 503, Header: http.Header{"Retry-After": {"120"}}}}, onItsWay, code, "120", 0},
		{"a success that cannot be read", "", []stytchtest.Fault{{StatusCode: 200, Body: "<html>", Processed: true}}, onItsWay, code, "60", 1},
		{"a rate limit", "", []stytchtest.Fault{{StatusCode: 429, Header: http.Header{"Retry-After": {"30"}}}}, "Please wait 30 seconds before you request another code.", "Error: " + code, "30", 0},
		{"a rate limit of centuries", "", []stytchtest.Fault{{StatusCode: 429, Header: http.Header{"Retry-After": {"99999999999999"}}}}, "Please wait 24 hours before you request another code.", "Error: " + code, "86400", 0},
		{"a rate limit that does not say", "", []stytchtest.Fault{{StatusCode: 429}, {StatusCode: 429}, {StatusCode: 429}}, failed, "Error: " + code, "", 0},
		{"refused", "", []stytchtest.Fault{apiError(400, "billing_not_verified")}, failed, "Error: " + code, "", 0},
		{"a redirect", "", []stytchtest.Fault{{StatusCode: 307}}, onItsWay, code, "60", 0},
		{"unsubscribed", "", []stytchtest.Fault{apiError(400, "unsubscribed_phone_number")}, "That phone has blocked our messages. Reply START to our last message, then request another code.", "Error: " + code, "", 0},
		{"locked", "", []stytchtest.Fault{apiError(429, "user_lock_limit_reached")}, locked, "Error: " + code, "", 0},
		{"an expired sign-in", "", []stytchtest.Fault{apiError(404, "intermediate_session_not_found")}, "Your sign-in has expired. Please sign in again.", "Error: Sign in", "", 0},

		{"no number", " ", nil, "Enter your mobile phone number.", number, "", 0},
		{"no digits", "call me", nil, badNumber, number, "", 0},
		{"a premium rate", "+1 900 555 0123", nil, badNumber, number, "", 0},
		{"a number that Stytch does not take", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "invalid_phone_number")}, badNumber, number, "", 0},
		{"a country we do not serve", "+44 7911 123456", nil, country, number, "", 0},
		{"Jamaica", "+1 876 555 0123", nil, country, number, "", 0},
		{"a country Stytch does not serve", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "invalid_phone_number_country_code")}, country, number, "", 0},
		{"someone else's", "+1 202 555 0106", nil, "Someone else uses that phone number. Enter your own.", number, "", 0},
		{"another number already", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "duplicate_member_phone_number_for_member")}, "You already have another phone number. Request a code to that one.", "Error: " + code, "", 0},
		{"a new number, unknown", "+1 202 555 0123", []stytchtest.Fault{{Processed: true, Reset: true}}, onItsWay, code, "60", 1},
		{"a new number", "+1 (202) 555-0123", nil, "We have sent you a code.", code, "30", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cooldown, who := time.Millisecond, ada
			if tc.number != "" {
				cooldown, who = 30*time.Second, grace
			}
			app := newTestApp(t, cooldown)
			v := newVisitor(t, app)
			v.signIn(who)
			v.waitForButton()
			before := len(app.fake.SMS())
			app.fake.Fail(tc.faults...)
			var page string
			if tc.number == "" {
				page = v.post("/resend")
			} else {
				page = v.post("/number", "mfa_phone_number", tc.number)
			}
			assert.Equal(t, tc.notice, noticeOf(page))
			assert.Equal(t, tc.title, titleOf(page))
			if tc.title == number && tc.number != " " {
				assert.Contains(t, page, `value="`+strings.ReplaceAll(tc.number, "+", "&#43;")+`" aria-describedby="number-help error" aria-invalid="true"`)
			}
			if tc.wait == "" {
				assert.NotContains(t, page, "disabled data-wait")
			} else {
				assert.Contains(t, page, ` disabled data-wait="`+tc.wait+`"`)
			}
			if tc.wait == "86400" {
				assert.Contains(t, page, "<span>in 24 hours</span>")
			}
			assert.Len(t, app.fake.SMS(), before+tc.sms)
			assert.Empty(t, noticeOf(v.look()), "a notice is shown once")
		})
	}
}

// Each way in which Authenticate can fail has its words, and the code is good
// after those that did not use it.
func TestAuthenticateFailures(t *testing.T) {
	t.Parallel()
	const (
		code   = "Error: Enter your code"
		signIn = "Error: Sign in"
	)
	for _, tc := range []struct {
		name   string
		code   string // "" for the right one
		before func(*testApp)
		fault  stytchtest.Fault
		notice string
		title  string
	}{
		{name: "right", title: "You are signed in"},
		{name: "no digits", code: "wrong", notice: "Enter the six digits of the code.", title: code},
		{name: "five digits", code: "12345", notice: "Enter the six digits of the code.", title: code},
		{name: "wrong", code: "000000", notice: "That code is incorrect. Enter the code from the newest message.", title: code},
		{name: "expired", before: func(a *testApp) { a.fake.Advance(3 * time.Minute) }, notice: "That code has expired or was already used. Request a new one.", title: code},
		{name: "an expired sign-in", before: func(a *testApp) { a.fake.Advance(11 * time.Minute) }, notice: "Your sign-in has expired. Please sign in again.", title: signIn},
		{name: "a rate limit", fault: stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}}, notice: "Please wait 60 minutes before you enter the code again.", title: code},
		{name: "locked", fault: stytchtest.Fault{StatusCode: 429, ErrorType: "user_lock_limit_reached"}, notice: "Your account is locked after too many failed attempts. Please try again later.", title: code},
		{name: "refused", fault: stytchtest.Fault{StatusCode: 403, ErrorType: "organization_suspended"}, notice: "We could not check the code. Please enter it again.", title: code},
		{name: "unknown", fault: stytchtest.Fault{Processed: true, Reset: true}, notice: "We lost track of your code while checking it. Please sign in again.", title: signIn},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			app := newTestApp(t, 30*time.Second)
			v := newVisitor(t, app)
			v.signIn(ada)
			right := app.fake.SMS()[0].Code
			if tc.before != nil {
				tc.before(app)
			}
			app.fake.Fail(tc.fault)
			typed := tc.code
			if typed == "" {
				typed = right
			}
			page := v.post("/code", "code", typed)
			assert.Equal(t, tc.notice, noticeOf(page))
			assert.Equal(t, tc.title, titleOf(page))
			if tc.title == code {
				assert.Contains(t, page, `value="`+typed+`"`)
			}
			if tc.title == code && tc.before == nil {
				assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", right)))
			}
		})
	}
}

// Nobody guesses a code: five wrong ones can be entered, from whichever browser,
// and nothing else counts.
func TestTries(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Millisecond)
	v := newVisitor(t, app)
	v.signIn(ada)
	right := app.fake.SMS()[0].Code
	for range maxWrongCodes {
		app.fake.Fail(stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}})
		assert.Equal(t, "Please wait 60 minutes before you enter the code again.", noticeOf(v.post("/code", "code", right)))
		assert.Equal(t, "Enter the six digits of the code.", noticeOf(v.post("/code", "code", "12345")))
	}
	for range maxWrongCodes - 1 {
		assert.Equal(t, "That code is incorrect. Enter the code from the newest message.", noticeOf(v.post("/code", "code", "000000")))
	}
	const tooMany = "Too many incorrect codes. Request a new one."
	page := v.post("/code", "code", "000000")
	assert.Equal(t, tooMany, noticeOf(page))
	assert.NotContains(t, page, `name="code"`)
	assert.Regexp(t, `(?s)</h1>.*?<button id="resend" class="primary">Request a new code</button>`, page)
	requests := len(app.fake.Requests())
	assert.Equal(t, tooMany, noticeOf(v.post("/code", "code", right)))
	assert.Len(t, app.fake.Requests(), requests, "Stytch was not asked")
	v.waitForButton()
	assert.Contains(t, v.signIn(ada), `name="code"`, "Stytch has sent another code")
	v.waitForButton()
	assert.Equal(t, "We have sent you a code.", noticeOf(v.post("/resend")))
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[2].Code)))
}

// Stytch locks a Member after ten wrong codes. They are told so, at each step.
func TestLocked(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Millisecond)
	v := newVisitor(t, app)
	for range 10 / maxWrongCodes {
		v.signIn(ada)
		for range maxWrongCodes {
			v.post("/code", "code", "000000")
		}
	}
	const locked = "Your account is locked after too many failed attempts. Please try again later."
	v.waitForButton()
	assert.Equal(t, locked, noticeOf(v.post("/resend")))
	v.post("/sign-out")
	assert.Equal(t, locked, noticeOf(v.signIn(ada)))
	assert.Equal(t, "Error: Sign in", titleOf(v.signIn(ada)))
	assert.Len(t, app.fake.SMS(), 2)
}

// Forms out of turn change nothing, and say why.
func TestOutOfTurn(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	for _, path := range []string{"/resend", "/code", "/number"} {
		page := v.post(path, "code", "123456", "mfa_phone_number", "+12025550123")
		assert.Equal(t, "Your sign-in has expired. Please sign in again.", noticeOf(page), path)
		assert.Equal(t, "Error: Sign in", titleOf(page), path)
	}
	assert.Equal(t, "Sign in", titleOf(v.post("/sign-out")))
	assert.Equal(t, "We could not sign you in. Please check what you entered.", noticeOf(v.post("/sign-in", "member_id", "nobody")))
	assert.Empty(t, app.fake.Requests())
	assert.Empty(t, v.token(), "a stranger gets no session")

	v.signIn(ada)
	first := v.pageID
	assert.Equal(t, "We already have your phone number.", noticeOf(v.post("/number", "mfa_phone_number", "+12025550123")))
	v.signIn(grace) // in another tab
	assert.Equal(t, "Enter your phone number first.", noticeOf(v.post("/code", "code", "123456")))
	v.pageID = first
	assert.Equal(t, "You have started another sign-in since then. Continue with it here.", noticeOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
	v.signIn(alan)
	v.pageID = first
	assert.Equal(t, "You are already signed in.", noticeOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
	assert.Empty(t, app.fake.Requests())
}

// The language of the SMS is one that its reader can read, or English.
func TestLocale(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		// as Chrome, Firefox and Safari send them
		"zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7":             "en",
		"zh-TW,zh;q=0.8,en-US;q=0.5,en;q=0.3":             "en",
		"zh-TW,zh-Hant;q=0.9":                             "en",
		"zh-HK,zh;q=0.9,en;q=0.8":                         "en",
		"zh-MO,zh;q=0.9,pt-PT;q=0.8,pt;q=0.7":             "pt-br",
		"zh-Hant-TW,zh-Hant;q=0.9,zh;q=0.8,ja;q=0.7":      "ja",
		"zh-TW,zh;q=0.9,zh-CN;q=0.8,en;q=0.7":             "zh-Hans",
		"zh-CN,zh;q=0.9":                                  "zh-Hans",
		"zh-CN,zh;q=0.9,zh-TW;q=0.8,zh-HK;q=0.7,en;q=0.6": "zh-Hans",
		"zh-CN,zh-Hans;q=0.9":                             "zh-Hans",
		"zh-SG,zh;q=0.9,en-SG;q=0.8,en;q=0.7":             "zh-Hans",
		"zh,en-US;q=0.9,en;q=0.8":                         "zh-Hans",
		"zh;q=0.9,zh-TW":                                  "en",
		"yue-HK,zh-HK;q=0.9,zh;q=0.8":                     "en",
		"pt-PT,pt;q=0.9,en-US;q=0.8,en;q=0.7":             "pt-br",
		"pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7":             "pt-br",
		"de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7":             "de-DE",
		"de,en-US;q=0.7,en;q=0.3":                         "de-DE",
		"ca,es;q=0.9,en;q=0.8":                            "ca-ES",
		"ca-ES-valencia,ca;q=0.9,es;q=0.8":                "ca-ES",
		"es-419,es;q=0.9,en;q=0.8":                        "es",
		"es-MX,es;q=0.8,en-US;q=0.5,en;q=0.3":             "es",
		"en-GB,en-US;q=0.9,en;q=0.8":                      "en",
		"en-GB,en;q=0.9,fr;q=0.8":                         "en",
		"fr-CA,fr-FR;q=0.9":                               "fr",
		"sr-Latn-RS,sr;q=0.9,hr;q=0.8,en;q=0.7":           "en",
		"nb-NO,nb;q=0.9,no;q=0.8,nn;q=0.7,de;q=0.6":       "de-DE",
		"fa-IR,fa;q=0.9,en-US;q=0.8,en;q=0.7":             "fa",
		"uk-UA,uk;q=0.9,ru;q=0.8,en-US;q=0.7,en;q=0.6":    "ru",

		// with a part that is malformed or names no language
		"es-ES,es;q=0.8,chrome://global/locale/intl.properties;q=0.5": "es",
		"zh-CHS, zh-CN;q=0.9":        "zh-Hans",
		"fr-FR,fr;q=0.8,sr-SP;q=0.5": "fr",

		"ru-Latn,ru;q=0.9": "en", "ru-Latn,ru-RU;q=0.9": "ru", "zh_TW,zh;q=0.9": "en",
		"ar": "en", "uk": "en", "bg": "en", "sr": "en", "kk": "en", "mn": "en", "ur": "en", "nb": "en", "fa-AF": "fa", "nl-BE": "nl", "ja-JP": "ja",
		"sv,fr;q=0.3": "fr", "en,fr;q=0.9": "en", "fr;q=0.2,it": "it",
		"": "en", "tlh": "en", "no such; q=header": "en", "fr;q=0": "en", "*": "en", "de,*;q=0.5": "de-DE",
	} {
		assert.EqualValues(t, want, locale(header), header)
	}
}

// Stytch may have no text in a language any more. Then the SMS is in English.
func TestUnknownLocale(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.header.Set("Accept-Language", "de-CH")
	v.signIn(grace)
	app.fake.Fail(stytchtest.Fault{StatusCode: 400, ErrorType: "invalid_locale"})
	assert.Equal(t, "We have sent you a code.", noticeOf(v.post("/number", "mfa_phone_number", "2025550123")))
	require.Len(t, app.fake.SMS(), 1)
	assert.Equal(t, "en", app.fake.SMS()[0].Locale)
	assert.Contains(t, app.fake.Requests()[0].Body, `"locale":"de-DE"`)
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

// What a request cannot do is said on a page.
func TestErrorPages(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, 30*time.Second)
	for _, tc := range []struct {
		name, method, path, site, body string
		status                         int
		says                           string
	}{
		{"another site's form", http.MethodPost, "/sign-in", "cross-site", "", 403, "This form did not come from our site."},
		{"another subdomain's form", http.MethodPost, "/resend", "same-site", "", 403, "This form did not come from our site."},
		{"a form that is too large", http.MethodPost, "/sign-in", "same-origin", "member_id=" + strings.Repeat("a", maxForm), 413, "Form too large"},
		{"a malformed form", http.MethodPost, "/code", "same-origin", "code=%zz", 400, "Something is missing"},
		{"a form by PUT", http.MethodPut, "/resend", "same-origin", "", 404, "There is no page at this address."},
		{"a form to the page", http.MethodPost, "/", "same-origin", "", 404, "There is no page at this address."},
		{"another page", http.MethodGet, "/admin", "none", "", 404, "There is no page at this address."},
		{"outside the assets", http.MethodGet, "/static/pages.html", "none", "", 404, "There is no page at this address."},
		{"the list of the assets", http.MethodGet, "/static/", "none", "", 404, "There is no page at this address."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := newVisitor(t, app)
			v.header.Set("Sec-Fetch-Site", tc.site)
			req, err := http.NewRequest(tc.method, app.URL+tc.path, strings.NewReader(tc.body))
			require.NoError(t, err)
			req.Header = v.header
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp, err := v.client.Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			page := bodyOf(t, resp)
			assert.Equal(t, tc.status, resp.StatusCode)
			assert.Contains(t, page, tc.says)
			assert.Contains(t, page, `<a href="/">`)
			assert.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
			assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
			assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
			assert.Empty(t, resp.Cookies())
		})
	}
	assert.Empty(t, app.fake.SMS())
}

// A browser that asks for the address of a form gets the page.
func TestFormAddresses(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.signIn(ada)
	for _, path := range []string{"/sign-in", "/number", "/resend", "/code", "/sign-out"} {
		status, _ := v.do(http.MethodHead, path, nil)
		assert.Equal(t, http.StatusOK, status, path)
		status, page := v.do(http.MethodGet, path, nil)
		assert.Equal(t, http.StatusOK, status, path)
		assert.Equal(t, "Enter your code", titleOf(page), path)
	}
	assert.Empty(t, app.fake.Requests())
}

// A browser that keeps no cookies, such as Safari on plain http, is told so.
func TestNoCookies(t *testing.T) {
	t.Parallel()
	v := newVisitor(t, newTestApp(t, time.Minute))
	jar := v.client.Jar
	v.client.Jar = nil
	const noCookies = "Your sign-in has expired, or your browser does not accept our cookies. Please sign in again."
	page := v.signIn(ada)
	assert.Equal(t, noCookies, noticeOf(page))
	assert.Equal(t, "Error: Sign in", titleOf(page))
	v.client.Jar = jar
	assert.Empty(t, noticeOf(v.look()))
	assert.Equal(t, "We have sent you a code.", noticeOf(v.signIn(ada)))
	_, page = v.do(http.MethodGet, "/?session", nil)
	assert.Empty(t, noticeOf(page))
	_, page = v.do(http.MethodGet, "/?utm_source=a;b=%zz", nil)
	assert.Equal(t, "Enter your code", titleOf(page))
}

// What makes a cookie safe is there by itself, whatever a proxy says.
func TestCookies(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		app := startApp(t, config{cooldown: time.Minute, plainHTTP: plain}, (*httptest.Server).StartTLS)
		v := newVisitor(t, app)
		var set []*http.Cookie
		v.client.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
			set = next.Response.Cookies()
			assert.Equal(t, !plain, next.Response.Header.Get("Strict-Transport-Security") != "")
			return nil
		}
		v.signIn(ada)
		require.Len(t, set, 2)
		for i, name := range []string{"login", "notice"} {
			c := set[i]
			if !plain {
				name = "__Host-" + name
			}
			assert.Equal(t, name, c.Name)
			assert.Equal(t, !plain, c.Secure)
			assert.True(t, c.HttpOnly)
			assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
			assert.Equal(t, "/", c.Path)
			assert.Empty(t, c.Domain)
			assert.NoError(t, c.Valid())
		}
		assert.GreaterOrEqual(t, len(set[0].Value), 43, "256 bits")
		_, found, err := app.store.FindCtx(t.Context(), set[0].Value)
		require.NoError(t, err)
		assert.False(t, found, "the store holds a hash of it, and a cookie names no other value there")
	}
}

// The log has each call and its failures, and nothing that opens a session or
// names a person.
func TestLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer // Its handler writes one record at a time.
	app := startApp(t, config{
		cooldown: time.Millisecond,
		logger:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, (*httptest.Server).StartTLS)
	v := newVisitor(t, app)
	v.signIn(grace)
	hidden := []string{app.fake.Secret, v.token(), "5550123", "8765550123", "grace@example.com", "Grace"}
	v.post("/number", "mfa_phone_number", "+1 876 555 0123")
	v.post("/number", "mfa_phone_number", "(202) 555-0123")
	app.fake.Fail(stytchtest.Fault{Processed: true, Reset: true})
	v.waitForButton()
	v.post("/resend")
	sms := app.fake.SMS()
	v.post("/code", "code", "000000")
	hidden = append(hidden, v.token())
	_, l, err := app.loadLogin(t.Context(), v.token())
	require.NoError(t, err)
	hidden = append(hidden, l.IntermediateSessionToken)
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", sms[1].Code)))
	_, l, err = app.loadLogin(t.Context(), v.token())
	require.NoError(t, err)
	hidden = append(hidden, v.token(), l.SignedIn.SessionToken)
	app.Server.Close() // No handler writes any more.

	assert.Contains(t, log.String(), "otp_code_not_found")
	assert.Contains(t, log.String(), "an SMS may have been sent")
	for _, secret := range hidden {
		require.NotEmpty(t, secret)
		assert.NotContains(t, log.String(), secret)
	}
	for _, m := range sms { // By chance, its digits may be in a time or an ID.
		assert.NotRegexp(t, `[^\w.-]`+m.Code+`[^\w-]`, log.String())
	}
}

// HEAD does not eat the notice.
func TestHead(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.look()
	v.once("/sign-in", v.form([]string{"member_id", app.fake.memberIDs[ada]}))
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	_, _ = v.do(http.MethodPost, "/sign-in", v.form([]string{"member_id", app.fake.memberIDs[ada]}))
	_, _ = v.do(http.MethodHead, "/", nil)
	assert.Equal(t, "We have sent you a code.", noticeOf(v.look()))
}

// While a Send is slow, other requests see the page; and when the browser has
// given up, the code is sent all the same, and is there.
func TestSlowSend(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.signIn(grace)
	app.fake.Fail(stytchtest.Fault{Delay: 500 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, app.URL+"/number", strings.NewReader("mfa_phone_number=2025550123"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	given := make(chan error, 1)
	go func() {
		_, err := v.client.Do(req)
		given <- err
	}()
	require.Eventually(t, func() bool { return len(app.fake.SMS()) == 1 }, time.Minute, time.Millisecond)
	assert.Equal(t, "Add your phone number", titleOf(v.look()), "at once")
	assert.Empty(t, given, "the form has no answer yet")
	cancel()
	require.ErrorIs(t, <-given, context.Canceled)
	require.Eventually(t, func() bool { return titleOf(v.look()) == "Enter your code" }, time.Minute, 10*time.Millisecond)
	assert.Contains(t, v.look(), "•••• 0123", "the Send was successful")
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
	assert.Len(t, app.fake.SMS(), 1)
}

// A watchedStore tells of each lock before it is waited for.
type watchedStore struct {
	store
	wanted chan string
}

func (s watchedStore) lock(ctx context.Context, key string) (func(), error) {
	s.wanted <- key
	return s.store.lock(ctx, key)
}

// That a browser gives up while its form waits for another is no error.
func TestBrowserGone(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer // Its handler writes one record at a time.
	store := watchedStore{newMemoryStore(), make(chan string, 10)}
	app := startApp(t, config{
		cooldown: time.Minute,
		store:    store,
		logger:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, (*httptest.Server).StartTLS)
	v := newVisitor(t, app)
	v.signIn(ada)
	key := hash("browser", v.token())
	unlock, err := store.store.lock(t.Context(), key)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, app.URL+"/resend", nil)
	require.NoError(t, err)
	go func() {
		for <-store.wanted != key {
		}
		cancel()
	}()
	_, err = v.client.Do(req)
	require.ErrorIs(t, err, context.Canceled)
	app.Server.Close() // No handler writes any more.
	unlock()
	assert.Contains(t, log.String(), "level=DEBUG msg=request method=POST path=/resend error=\"context canceled\"")
	assert.NotContains(t, log.String(), "level=ERROR")
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
