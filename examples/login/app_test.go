package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// Stytch has sent the first code when the login begins. The login takes it from
// there. A sign-in that comes too soon after it sends no SMS, and this login goes on.
func TestFirstSMS(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v, stranger := newVisitor(t, app), newVisitor(t, app)
	page := v.signIn(ada)
	assert.Equal(t, "We have sent you a code.", noticeOf(page))
	assert.Contains(t, page, `Enter the code we sent to <span class="number">•••• 0106</span>`)
	assert.Regexp(t, `disabled data-wait="(60|5\d)">Request a new code <span>in (60|5\d) seconds</span>`, page)
	assert.Empty(t, app.fake.Requests(), "no Send was made")

	const wait = `^Please wait (60|5\d) seconds before you try again\.$`
	assert.Regexp(t, wait, noticeOf(v.post("/resend")))
	assert.Equal(t, "Error: Enter your code", titleOf(v.signIn(ada)))
	page = stranger.signIn(ada)
	assert.Equal(t, "Error: Sign in", titleOf(page))
	assert.Regexp(t, wait, noticeOf(page))
	require.Len(t, app.fake.SMS(), 1)
	assert.True(t, app.fake.SMS()[0].Automatic)
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
}

// The wait for another code doubles with each, as the guard has it, also with the
// first one, which Stytch sends automatically. A right code ends that. A notice to wait
// disappears with the wait.
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

	w := httptest.NewRecorder()
	app.showLogin(w, &login{}, notice{Text: "Please wait %s.", Until: time.Now()})
	assert.Empty(t, noticeOf(w.Body.String()), "the wait is over")
}

// Stytch sends no automatic code to a Member whose default is an authenticator app.
// The login does.
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
	assert.Equal(t, "Something went wrong on our side. Please try again later.", noticeOf(page))
	assert.Contains(t, page, "We have not sent you a code yet.")
	assert.NotContains(t, page, `name="code"`)
	assert.Contains(t, page, `<button id="resend" class="primary">Send me a code</button>`)
	assert.Equal(t, "We have sent you a code.", noticeOf(v.post("/resend")))
	require.Len(t, app.fake.SMS(), 1)
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
}

// Each way in which a call can fail has its words. A code is good after a failure that
// did not use it.
func TestFailures(t *testing.T) {
	t.Parallel()
	apiError := func(status int, errorType stytchb2b.ErrorType) []stytchtest.Fault {
		return []stytchtest.Fault{{StatusCode: status, ErrorType: errorType}}
	}
	wait := func(status int, seconds string) []stytchtest.Fault {
		return []stytchtest.Fault{{StatusCode: status, Header: http.Header{"Retry-After": {seconds}}}}
	}
	later := func(d time.Duration) func(*testApp) { return func(a *testApp) { a.fake.Advance(d) } }
	lost := []stytchtest.Fault{{Processed: true, Reset: true}}
	const (
		sent     = "We have sent you a code."
		onItsWay = "Your code may be on its way. If it does not arrive within a minute, request another one."
		failed   = "Something went wrong on our side. Please try again later."
		country  = "We cannot send codes to phone numbers in that country."
		locked   = "Your account is locked after too many failed attempts. Please try again later."
		expired  = "Your sign-in has expired. Please sign in again."
		sixOnly  = "Enter the six digits of the code."
		code     = "Enter your code"
		number   = "Error: Add your phone number"
		signIn   = "Error: Sign in"
	)
	for _, tc := range []struct {
		name   string
		path   string // Ada requests or enters a code, and Grace enters a number.
		typed  string // "right" for the right code
		before func(*testApp)
		faults []stytchtest.Fault
		notice string
		title  string
		wait   string // of the button; "" where it is enabled
		sms    int
	}{
		{name: "reset after the SMS", path: "/resend", faults: lost, notice: onItsWay, title: code, wait: "60", sms: 1},
		{name: "503 for two minutes", path: "/resend", faults: wait(503, "120"), notice: onItsWay, title: code, wait: "120"},
		{name: "a rate limit", path: "/resend", faults: wait(429, "30"), notice: "Please wait 30 seconds before you try again.", title: "Error: " + code, wait: "30"},
		{name: "a rate limit that does not say", path: "/resend", faults: slices.Repeat(apiError(429, ""), 3), notice: "Please wait 60 seconds before you try again.", title: "Error: " + code, wait: "60"},
		{name: "refused", path: "/resend", faults: apiError(400, "billing_not_verified"), notice: failed, title: "Error: " + code},
		{name: "unsubscribed", path: "/resend", faults: apiError(400, "unsubscribed_phone_number"), notice: "That phone has blocked our messages. Reply START to our last message, then request another code.", title: "Error: " + code},
		{name: "locked", path: "/resend", faults: apiError(429, "user_lock_limit_reached"), notice: locked, title: "Error: " + code},
		{name: "a number that Stytch does not have any more", path: "/resend", faults: apiError(400, "missing_sms_parameter"), title: "Add your phone number"},
		{name: "an expired sign-in", path: "/resend", before: later(11 * time.Minute), notice: expired, title: signIn},

		{name: "no number", path: "/number", typed: " ", notice: badNumber, title: number},
		{name: "a premium rate", path: "/number", typed: "+1 900 555 0123", notice: badNumber, title: number},
		{name: "a country we do not serve", path: "/number", typed: "+44 7911 123456", notice: country, title: number},
		{name: "a country Stytch does not serve", path: "/number", typed: "+1 202 555 0123", faults: apiError(400, "invalid_phone_number_country_code"), notice: country, title: number},
		{name: "someone else's", path: "/number", typed: "+1 202 555 0106", notice: "Someone else uses that phone number. Enter your own.", title: number},
		{name: "another number already", path: "/number", typed: "+1 202 555 0123", faults: apiError(400, "duplicate_member_phone_number_for_member"), notice: "You already have another phone number. Request a code to that one.", title: "Error: " + code},
		{name: "a new number, unknown", path: "/number", typed: "+1 202 555 0123", faults: lost, notice: onItsWay, title: code, wait: "60", sms: 1},
		{name: "an answer without the Member", path: "/number", typed: "+1 202 555 0123", faults: []stytchtest.Fault{{Processed: true, StatusCode: 200, Body: `{"status_code": 200, "request_id": "request-id-test-1"}`}}, notice: sent, title: code, wait: "30", sms: 1},
		{name: "a language that Stytch does not have any more", path: "/number", typed: "+1 202 555 0123", faults: apiError(400, "invalid_locale"), notice: sent, title: code, wait: "30", sms: 1},

		{name: "five digits", path: "/code", typed: "12345", notice: sixOnly, title: "Error: " + code},
		{name: "wrong", path: "/code", typed: "000000", notice: "That code is incorrect. Enter the code from the newest message.", title: "Error: " + code},
		{name: "an expired code", path: "/code", typed: "right", before: later(3 * time.Minute), notice: "That code has expired or was already used. Request a new one.", title: "Error: " + code},
		{name: "a code of an expired sign-in", path: "/code", typed: "right", before: later(11 * time.Minute), notice: expired, title: signIn},
		{name: "a rate limit of codes", path: "/code", typed: "right", faults: wait(429, "3600"), notice: "Please wait 60 minutes before you try again.", title: "Error: " + code},
		{name: "a code that is lost", path: "/code", typed: "right", faults: lost, notice: "We lost track of your code while checking it. Please sign in again.", title: signIn},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cooldown, who, field := 30*time.Second, ada, "code"
			switch tc.path {
			case "/resend":
				cooldown = time.Millisecond
			case "/number":
				who, field = grace, "mfa_phone_number"
			}
			app := newTestApp(t, cooldown)
			v := newVisitor(t, app)
			v.signIn(who)
			if tc.path == "/resend" {
				v.waitForButton()
			}
			before, right, typed := len(app.fake.SMS()), "", tc.typed
			if before > 0 {
				right = app.fake.SMS()[0].Code
				typed = strings.ReplaceAll(typed, "right", right)
			}
			if tc.before != nil {
				tc.before(app)
			}
			app.fake.Fail(tc.faults...)
			page := v.post(tc.path, field, typed)
			assert.Equal(t, tc.notice, noticeOf(page))
			assert.Equal(t, tc.title, titleOf(page))
			if tc.title == number {
				assert.Contains(t, page, `value="`+strings.ReplaceAll(typed, "+", "&#43;")+`" aria-describedby="number-help error" aria-invalid="true"`)
			}
			assert.Len(t, app.fake.SMS(), before+tc.sms)
			if tc.sms == 1 {
				assert.Regexp(t, `•••• 01(23|06)`, page)
			}
			switch {
			case tc.path != "/code" && tc.wait == "":
				assert.NotContains(t, page, "disabled data-wait")
			case tc.path != "/code":
				assert.Contains(t, page, ` disabled data-wait="`+tc.wait+`"`)
			case tc.title != signIn:
				assert.Contains(t, page, `value="`+typed+`"`)
				app.fake.SetTime(time.Time{})
				assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", right)))
			}
		})
	}
}

// A Member whom Stytch has locked cannot sign in.
func TestLocked(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	locked := app.fake.add(t, stytchtest.Member{MFAPhoneNumber: "+12025550177", MFAEnrolled: true, LockExpiresAt: time.Now().Add(time.Hour)})
	page := newVisitor(t, app).post("/sign-in", "member_id", locked)
	assert.Equal(t, "Your account is locked after too many failed attempts. Please try again later.", noticeOf(page))
	assert.Equal(t, "Error: Sign in", titleOf(page))
	assert.Empty(t, app.fake.SMS())
}

// A mistyped number that somebody else has can be replaced, but not one from whose
// phone a code was entered.
func TestOtherNumber(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Millisecond)
	v := newVisitor(t, app)
	const sent, failed = "We have sent you a code.", "Something went wrong on our side. Please try again later."
	v.signIn(ada)
	v.waitForButton()
	assert.NotContains(t, v.post("/resend"), "/other-number", "it was not entered in this login")
	assert.Equal(t, "Enter your code", titleOf(v.post("/other-number")))
	v.signIn(grace)
	assert.Contains(t, v.post("/number", "mfa_phone_number", "2025550123"), `formaction="/other-number"`)
	assert.Equal(t, "Add your phone number", titleOf(v.post("/other-number")))
	v.waitFor(func() bool { return noticeOf(v.post("/number", "mfa_phone_number", "2025550199")) == sent })
	sms := app.fake.SMSTo(app.fake.memberIDs[grace])
	require.Len(t, sms, 2)
	assert.Equal(t, "+12025550199", sms[1].To)
	app.fake.Fail(stytchtest.Fault{StatusCode: 500})
	assert.Equal(t, failed, noticeOf(v.post("/other-number")))

	other := newVisitor(t, app)
	other.waitFor(func() bool { return titleOf(other.signIn(grace)) == "Enter your code" })
	sms = app.fake.SMSTo(app.fake.memberIDs[grace])
	assert.Equal(t, "You are signed in", titleOf(other.post("/code", "code", sms[2].Code)))
	assert.Equal(t, failed, noticeOf(v.post("/other-number")))
	m, _ := app.fake.Member(app.fake.memberIDs[grace])
	assert.Equal(t, "+12025550199", m.MFAPhoneNumber)
}

// A magic link or single sign-on comes back with a token, which the primary
// authentication gets. Only the page of the sign-in may lead to another site.
func TestComesBack(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	app.authenticate = func(r *http.Request, current login, before func(string, string) error) (login, error) {
		assert.Equal(t, "sso t", r.Form.Get("stytch_token_type")+" "+r.Form.Get("token"))
		r.Form.Set("member_id", app.fake.MemberID)
		return app.fake.authenticate(r, current, before)
	}
	v := newVisitor(t, app)
	policy := func() string {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.AddCookie(&http.Cookie{Name: "__Host-login", Value: v.token()})
		app.handler().ServeHTTP(w, req)
		return w.Header().Get("Content-Security-Policy")
	}
	assert.Regexp(t, "form-action 'self' https:$", policy())
	v.header.Set("Sec-Fetch-Site", "cross-site")
	const query = "?stytch_token_type=sso&token=t"
	v.do(http.MethodHead, "/sign-in"+query, nil)
	for _, path := range []string{"/sign-in", "/number?token=t", "/other-number?token=t", "/resend?token=t", "/code?token=t", "/sign-out?token=t"} {
		assert.Equal(t, "Sign in", titleOf(v.page(http.MethodGet, path, nil)), path)
	}
	assert.Empty(t, app.fake.SMS())
	assert.Equal(t, "Enter your code", titleOf(v.page(http.MethodGet, "/sign-in"+query, nil)))
	assert.Len(t, app.fake.SMS(), 1)
	assert.Regexp(t, "form-action 'self'$", policy())
}

// A browser that keeps no cookies, such as Safari on plain http, is told so.
func TestNoCookies(t *testing.T) {
	t.Parallel()
	v := newVisitor(t, newTestApp(t, time.Millisecond))
	jar := v.client.Jar
	v.client.Jar = nil
	const noCookies = "Your sign-in has expired, or your browser does not accept our cookies. Please sign in again."
	page := v.signIn(ada)
	assert.Equal(t, noCookies, noticeOf(page))
	assert.Equal(t, "Error: Sign in", titleOf(page))
	v.client.Jar = jar
	assert.Empty(t, noticeOf(v.look()))
	v.waitFor(func() bool { return noticeOf(v.signIn(ada)) == "We have sent you a code." })
	_, page = v.do(http.MethodGet, "/?session", nil)
	assert.Equal(t, "We have sent you a code.", noticeOf(page))
	_, page = v.do(http.MethodGet, "/?utm_source=a;b=%zz", nil)
	assert.Equal(t, "Enter your code", titleOf(page))
}

// The cookie is safe, whatever a proxy says, and the store has no token.
func TestCookie(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		app := newFake(t).start(t, config{cooldown: time.Minute, plainHTTP: plain})
		v := newVisitor(t, app)
		var set []*http.Cookie
		v.client.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
			set = next.Response.Cookies()
			return nil
		}
		v.signIn(ada)
		require.Len(t, set, 1)
		c := set[0]
		assert.Equal(t, map[bool]string{true: "login", false: "__Host-login"}[plain], c.Name)
		assert.Equal(t, !plain, c.Secure)
		assert.True(t, c.HttpOnly)
		assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
		assert.Equal(t, "/", c.Path)
		assert.Empty(t, c.Domain)
		assert.GreaterOrEqual(t, len(c.Value), 43, "256 bits")
		sessions, err := app.sessions.Store.(scs.IterableStore).All()
		require.NoError(t, err)
		require.Len(t, sessions, 1)
		for key, session := range sessions {
			assert.NotContains(t, key+string(session), c.Value)
		}

		v.post("/resend")
		assert.Empty(t, set, "it would replace one that another form has got meanwhile")
		v.post("/code", "code", app.fake.SMS()[0].Code)
		require.Len(t, set, 1)
		assert.Greater(t, set[0].MaxAge, c.MaxAge, "as long as the session at Stytch")

		other := newVisitor(t, app) // A sibling domain can set the one without the prefix.
		other.header.Set("Cookie", map[bool]string{false: "login", true: "__Host-login"}[plain]+"="+c.Value)
		assert.Equal(t, "Sign in", titleOf(other.look()))
	}
}

// If the browser gives up, the code is still sent and can be entered.
func TestSlowSend(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.signIn(grace)
	app.fake.Fail(stytchtest.Fault{Delay: 500 * time.Millisecond, Processed: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	go func() {
		_, _ = app.fake.NextSMS(ctx)
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, app.URL+"/number", strings.NewReader("mfa_phone_number=2025550123"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err = v.client.Do(req)
	require.ErrorIs(t, err, context.Canceled)
	v.waitFor(func() bool { return titleOf(v.look()) == "Enter your code" })
	assert.Equal(t, "We have sent you a code.", noticeOf(v.look()))
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
}

// A sign-in is not lost after its SMS went out, however long other calls for the
// Member take.
func TestSignInWhileCallsHang(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Millisecond)
	signIn := func() *visitor {
		v := newVisitor(t, app)
		v.waitFor(func() bool { return titleOf(v.signIn(ada)) == "Enter your code" })
		return v
	}
	app.fake.Fail(slices.Repeat([]stytchtest.Fault{{Delay: time.Hour, MemberID: app.fake.MemberID}}, 3)...)
	var wg sync.WaitGroup
	for range 3 {
		v := signIn()
		wg.Go(func() { v.do(http.MethodPost, "/code", v.form([]string{"code", "000000"})) })
	}
	v := newVisitor(t, app)
	v.waitFor(func() bool { return len(app.fake.Requests()) == 3 })
	v = signIn()
	sms := app.fake.SMS()
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", sms[len(sms)-1].Code)))
	app.fake.Close() // The calls end.
	wg.Wait()
}
