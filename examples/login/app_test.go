package main

import (
	"context"
	"html"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// A testApp is an application that runs, with a fake Stytch.
type testApp struct {
	*app
	*httptest.Server
}

func newTestApp(t *testing.T, cooldown time.Duration) *testApp {
	t.Helper()
	return startTestApp(t, config{cooldown: cooldown, providers: noTelemetry()}, (*httptest.Server).Start)
}

func startTestApp(t *testing.T, c config, start func(*httptest.Server)) *testApp {
	t.Helper()
	c.fake = newFake()
	t.Cleanup(c.fake.Close)
	return serve(t, c, start)
}

// serve starts the application as it is configured.
func serve(t *testing.T, c config, start func(*httptest.Server)) *testApp {
	t.Helper()
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	a, err := newApp(c)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(a.handler())
	start(server)
	t.Cleanup(server.Close)
	return &testApp{a, server}
}

// A visitor is a browser without a screen.
type visitor struct {
	*testing.T
	app    *testApp
	client *http.Client
	header http.Header
}

func newVisitor(t *testing.T, app *testApp) *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := app.Client() // It trusts a TLS server's certificate.
	client = &http.Client{Transport: client.Transport, Jar: jar}
	return &visitor{t, app, client, http.Header{"Sec-Fetch-Site": {"same-origin"}}}
}

// do makes a request and returns the status and the text of the page it leads to.
func (v *visitor) do(method, path string, form url.Values) (int, string) {
	v.Helper()
	req, err := http.NewRequestWithContext(v.Context(), method, v.app.URL+path, strings.NewReader(form.Encode()))
	require.NoError(v, err)
	req.Header = v.header.Clone()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := v.client.Do(req)
	require.NoError(v, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(v, err)
	return resp.StatusCode, string(body)
}

// post sends a form and returns the page.
func (v *visitor) post(path string, fields ...string) string {
	v.Helper()
	status, page := v.do(http.MethodPost, path, formOf(fields))
	require.Equal(v, http.StatusOK, status, page)
	return page
}

// formOf makes a form of names and values in turn.
func formOf(fields []string) url.Values {
	form := url.Values{}
	for pair := range slices.Chunk(fields, 2) {
		form.Set(pair[0], pair[1])
	}
	return form
}

func (v *visitor) signIn(i int) string {
	v.Helper()
	return v.post("/sign-in", "member_id", v.app.fake.memberIDs[i])
}

var noticeElement = regexp.MustCompile(`<p id="notice"[^>]*>([^<]*)</p>`)

// noticeOf returns the notice on a page, or "".
func noticeOf(page string) string {
	if m := noticeElement.FindStringSubmatch(page); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

const (
	ada   = 0 // has a number
	grace = 1 // has none
)

// Each way in which Send can fail has its words.
func TestSendFailures(t *testing.T) {
	t.Parallel()
	apiError := func(status int, errorType stytchb2b.ErrorType) stytchtest.Fault {
		return stytchtest.Fault{StatusCode: status, ErrorType: errorType}
	}
	const (
		onItsWay = "Your code may be on its way. If it does not come in a minute, ask again."
		wait     = "Please wait 30 seconds before you ask for another code."
		failed   = "We could not send the code. Please try again."
		country  = "We cannot send codes to phone numbers of that country."
		number   = "We cannot send codes to that number. Enter a mobile number with its country code, such as +1 202 555 0123."
	)
	for _, tc := range []struct {
		name   string
		number string // that Grace enters; "" for Ada, who has one
		faults []stytchtest.Fault
		notice string
		title  string
		wait   string // of the button; "" where it is enabled
		sms    int
	}{
		{"reset after the SMS", "", []stytchtest.Fault{{Processed: true, Reset: true}}, onItsWay, "Enter your code", "60", 1},
		{"reset before the SMS", "", []stytchtest.Fault{{Reset: true}}, onItsWay, "Enter your code", "60", 0},
		{"503", "", []stytchtest.Fault{{StatusCode: 503}}, onItsWay, "Enter your code", "60", 0},
		{"503 for two minutes", "", []stytchtest.Fault{{StatusCode: 503, Header: http.Header{"Retry-After": {"120"}}}}, onItsWay, "Enter your code", "120", 0},
		{"a success that cannot be read", "", []stytchtest.Fault{{StatusCode: 200, Body: "<html>", Processed: true}}, onItsWay, "Enter your code", "60", 1},
		{"a rate limit", "", []stytchtest.Fault{{StatusCode: 429, Header: http.Header{"Retry-After": {"30"}}}}, wait, "Enter your code", "30", 0},
		{"a rate limit of centuries", "", []stytchtest.Fault{{StatusCode: 429, Header: http.Header{"Retry-After": {"99999999999999"}}}}, "Please wait 2562048 hours before you ask for another code.", "Enter your code", "9223372037", 0},
		{"a rate limit that does not say", "", []stytchtest.Fault{{StatusCode: 429}, {StatusCode: 429}, {StatusCode: 429}}, failed, "Enter your code", "", 0},
		{"refused", "", []stytchtest.Fault{apiError(400, "billing_not_verified")}, failed, "Enter your code", "", 0},
		{"a redirect", "", []stytchtest.Fault{{StatusCode: 307}}, onItsWay, "Enter your code", "60", 0},
		{"unsubscribed", "", []stytchtest.Fault{apiError(400, "unsubscribed_phone_number")}, "That phone has blocked our messages. Text START to our number, then ask again.", "Enter your code", "", 0},
		{"an expired sign-in", "", []stytchtest.Fault{apiError(404, "intermediate_session_not_found")}, "Your sign-in has expired. Please sign in again.", "Sign in", "", 0},

		{"no number", " ", nil, "You have no phone number yet. Enter one to get codes.", "Your phone number", "", 0},
		{"no digits", "call me", nil, number, "Your phone number", "", 0},
		{"no country code", "202 555 0123", nil, number, "Your phone number", "", 0},
		{"a premium rate", "+1 900 555 0123", nil, number, "Your phone number", "", 0},
		{"a number that Stytch does not take", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "invalid_phone_number")}, number, "Your phone number", "", 0},
		{"a country we do not serve", "+44 7911 123456", nil, country, "Your phone number", "", 0},
		{"Jamaica", "+1 876 555 0123", nil, country, "Your phone number", "", 0},
		{"a country Stytch does not serve", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "invalid_phone_number_country_code")}, country, "Your phone number", "", 0},
		{"somebody else's", "+1 202 555 0006", nil, "Somebody else uses that phone number. Enter your own.", "Your phone number", "", 0},
		{"another number already", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "duplicate_member_phone_number_for_member")}, "You have another phone number already. Ask for a code to that one.", "Enter your code", "", 0},
		{"a new number, unknown", "+1 202 555 0123", []stytchtest.Fault{{Processed: true, Reset: true}}, onItsWay, "Enter your code", "60", 1},
		{"a new number", "+1 (202) 555-0123", nil, "We have sent you a code.", "Enter your code", "30", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			app := newTestApp(t, 30*time.Second)
			v := newVisitor(t, app)
			var page string
			switch tc.number {
			case "":
				app.fake.Fail(tc.faults...)
				page = v.signIn(ada)
			default:
				require.Contains(t, v.signIn(grace), "<title>Your phone number")
				app.fake.Fail(tc.faults...)
				page = v.post("/number", "mfa_phone_number", tc.number)
			}
			assert.Equal(t, tc.notice, noticeOf(page))
			assert.Contains(t, page, "<title>"+tc.title)
			if tc.wait == "" {
				assert.NotContains(t, page, "data-wait")
			} else {
				assert.Contains(t, page, ` disabled data-wait="`+tc.wait+`"`)
			}
			assert.Len(t, app.fake.SMS(), tc.sms)
			_, again := v.do(http.MethodGet, "/", nil)
			assert.Empty(t, noticeOf(again), "a notice is shown once")
		})
	}
}

// A number that a Member has entered is theirs at the next sign-in.
func TestNumberIsKept(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	_, page := v.do(http.MethodGet, "/", nil)
	assert.Contains(t, page, "has no phone number yet")
	v.signIn(grace)
	v.post("/number", "mfa_phone_number", "+1 202 555 0123")
	assert.NotContains(t, v.post("/sign-out"), "has no phone number yet")
	assert.Contains(t, v.signIn(grace), "<title>Enter your code")
}

// The guard's cooldown is said, and nothing is sent in it.
func TestCooldown(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, 30*time.Second)
	v := newVisitor(t, app)
	page := v.signIn(ada)
	assert.Contains(t, page, "Enter the code we sent to <span class=\"number\">•••• 0006</span>")
	assert.Regexp(t, `Please wait (30|29) seconds before you ask for another code\.`, noticeOf(v.post("/resend")))
	other := newVisitor(t, app)
	assert.Regexp(t, `Please wait (30|29) seconds`, noticeOf(other.signIn(ada)), "in another browser too")
	assert.Contains(t, other.post("/code", "code", app.fake.SMS()[0].Code), "You are signed in", "with the code that there is")
	assert.Len(t, app.fake.SMS(), 1)
}

// The wait that the button shows holds for those who do not press it, also where
// it is longer than the guard's cooldown.
func TestForgedResend(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Millisecond)
	v := newVisitor(t, app)
	app.fake.Fail(stytchtest.Fault{Processed: true, Reset: true})
	assert.Contains(t, v.signIn(ada), `data-wait="60"`)
	assert.Regexp(t, `Please wait (60|59) seconds`, noticeOf(v.post("/resend")))
	assert.Len(t, app.fake.SMS(), 1)
	assert.Contains(t, v.post("/code", "code", app.fake.SMS()[0].Code), "You are signed in", "with the code that came after all")
}

// Each way in which Authenticate can fail has its words, and the code is good
// after those that did not use it.
func TestAuthenticateFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		code   string // "" for the right one
		before func(*testApp)
		fault  stytchtest.Fault
		notice string
		title  string
	}{
		{name: "right", title: "You are signed in"},
		{name: "wrong", code: "wrong", notice: "Enter the six digits of the code.", title: "Enter your code"},
		{name: "other digits", code: "0123456", notice: "That is not the code. Enter the one of the newest message.", title: "Enter your code"},
		{name: "expired", before: func(a *testApp) { a.fake.Advance(3 * time.Minute) }, notice: "That code has expired. Ask for a new one.", title: "Enter your code"},
		{name: "an expired sign-in", before: func(a *testApp) { a.fake.Advance(11 * time.Minute) }, notice: "Your sign-in has expired. Please sign in again.", title: "Sign in"},
		{name: "a rate limit", fault: stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}}, notice: "Please wait 60 minutes before you enter the code again.", title: "Enter your code"},
		{name: "refused", fault: stytchtest.Fault{StatusCode: 403, ErrorType: "organization_suspended"}, notice: "We could not check the code. Please enter it again.", title: "Enter your code"},
		{name: "unknown", fault: stytchtest.Fault{Processed: true, Reset: true}, notice: "We lost track of your code while we checked it. Please sign in again.", title: "Sign in"},
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
			if tc.code == "" {
				tc.code = right
			}
			page := v.post("/code", "code", tc.code)
			assert.Equal(t, tc.notice, noticeOf(page))
			assert.Contains(t, page, "<title>"+tc.title)
			if tc.title == "Enter your code" && tc.before == nil {
				assert.Contains(t, v.post("/code", "code", right), "You are signed in")
			}
		})
	}
}

// Nobody guesses a code: it can be entered five times, from whichever browser.
func TestTries(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, 100*time.Millisecond)
	v := newVisitor(t, app)
	v.signIn(ada)
	for range maxTries {
		assert.Equal(t, "That is not the code. Enter the one of the newest message.", noticeOf(v.post("/code", "code", "0123456")))
	}
	const tooOften = "That was not the code too often. Ask for a new one."
	requests := len(app.fake.Requests())
	right := app.fake.SMS()[0].Code
	assert.Equal(t, tooOften, noticeOf(v.post("/code", "code", right)))
	assert.Len(t, app.fake.Requests(), requests, "Stytch was not asked")

	// A sign-in that sends no new code has no new tries.
	app.fake.Fail(stytchtest.Fault{StatusCode: 400})
	other := newVisitor(t, app)
	other.signIn(ada)
	assert.Equal(t, tooOften, noticeOf(other.post("/code", "code", right)))

	require.Eventually(t, func() bool { // The guard's cooldown ends.
		v.post("/resend")
		return len(app.fake.SMS()) == 2
	}, time.Minute, 10*time.Millisecond)
	assert.Contains(t, v.post("/code", "code", app.fake.SMS()[1].Code), "You are signed in")
}

// The language of the SMS follows Accept-Language.
func TestLocale(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"":                        "en",
		"de-AT,de;q=0.9,en;q=0.5": "de-DE",
		"pt-BR":                   "pt-br",
		"pt-PT,pt;q=0.9":          "pt-br",
		"es-419":                  "es",
		"sv,fr;q=0.3":             "fr",
		"tlh":                     "en",
		"ca":                      "ca-ES",
		"zh-CN":                   "zh-Hans",
		"no such; q=header":       "en",
		"fr;q=0":                  "en",
	} {
		assert.EqualValues(t, want, locale(header), header)
	}
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.header.Set("Accept-Language", "de-CH")
	page := v.signIn(ada)
	require.Len(t, app.fake.SMS(), 1)
	assert.Equal(t, "de-DE", app.fake.SMS()[0].Locale)
	assert.Contains(t, page, `<li lang="de-DE">`)
}

// What a request cannot do.
func TestRefused(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, 30*time.Second)
	for _, tc := range []struct {
		name, method, path, site, body string
		status                         int
	}{
		{"another site's form", http.MethodPost, "/sign-in", "cross-site", "", 403},
		{"another subdomain's form", http.MethodPost, "/resend", "same-site", "", 403},
		{"a form that is too large", http.MethodPost, "/sign-in", "same-origin", "member_id=" + strings.Repeat("a", maxForm), 413},
		{"a malformed form", http.MethodPost, "/code", "same-origin", "code=%zz", 400},
		{"a form by GET", http.MethodGet, "/resend", "same-origin", "", 405},
		{"another page", http.MethodGet, "/admin", "none", "", 404},
		{"the folder of the assets", http.MethodGet, "/static/../pages.html", "none", "", 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequest(tc.method, app.URL+tc.path, strings.NewReader(tc.body))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Sec-Fetch-Site", tc.site)
			resp, err := app.Client().Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			assert.Equal(t, tc.status, resp.StatusCode)
			assert.Empty(t, resp.Cookies())
		})
	}
	assert.Empty(t, app.fake.SMS())
}

// Forms out of turn change nothing.
func TestOutOfTurn(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Millisecond)
	v := newVisitor(t, app)
	for _, path := range []string{"/resend", "/code", "/number", "/sign-out"} {
		assert.Contains(t, v.post(path, "code", "123456", "mfa_phone_number", "+12025550123"), "<title>Sign in", path)
	}
	assert.Equal(t, "Fill in all fields to sign in.", noticeOf(v.post("/sign-in")))
	assert.Equal(t, "Fill in all fields to sign in.", noticeOf(v.post("/sign-in", "organization_id", "o", "member_id", "m", "intermediate_session_token", " ")))
	assert.Empty(t, app.fake.Requests())
	assert.Contains(t, v.post("/fault", "fault", "no such"), "<title>Sign in")
}

func TestCookie(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		start  func(*httptest.Server)
		proxy  string
		secure bool
	}{
		"http":                      {(*httptest.Server).Start, "", false},
		"https":                     {(*httptest.Server).StartTLS, "", true},
		"http behind a TLS's proxy": {(*httptest.Server).Start, "https", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := startTestApp(t, config{cooldown: time.Minute, providers: noTelemetry()}, tc.start)
			var set []*http.Cookie
			v := newVisitor(t, app)
			v.header.Set("X-Forwarded-Proto", tc.proxy)
			v.client.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
				set = append(set, next.Response.Cookies()...)
				if tc.proxy != "" { // The jar does not send a Secure cookie to http.
					for _, c := range next.Response.Cookies() {
						next.AddCookie(c)
					}
				}
				return nil
			}
			_, _ = v.do(http.MethodGet, "/", nil)
			assert.Empty(t, set, "a visit is no reason for a cookie")
			v.signIn(ada)
			require.Len(t, set, 1)
			c := set[0]
			assert.True(t, c.HttpOnly)
			assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
			assert.Equal(t, tc.secure, c.Secure)
			assert.Equal(t, "/", c.Path)
			assert.GreaterOrEqual(t, len(c.Value), 26, "128 bits in base 32")
		})
	}
}

// An ID that was known before a sign-in, or before the code, is worth nothing
// after it; and after a sign-out neither.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	base, err := url.Parse(app.URL)
	require.NoError(t, err)
	sees := func(cookie *http.Cookie) string {
		other := newVisitor(t, app)
		other.client.Jar.SetCookies(base, []*http.Cookie{cookie})
		_, page := other.do(http.MethodGet, "/", nil)
		return regexp.MustCompile(`<title>(.*?) – `).FindStringSubmatch(page)[1]
	}
	cookie := func() *http.Cookie { return v.client.Jar.Cookies(base)[0] }

	v.post("/sign-in")
	stranger := cookie()
	v.signIn(ada)
	pending := cookie()
	assert.Equal(t, "Sign in", sees(stranger))
	assert.Equal(t, "Enter your code", sees(pending))
	v.post("/code", "code", app.fake.SMS()[0].Code)
	signedIn := cookie()
	assert.Equal(t, "Sign in", sees(pending))
	assert.Equal(t, "You are signed in", sees(signedIn))
	v.post("/sign-out")
	assert.Equal(t, "Sign in", sees(signedIn))
	assert.Equal(t, "Sign in", sees(&http.Cookie{Name: cookieName, Value: ""}))
}

// Many at once: a double click sends one SMS, and enters the code once.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	app.fake.Fail(stytchtest.Fault{StatusCode: 400}) // The first code is not sent.
	v.signIn(ada)
	together := func(path string, fields ...string) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				status, _ := v.do(http.MethodPost, path, formOf(fields))
				assert.Equal(t, 200, status)
			})
		}
		wg.Wait()
	}
	together("/resend")
	require.Len(t, app.fake.SMS(), 1)
	before := len(app.fake.Requests())
	together("/code", "code", app.fake.SMS()[0].Code)
	_, page := v.do(http.MethodGet, "/", nil)
	assert.Contains(t, page, "You are signed in")
	assert.Len(t, app.fake.Requests(), before+1)
}

// A request that the browser gives up leaves nothing unknown: the code is sent,
// and said.
func TestRequestGivenUp(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	app.fake.Fail(stytchtest.Fault{StatusCode: 400})
	v.signIn(ada)
	app.fake.Fail(stytchtest.Fault{Delay: 2 * time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, app.URL+"/resend", nil)
	require.NoError(t, err)
	given := make(chan error, 1)
	go func() {
		_, err := v.client.Do(req)
		given <- err
	}()
	require.Eventually(t, func() bool { return len(app.fake.Requests()) == 2 }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-given, context.Canceled)
	_, page := v.do(http.MethodGet, "/", nil) // It waits for the Send.
	assert.Equal(t, "We have sent you a code.", noticeOf(page))
	assert.Len(t, app.fake.SMS(), 1)
}

// There are only so many logins at a time.
func TestLoginsAreBounded(t *testing.T) {
	t.Parallel()
	var s logins
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := range 2*maxLogins + 1 {
		l := &login{state: state{memberID: "m"}}
		s.save(httptest.NewRecorder(), r, l)
		if i < 10 {
			l.expires = time.Now().Add(-time.Second)
		}
	}
	assert.LessOrEqual(t, len(s.byID), maxLogins)
	assert.Greater(t, len(s.byID), maxLogins/2)
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 seconds", 1: "1 second", time.Second: "1 second", 29500 * time.Millisecond: "30 seconds",
		90 * time.Second: "90 seconds", 91 * time.Second: "2 minutes", time.Hour: "60 minutes", 24 * time.Hour: "24 hours",
		math.MaxInt64: "2562048 hours",
	} {
		assert.Equal(t, want, inWords(d))
	}
}
