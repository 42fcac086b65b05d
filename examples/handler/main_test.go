package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestHandlers(t *testing.T) {
	t.Parallel()
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	primary, err := stytch.LogIn(stytch.MemberID)
	require.NoError(t, err)
	l := &login{client: stytch.Client(), organizationID: primary.OrganizationID, memberID: primary.MemberID, token: primary.IntermediateSessionToken}
	handlers := map[string]http.HandlerFunc{"/resend": l.resend, "/code": l.code}
	post := func(path, code string) (int, string) {
		req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{"code": {code}}.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handlers[path](w, req)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
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
		{nil, "/code", wrong, 422, "That code is incorrect.", 3},
		{&stytchtest.Fault{StatusCode: 400}, "/code", newest, 502, "We could not check the code. Enter it again, or request a new one.", 3},
		{nil, "/code", func() string { return "12345" }, 502, "We could not check the code. Enter it again, or request a new one.", 3},
		{nil, "/code", wrong, 422, "That code is incorrect.", 3},
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
		status, text := post(step.path, code)
		assert.Equal(t, step.status, status, step.says)
		assert.Contains(t, text, step.says)
		assert.Len(t, stytch.SMS(), step.sms)
	}
}
