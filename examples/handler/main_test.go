package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// A site has the handlers, and one Member's session.
type site struct {
	*smsStep
	*stytchtest.Server
}

// newSite logs in a Member. Stytch sends a code to one who has a number.
func newSite(t *testing.T, number string) *site {
	stytch := stytchtest.NewTestServer(t)
	m, err := stytch.AddMember(stytchtest.Member{MFAPhoneNumber: number, MFAEnrolled: true})
	require.NoError(t, err)
	primary, err := stytch.LogIn(m.MemberID)
	require.NoError(t, err)
	return &site{&smsStep{client: stytch.Client(), member: func(r *http.Request) (member, bool) {
		cookie, err := r.Cookie("session")
		return member{primary.OrganizationID, primary.MemberID, primary.IntermediateSessionToken}, err == nil && cookie.Value == "ada"
	}}, stytch}
}

func (s *site) post(path, session string, form url.Values) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: "session", Value: session})
	w := httptest.NewRecorder()
	map[string]http.HandlerFunc{"/resend": s.resend, "/code": s.code}[path](w, req)
	return w
}

// Each result of a call leads the user on. Which result an error has is tested with
// stytchb2b.Next.
func TestNext(t *testing.T) {
	t.Parallel()
	const number = "+12025550177"
	later := func(d time.Duration) func(*site) { return func(s *site) { s.Advance(d) } }
	for _, tc := range []struct {
		name   string
		number string // the Member's
		path   string
		typed  string // "" for the right code
		before func(*site)
		fault  stytchtest.Fault
		status int
		says   string
		wait   string // Retry-After
		sms    int    // that this call sends
	}{
		{name: "sent", number: number, path: "/resend", status: 200, says: "We have sent you a code.", sms: 1},
		{name: "sent to a new number", path: "/resend", typed: "+1 ２02 555-0199", status: 200, says: "We have sent you a code.", sms: 1},
		{name: "no answer", number: number, path: "/resend", fault: stytchtest.Fault{Processed: true, Reset: true}, status: 202, says: "Your code may be on its way.", sms: 1},
		{name: "503 for a minute", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 503, Header: http.Header{"Retry-After": {"60"}}}, status: 202, says: "Your code may be on its way.", wait: "60"},
		{name: "a rate limit", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}}, status: 429, says: "Please wait", wait: "3600"},
		{name: "no number", path: "/resend", status: 422, says: "We cannot send a code to that number."},
		{name: "resend of an expired sign-in", number: number, path: "/resend", before: later(11 * time.Minute), status: 401, says: "Please sign in again."},
		{name: "a locked Member", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 429, ErrorType: "user_lock_limit_reached"}, status: 403, says: "Your account is locked"},
		{name: "wrong credentials", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 401}, status: 502, says: "Something went wrong."},

		{name: "right", number: number, path: "/code", status: 200, says: "Signed in until "},
		{name: "wrong", number: number, path: "/code", typed: "000000", status: 422, says: "That code is incorrect."},
		{name: "an expired code", number: number, path: "/code", before: later(3 * time.Minute), status: 422, says: "That code has expired."},
		{name: "code of an expired sign-in", number: number, path: "/code", before: later(11 * time.Minute), status: 401, says: "Please sign in again."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tc.number)
			form := url.Values{"phone": {tc.typed}, "code": {tc.typed}}
			if tc.path == "/code" && tc.typed == "" {
				code := s.SMS()[0].Code
				form.Set("code", " "+code[:3]+"-"+strings.Map(func(r rune) rune { return r - '0' + '０' }, code[3:]))
			}
			if tc.before != nil {
				tc.before(s)
			}
			sms := len(s.SMS())
			s.Fail(tc.fault)
			w := s.post(tc.path, "ada", form)
			assert.Equal(t, tc.status, w.Code)
			assert.Contains(t, w.Body.String(), tc.says)
			assert.Equal(t, tc.wait, w.Header().Get("Retry-After"))
			assert.Len(t, s.SMS(), sms+tc.sms)
		})
	}
	w := httptest.NewRecorder()
	answer(w, stytchb2b.NextWait, &stytchb2b.GuardError{RetryAfter: 30*time.Second - 1})
	assert.Equal(t, "30", w.Header().Get("Retry-After"), "not too soon")
}

// Without a session, nothing is sent and no code is used.
func TestNoSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, "+12025550177")
	for _, path := range []string{"/resend", "/code"} {
		w := s.post(path, "eve", url.Values{"code": {s.SMS()[0].Code}})
		assert.Equal(t, http.StatusUnauthorized, w.Code)
	}
	assert.Empty(t, s.Requests())
}
