package main

import (
	"context"
	"errors"
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

// newSite logs a Member in with the password or the like. Stytch has sent a code to
// one who has a number.
func newSite(t *testing.T, number string, guard stytchb2b.Guard) *site {
	stytch := stytchtest.NewServer()
	t.Cleanup(stytch.Close)
	m, err := stytch.AddMember(stytchtest.Member{MFAPhoneNumber: number, MFAEnrolled: true})
	require.NoError(t, err)
	primary, err := stytch.LogIn(m.MemberID)
	require.NoError(t, err)
	return &site{&smsStep{client: stytch.Client(stytchb2b.WithGuard(guard)), member: func(r *http.Request) (member, bool) {
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

// A verdict is a guard's of each call.
type verdict struct{ err error }

func (v verdict) AllowSend(context.Context, stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
	return nil, v.err
}

func (v verdict) AllowAuthenticate(context.Context, stytchb2b.SMSAuthenticateParams) (func(*stytchb2b.SMSAuthenticateResponse, error), error) {
	return nil, v.err
}

// Each way a call can end leads the user on.
func TestNext(t *testing.T) {
	t.Parallel()
	const (
		number    = "+12025550177"
		sent      = "We have sent you a code."
		onItsWay  = "Your code may be on its way. If it does not arrive within a minute, request another one."
		wait      = "Please wait a moment, then try again."
		badNumber = "We cannot send a code to that number. Enter another one."
		incorrect = "That code is incorrect. Enter the code from the newest message, or request another one."
		expired   = "That code has expired. Request a new one."
		signIn    = "Your sign-in has expired. Please sign in again."
		locked    = "Your account is locked after too many failed attempts. Please try again later."
		failed    = "Something went wrong. Please try again later."
	)
	limit := &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonLimit, RetryAfter: 30*time.Second - 1, Err: errors.New("limit")}
	outage := &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonUnavailable, Err: errors.New("outage")}
	country := &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonNumber, Err: errors.New("country")}
	later := func(d time.Duration) func(*site) { return func(s *site) { s.Advance(d) } }
	for _, tc := range []struct {
		name   string
		number string // the Member's
		path   string
		typed  string // "" for the right code
		guard  error
		before func(*site)
		fault  stytchtest.Fault
		status int
		says   string
		wait   string // Retry-After
		sms    int    // that this call sends
	}{
		{name: "sent", number: number, path: "/resend", status: 200, says: sent, sms: 1},
		{name: "sent to a new number", path: "/resend", typed: "+1 ２02 555-0199", status: 200, says: sent, sms: 1},
		{name: "no answer", number: number, path: "/resend", fault: stytchtest.Fault{Processed: true, Reset: true}, status: 202, says: onItsWay, sms: 1},
		{name: "503 for a minute", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 503, Header: http.Header{"Retry-After": {"60"}}}, status: 202, says: onItsWay, wait: "60"},
		{name: "a guard's limit", number: number, path: "/resend", guard: limit, status: 429, says: wait, wait: "30"},
		{name: "a rate limit", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}}, status: 429, says: wait, wait: "3600"},
		{name: "a number that is none", path: "/resend", typed: "2025550123", status: 422, says: badNumber},
		{name: "no number", path: "/resend", status: 422, says: badNumber},
		{name: "a number that Stytch refuses", path: "/resend", typed: "+1 202 555 0199", fault: stytchtest.Fault{StatusCode: 400, ErrorType: "invalid_phone_number"}, status: 422, says: badNumber},
		{name: "an unsubscribed phone", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 400, ErrorType: "unsubscribed_phone_number"}, status: 422, says: badNumber},
		{name: "someone else's number", path: "/resend", typed: "+12025550106", status: 422, says: badNumber},
		{name: "a number in a country that the guard refuses", path: "/resend", typed: "+18765550123", guard: country, status: 422, says: badNumber},
		{name: "resend of an expired sign-in", number: number, path: "/resend", before: later(11 * time.Minute), status: 401, says: signIn},
		{name: "a Member who is locked", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 429, ErrorType: "user_lock_limit_reached"}, status: 403, says: locked},
		{name: "wrong credentials", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 401, ErrorType: "unauthorized_credentials"}, status: 502, says: failed},
		{name: "billing", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 400, ErrorType: "billing_not_verified"}, status: 502, says: failed},
		{name: "Stytch suspects toll fraud", number: number, path: "/resend", fault: stytchtest.Fault{StatusCode: 429, ErrorType: "too_few_tokens_authenticated"}, status: 502, says: failed},
		{name: "the guard's store is out", number: number, path: "/resend", guard: outage, status: 502, says: failed},

		{name: "right", number: number, path: "/code", status: 200, says: "Signed in until "},
		{name: "wrong", number: number, path: "/code", typed: "000000", status: 422, says: incorrect},
		{name: "five digits", number: number, path: "/code", typed: "12345", status: 422, says: incorrect},
		{name: "no code", number: number, path: "/code", typed: " ", status: 422, says: incorrect},
		{name: "an expired code", number: number, path: "/code", before: later(3 * time.Minute), status: 422, says: expired},
		{name: "a replaced code", number: number, path: "/code", before: func(s *site) { s.post("/resend", "ada", nil) }, typed: "replaced", status: 422, says: incorrect},
		{name: "code of an expired sign-in", number: number, path: "/code", before: later(11 * time.Minute), status: 401, says: signIn},
		{name: "code without an answer", number: number, path: "/code", fault: stytchtest.Fault{Processed: true, Reset: true}, status: 401, says: signIn},
		{name: "too many codes for the guard", number: number, path: "/code", guard: limit, status: 429, says: wait, wait: "30"},
		{name: "too many codes for Stytch", number: number, path: "/code", fault: stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}}, status: 429, says: wait, wait: "3600"},
		{name: "a lock", number: number, path: "/code", fault: stytchtest.Fault{StatusCode: 429, ErrorType: "user_lock_limit_reached"}, status: 403, says: locked},
		{name: "code with wrong credentials", number: number, path: "/code", fault: stytchtest.Fault{StatusCode: 401, ErrorType: "unauthorized_credentials"}, status: 502, says: failed},
		{name: "code while the guard's store is out", number: number, path: "/code", guard: outage, status: 502, says: failed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tc.number, verdict{tc.guard})
			form := url.Values{"phone": {tc.typed}}
			if tc.path == "/code" {
				form = url.Values{"code": {tc.typed}}
				if tc.typed == "" || tc.typed == "replaced" {
					form.Set("code", s.SMS()[0].Code)
				}
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
}

// A code is good as people type it, and after what did not use it.
func TestCode(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(code string) string{
		"spaces":    func(code string) string { return " " + code[:3] + " " + code[3:] },
		"hyphen":    func(code string) string { return code[:3] + "-" + code[3:] },
		"fullwidth": func(code string) string { return strings.Map(func(r rune) rune { return r - '0' + '０' }, code) },
	} {
		s := newSite(t, "+12025550177", verdict{})
		s.Fail(stytchtest.Fault{StatusCode: 403, ErrorType: "organization_suspended"})
		typed := url.Values{"code": {write(s.SMS()[0].Code)}}
		assert.Equal(t, http.StatusBadGateway, s.post("/code", "ada", typed).Code)
		assert.Equal(t, http.StatusOK, s.post("/code", "ada", typed).Code, name)
	}
}

// Without a session, nothing is sent and no code is used.
func TestNoSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, "+12025550177", verdict{})
	for _, path := range []string{"/resend", "/code"} {
		w := s.post(path, "eve", url.Values{"code": {s.SMS()[0].Code}})
		assert.Equal(t, http.StatusUnauthorized, w.Code)
	}
	assert.Empty(t, s.Requests())
}
