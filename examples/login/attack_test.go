package main

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// What somebody writes into their own cookie is text, neither markup nor a
// format, of which a few bytes could fill the memory.
func TestForgedNotice(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	for name, notice := range map[string]string{
		"a format": `{"Text":"` + strings.Repeat("%999999[1]s", 500) + `","Until":"9999-01-01T00:00:00Z"}`,
		"markup":   `{"Text":"<script>alert(1)</script>","Kind":"\" onclick=\"alert(1)"}`,
		"no JSON":  `{{`,
	} {
		v := newVisitor(t, app)
		v.header.Set("Cookie", "__Host-notice="+base64.RawURLEncoding.EncodeToString([]byte(notice)))
		page := v.look()
		assert.Less(t, len(page), 20_000, name)
		assert.NotContains(t, page, "<script>alert", name)
		assert.NotContains(t, page, `" onclick`, name)
	}
}

// What was refused is shown again as it was typed, without what cannot be seen.
func TestShown(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"\u202e12\x00\x07\r\n345\u2066": "12345", "a\xffb": "ab", "\"><script>": "&#34;&gt;&lt;script&gt;",
		"x" + strings.Repeat("é", 200): "x" + strings.Repeat("é", 127),
	} {
		v := newVisitor(t, newTestApp(t, time.Minute))
		v.signIn(ada)
		assert.Contains(t, v.post("/code", "code", typed), ` value="`+want+`" aria-describedby`, typed)
	}
}

// A number that may be corrected does not make a Member wait.
func TestWaitsOfOthers(t *testing.T) {
	t.Parallel()
	const limited = "Please wait 60 minutes before you request another code."
	app := newTestApp(t, time.Millisecond)
	v := newVisitor(t, app)
	v.signIn(grace)
	app.fake.Fail(stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}})
	assert.Equal(t, limited, noticeOf(v.post("/number", "mfa_phone_number", "2025550123")))
	assert.Equal(t, "We have sent you a code.", noticeOf(v.post("/number", "mfa_phone_number", "2025550123")))
}

// A Member who has to wait can enter the code that another browser has requested.
func TestWaitWithCode(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	m, err := app.fake.AddMember(stytchtest.Member{
		MFAPhoneNumber: "+12025550177", MFAEnrolled: true, TOTP: true, DefaultMFAMethod: "totp",
	})
	require.NoError(t, err)
	for range 2 {
		v := newVisitor(t, app)
		v.look()
		assert.Contains(t, v.post("/sign-in", "member_id", m.MemberID), `name="code"`)
	}
	assert.Len(t, app.fake.SMS(), 1)
}

// Of all forms that a login sends, one answer is kept.
func TestKeptAnswers(t *testing.T) {
	t.Parallel()
	app := newTestApp(t, time.Minute)
	v := newVisitor(t, app)
	v.signIn(alan)
	for i := range 50 {
		v.once("/resend", url.Values{"page": {fmt.Sprint(v.pageID, i)}})
	}
	all, err := app.store.(*memoryStore).All()
	require.NoError(t, err)
	assert.LessOrEqual(t, len(all), 3, "the session, its last answer, and that of the sign-in")
}

// A session that is over at Stytch is over here, and leaves nothing in Redis.
func TestSessionIsOver(t *testing.T) {
	t.Parallel()
	twoProcesses(t, func(t *testing.T, one, _ *testApp) {
		one.fake.Advance(-3 * time.Hour) // It has begun, and ended, before.
		v := newVisitor(t, one)
		assert.Equal(t, "Sign in", titleOf(v.signIn(alan)))
		assert.Empty(t, v.token())
		if redis, ok := one.store.(*redisStore); ok {
			for _, key := range redis.client.Keys(t.Context(), "*").Val() {
				assert.Positive(t, redis.client.TTL(t.Context(), key).Val(), key)
			}
		}
	})
}

// If Redis goes while an SMS goes out, the page does not say that nothing was done.
func TestRedisGoesMeanwhile(t *testing.T) {
	t.Parallel()
	store := redisStoreOf(t, redisServer(t))
	app := startApp(t, config{cooldown: time.Minute, store: store}, (*httptest.Server).StartTLS)
	v := newVisitor(t, app)
	v.signIn(grace)
	app.fake.Fail(stytchtest.Fault{Delay: time.Second, Processed: true})
	gone := make(chan error, 1)
	go func() {
		_, err := app.fake.NextSMS(t.Context())
		_ = store.client.Shutdown(t.Context()) // It has no answer.
		gone <- err
	}()
	status, page := v.do(http.MethodPost, "/number", v.form([]string{"mfa_phone_number", "2025550123"}))
	require.NoError(t, <-gone)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, page, "We are not sure that this worked. Go back and check before you try again.")
	assert.NotEmpty(t, v.token(), "the browser keeps its session")
}

// A password in REDIS_URL is not printed.
func TestRedisURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"redis://:s3cret@host:port", "redis://:%zzs3cret@host", "http://:s3cret@host", "redis://:s3cret/x@host", "redis://u:s3cret@host/zero"} {
		_, err := newRedisStore(url, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, "REDIS_URL")
		assert.NotContains(t, err.Error(), "s3cret")
	}
}

// A cookie without the prefix could be a sibling domain's. It is not the session's,
// and over plain http the one with the prefix is not.
func TestOtherCookie(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		app := startApp(t, config{cooldown: time.Minute, plainHTTP: plain}, (*httptest.Server).StartTLS)
		v := newVisitor(t, app)
		v.signIn(alan)
		base, err := url.Parse(app.URL)
		require.NoError(t, err)
		other := newVisitor(t, app)
		for _, c := range v.client.Jar.Cookies(base) {
			other.header.Add("Cookie", cookieName("login", !plain)+"="+c.Value)
		}
		assert.Equal(t, "You are signed in", titleOf(v.look()))
		assert.Equal(t, "Sign in", titleOf(other.look()))
	}
}
