package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// A site has the handlers, and a session for each Member's ID.
type site struct {
	*smsStep
	*stytchtest.Server
}

func newSite(t *testing.T) *site {
	stytch := stytchtest.NewServer()
	t.Cleanup(stytch.Close)
	primary, err := stytch.LogIn(stytch.MemberID)
	require.NoError(t, err)
	return &site{&smsStep{client: stytch.Client(), member: func(r *http.Request) (member, bool) {
		cookie, err := r.Cookie("session")
		return member{primary.OrganizationID, primary.MemberID, primary.IntermediateSessionToken}, err == nil && cookie.Value == "ada"
	}}, stytch}
}

func (s *site) post(path, session, code string) (int, string) {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{"code": {code}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: "session", Value: session})
	w := httptest.NewRecorder()
	map[string]http.HandlerFunc{"/resend": s.resend, "/code": s.code}[path](w, req)
	return w.Code, strings.TrimSpace(w.Body.String())
}

// Whoever has no session is not heard, and takes nobody's tries.
func TestNoSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/resend", "/code", "/code", "/code", "/code", "/code", "/code"} {
		status, says := s.post(path, "eve", "123456")
		assert.Equal(t, http.StatusUnauthorized, status)
		assert.Equal(t, "Please sign in again.", says)
	}
	assert.Empty(t, s.Requests())
	status, _ := s.post("/code", "ada", s.SMS()[0].Code)
	assert.Equal(t, http.StatusOK, status)
}

// Of many codes at once, Stytch is asked about five.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { s.post("/code", "ada", fmt.Sprintf("0000%02d", i)) })
	}
	wg.Wait()
	assert.Len(t, s.Requests(), maxTries)
}

func TestHandlers(t *testing.T) {
	t.Parallel()
	stytch := newSite(t)
	newest := func() string {
		sms := stytch.SMS()
		return sms[len(sms)-1].Code
	}
	wrong := func() string { return "000000" } // The fake sends no such code.
	for _, step := range []struct {
		fault  *stytchtest.Fault
		path   string
		code   func() string
		status int
		says   string
		sms    int
	}{
		{nil, "/resend", nil, 200, "We have sent you a code.", 2},
		{&stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"30"}}}, "/resend", nil, 429, "Too many codes. Please try again later.", 2},
		{&stytchtest.Fault{StatusCode: 429, ErrorType: "user_lock_limit_reached"}, "/resend", nil, 502, "We could not send the code. Please try again later.", 2},
		{&stytchtest.Fault{StatusCode: 400}, "/resend", nil, 502, "We could not send the code. Please try again later.", 2},
		{&stytchtest.Fault{Processed: true, Reset: true}, "/resend", nil, 502, "Your code may be on its way. If it does not arrive within a minute, request another one.", 3},
		{nil, "/code", wrong, 422, "That code is incorrect.", 3},
		{nil, "/code", wrong, 422, "That code is incorrect.", 3},
		{&stytchtest.Fault{StatusCode: 400}, "/code", newest, 502, "We could not check the code. Enter it again, or request a new one.", 3},
		{nil, "/code", func() string { return "12345" }, 502, "We could not check the code. Enter it again, or request a new one.", 3},
		{nil, "/code", wrong, 422, "That code is incorrect.", 3},
		{nil, "/code", newest, 429, "Too many incorrect codes. Request a new one.", 3},
		{nil, "/resend", nil, 200, "We have sent you a code.", 4},
		{&stytchtest.Fault{Reset: true}, "/code", newest, 502, "We lost track of your code. Please sign in again.", 4},
		{nil, "/code", newest, 200, "Signed in until ", 4},
	} {
		if step.fault != nil {
			stytch.Fail(*step.fault)
		}
		code := ""
		if step.code != nil {
			code = step.code()
		}
		status, text := stytch.post(step.path, "ada", code)
		assert.Equal(t, step.status, status, step.says)
		assert.Contains(t, text, step.says)
		assert.Len(t, stytch.SMS(), step.sms)
	}
}
