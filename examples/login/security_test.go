package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// Forms out of turn change nothing, and the page says so.
func TestOutOfTurn(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := newVisitor(t, f.start(t, config{cooldown: time.Minute}))
	for _, path := range []string{"/resend", "/code", "/number", "/other-number"} {
		page := v.post(path, "code", "123456", "mfa_phone_number", "+12025550123")
		assert.Equal(t, "Your sign-in has expired. Please sign in again.", noticeOf(page), path)
		assert.Equal(t, "Error: Sign in", titleOf(page), path)
	}
	assert.Equal(t, "Sign in", titleOf(v.post("/sign-out")))
	assert.Equal(t, "We could not sign you in. Please check what you entered.", noticeOf(v.post("/sign-in", "member_id", "nobody")))
	assert.Empty(t, f.Requests())
	assert.Empty(t, v.token(), "a stranger gets no session")

	const movedOn = "Your sign-in has moved on since then. Continue here."
	v.signIn(ada)
	first := v.loginID
	assert.Equal(t, movedOn, noticeOf(v.post("/number", "mfa_phone_number", "+12025550123")))
	v.signIn(grace) // in another tab
	assert.Equal(t, movedOn, noticeOf(v.post("/code", "code", "123456")))
	katherine := f.add(t, stytchtest.Member{MFAPhoneNumber: "+12025550177", MFAEnrolled: true})
	v.post("/sign-in", "member_id", katherine)
	v.loginID = first
	assert.Equal(t, movedOn, noticeOf(v.post("/code", "code", f.SMS()[0].Code)))
	v.signIn(alan)
	v.loginID = first
	assert.Equal(t, movedOn, noticeOf(v.post("/code", "code", f.SMS()[0].Code)))
	assert.Equal(t, "You are signed in", titleOf(v.look()))
	assert.Empty(t, f.Requests())
}

// What is not a form of ours is refused.
func TestRefused(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, 30*time.Second)
	for _, tc := range []struct {
		name, method, path, site, body string
		status                         int
	}{
		{"another site's form", http.MethodPost, "/sign-in", "cross-site", "", 403},
		{"another subdomain's form", http.MethodPost, "/resend", "same-site", "", 403},
		{"a form that is too large", http.MethodPost, "/sign-in", "same-origin", "member_id=" + strings.Repeat("a", 64<<10), 400},
		{"a malformed form", http.MethodPost, "/code", "same-origin", "code=%zz", 400},
		{"a form to the page", http.MethodPost, "/", "same-origin", "", 405},
		{"the page", http.MethodGet, "/", "none", "", 200},
		{"another page", http.MethodGet, "/admin", "none", "", 404},
		{"the list of the assets", http.MethodGet, "/static/", "none", "", 404},
	} {
		req := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body))
		req.Header.Set("Sec-Fetch-Site", tc.site)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		app.handler().ServeHTTP(w, req)
		assert.Equal(t, tc.status, w.Code, tc.name)
		h := w.Header()
		assert.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'", tc.name)
		assert.NotEmpty(t, h.Get("Strict-Transport-Security"), tc.name)
		assert.Equal(t, "nosniff no-store same-origin", strings.Join([]string{h.Get("X-Content-Type-Options"), h.Get("Cache-Control"), h.Get("Referrer-Policy")}, " "), tc.name)
		assert.Empty(t, h.Get("Set-Cookie"), tc.name)
	}
	assert.Empty(t, app.fake.SMS())
}

// What strangers send is not kept, and neither is what a session was.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	kept := func() int {
		sessions, err := app.sessions.Store.(scs.IterableStore).All()
		require.NoError(t, err)
		return len(sessions)
	}
	for _, path := range []string{"/sign-in", "/number", "/resend", "/code", "/sign-out"} {
		newVisitor(t, app).post(path, "member_id", "nobody", "code", "123456")
	}
	assert.Zero(t, kept())
	v := newVisitor(t, app)
	v.signIn(ada)
	assert.Equal(t, 1, kept())
	v.post("/code", "code", app.fake.SMS()[0].Code)
	assert.Equal(t, 1, kept())
	v.post("/sign-out")
	assert.Zero(t, kept())
	app.fake.Advance(-3 * time.Hour) // A session that is over at Stytch is over here.
	assert.Equal(t, "Sign in", titleOf(v.signIn(alan)))
	assert.Zero(t, kept())
}

// Whoever knows the cookie from before the code, and does whatever they like
// before, while and after the Member's code is right, does not get into the
// session that follows, and does not get the Member out of it.
func TestOldCookie(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.signIn(ada)
	old := v.token()
	steal := func() {
		many(6, func(i int) {
			thief := v.with(old)
			thief.do(http.MethodPost, []string{"/number", "/resend", "/code"}[i%3], thief.form([]string{"code", "000000"}))
			_, page := thief.do(http.MethodGet, "/", nil)
			assert.NotEqual(v, "You are signed in", titleOf(page))
		})
	}
	steal()
	app.fake.Fail(stytchtest.Fault{Delay: 20 * time.Millisecond})
	many(2, func(i int) {
		if i == 1 {
			steal()
			return
		}
		_, page := v.do(http.MethodPost, "/code", v.form([]string{"code", app.fake.SMS()[0].Code}))
		assert.Equal(t, "You are signed in", titleOf(page))
	})
	steal()
	assert.Equal(t, "You are signed in", titleOf(v.look()))
}

// many calls f n times at once.
func many(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// Someone who knows the password cannot guess a code, however often they sign in.
func TestGuesses(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.FirstFactorEndsFailures = true // Stytch does not document that it is not so.
	app := f.start(t, config{cooldown: time.Millisecond})
	for range 3 {
		many(8, func(int) {
			v := newVisitor(t, app)
			v.do(http.MethodPost, "/sign-in", v.form([]string{"member_id", f.MemberID}))
			for j := range 4 {
				v.do(http.MethodPost, "/code", v.form([]string{"code", fmt.Sprintf("00000%d", j)}))
			}
		})
	}
	assert.LessOrEqual(t, len(f.Requests()), 10)
	assert.NotEmpty(t, f.Requests())
}
