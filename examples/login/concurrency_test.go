package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// twoProcesses are two of the application, one beside the other: with one memory,
// as two goroutines of one process have it, or with a Redis between them.
func twoProcesses(t *testing.T, test func(t *testing.T, one, two *testApp)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		app := newTestApp(t, time.Minute)
		test(t, app, app)
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		url := redisServer(t)
		one := startApp(t, config{cooldown: time.Minute, store: redisStoreOf(t, url)}, (*httptest.Server).StartTLS)
		two := one.fake.start(t, config{cooldown: time.Minute, store: redisStoreOf(t, url)}, (*httptest.Server).StartTLS)
		test(t, one, two)
	})
}

// at is the browser at the other process.
func (v *visitor) at(app *testApp) *visitor {
	other := newVisitor(v.T, app)
	other.client.Jar, other.pageID = v.client.Jar, v.pageID
	return other
}

// A double click, of which the browser forgets the first answer, is one click. It
// does not matter which processes it reaches.
func TestDoubleClick(t *testing.T) {
	t.Parallel()
	twoProcesses(t, func(t *testing.T, one, two *testApp) {
		v := newVisitor(t, one)
		v.look()
		twice := func(path string, form url.Values) (first, second string) {
			var wg sync.WaitGroup
			other := v.at(two)
			wg.Go(func() { first = v.once(path, form) })
			second = other.once(path, form)
			wg.Wait()
			return first, second
		}
		first, second := twice("/sign-in", v.form([]string{"member_id", one.fake.memberIDs[ada]}))
		require.NotEmpty(t, second)
		assert.Equal(t, first, second)
		late := v.with(second)
		late.pageID = v.pageID
		assert.Equal(t, second, late.once("/sign-in", late.form([]string{"member_id", one.fake.memberIDs[ada]})), "the browser had the first answer")
		require.Len(t, one.fake.SMS(), 1, "one primary authentication")

		v = v.with(second)
		assert.Equal(t, "Enter your code", titleOf(v.look()))
		one.fake.Fail(stytchtest.Fault{Delay: 50 * time.Millisecond})
		first, second = twice("/code", v.form([]string{"code", one.fake.SMS()[0].Code}))
		require.NotEmpty(t, second)
		assert.Equal(t, first, second)
		assert.Len(t, one.fake.Requests(), 1, "one Authenticate")
		assert.Empty(t, v.with("another").once("/code", v.form([]string{"code", one.fake.SMS()[0].Code})), "another browser's is another form")
		assert.Equal(t, "You are signed in", titleOf(v.with(second).look()))

		// One browser that keeps both answers, and names no page.
		v = newVisitor(t, one)
		v.signIn(grace)
		many(8, func(int) { v.do(http.MethodPost, "/number", url.Values{"mfa_phone_number": {"2025550123"}}) })
		require.Len(t, one.fake.SMS(), 2)
		many(8, func(int) { v.do(http.MethodPost, "/resend", nil) })
		many(8, func(int) { v.do(http.MethodPost, "/code", url.Values{"code": {one.fake.SMS()[1].Code}}) })
		assert.Equal(t, "You are signed in", titleOf(v.look()))
		assert.Len(t, one.fake.SMS(), 2)
	})
}

// many calls f n times at once.
func many(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// Whoever knows the cookie from before the code, and does whatever they like
// before, while and after the Member's code is right, does not get into the
// session that follows, and does not get the Member out of it.
func TestOldCookie(t *testing.T) {
	t.Parallel()
	twoProcesses(t, func(t *testing.T, one, two *testApp) {
		var got sync.Map
		many(16, func(i int) {
			m, err := one.fake.AddMember(stytchtest.Member{
				MFAPhoneNumber: fmt.Sprintf("+1202555%04d", 1000+i), MFAEnrolled: true,
			})
			if !assert.NoError(t, err) {
				return
			}
			v := newVisitor(t, one)
			v.look()
			before := v.token()
			v.post("/sign-in", "member_id", m.MemberID)
			thief := v.with(v.token()).at(two)
			thief.look()
			code := one.fake.SMSTo(m.MemberID)[0].Code
			steal := func() {
				many(3, func(j int) {
					path := []string{"/number", "/resend", "/code"}[j]
					form := thief.form([]string{"mfa_phone_number", "2025550123", "code", "000000"})
					if token := thief.once(path, form); token != "" {
						got.Store(token, true)
					}
				})
			}
			one.fake.Fail(stytchtest.Fault{MemberID: m.MemberID, Delay: 20 * time.Millisecond})
			steal()
			var wg sync.WaitGroup
			wg.Go(steal)
			page := v.post("/code", "code", code)
			wg.Wait()
			assert.Equal(t, "You are signed in", titleOf(page))
			steal()
			got.Store(thief.once("/code", thief.form([]string{"code", code})), true)
			assert.Equal(t, "Sign in", titleOf(thief.look()))
			assert.Equal(t, "You are signed in", titleOf(v.look()))
			got.Store(before, true)
		})
		got.Range(func(token, _ any) bool {
			v := newVisitor(t, two).with(token.(string))
			return assert.NotEqual(t, "You are signed in", titleOf(v.look()))
		})
	})
}

// A sign-out ends the session for every copy of its cookie.
func TestSignOut(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.signIn(alan)
	other := v.with(v.token())
	assert.Equal(t, "You are signed in", titleOf(other.look()))
	assert.Equal(t, "You are signed out.", noticeOf(v.post("/sign-out")))
	assert.Equal(t, "Sign in", titleOf(other.look()))
}

// Wrong codes are counted over all browsers and processes of a Member: of many
// at once, Stytch is asked about five.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	twoProcesses(t, func(t *testing.T, one, two *testApp) {
		var browsers []*visitor
		for i := range 10 {
			v := newVisitor(t, []*testApp{one, two}[i%2])
			v.signIn(ada)
			browsers = append(browsers, v)
		}
		many(len(browsers), func(i int) {
			for j := range 2 {
				browsers[i].once("/code", browsers[i].form([]string{"code", fmt.Sprintf("00000%d", j)}))
			}
		})
		assert.Len(t, one.fake.Requests(), maxWrongCodes)
	})
}

// What strangers send takes no room that a Member needs.
func TestStrangers(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.signIn(alan)
	kept := func() int {
		all, err := app.store.(*memoryStore).All()
		require.NoError(t, err)
		return len(all)
	}
	before := kept()
	many(8, func(int) {
		stranger := newVisitor(t, app)
		for range 20 {
			for _, path := range []string{"/sign-in", "/number", "/resend", "/code", "/sign-out"} {
				stranger.look()
				assert.Empty(t, stranger.once(path, stranger.form([]string{"member_id", "nobody", "code", "123456"})))
			}
		}
	})
	assert.LessOrEqual(t, kept(), before)
	app.store.(*memoryStore).held.Range(func(key, _ any) bool { return assert.Fail(t, "a lock is held", key) })
	assert.Equal(t, "You are signed in", titleOf(v.look()))
}

// Without Redis there is no login, and a page that says so.
func TestRedisIsGone(t *testing.T) {
	t.Parallel()
	store := redisStoreOf(t, redisServer(t))
	app := startApp(t, config{cooldown: time.Minute, store: store}, (*httptest.Server).StartTLS)
	v := newVisitor(t, app)
	v.signIn(ada)
	require.Error(t, store.client.Shutdown(t.Context()).Err()) // It has no answer.
	for _, request := range [][2]string{{http.MethodGet, "/"}, {http.MethodPost, "/code"}, {http.MethodPost, "/sign-in"}} {
		status, page := v.do(request[0], request[1], v.form([]string{"code", app.fake.SMS()[0].Code, "member_id", app.fake.memberIDs[alan]}))
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Contains(t, page, "Something went wrong")
	}
	assert.Empty(t, app.fake.Requests())
}
