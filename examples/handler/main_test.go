package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestHandlers(t *testing.T) {
	t.Parallel()
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	a := &app{
		client:                   stytch.Client(),
		organizationID:           stytch.OrganizationID,
		memberID:                 stytch.MemberID,
		intermediateSessionToken: stytch.IntermediateSessionToken(stytch.MemberID),
	}
	routes := a.routes()
	post := func(path, code string) (int, string) {
		req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{"code": {code}}.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, req)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	newest := func() string {
		sms := stytch.SMS()
		return sms[len(sms)-1].Code
	}
	for _, step := range []struct {
		fault  *stytchtest.Fault
		path   string
		code   func() string
		status int
		says   string
		sms    int
	}{
		{nil, "/resend", nil, 200, "We sent a code to •••• 0106.", 1},
		{&stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"30"}}}, "/resend", nil, 429, "Too many codes. Try again later.", 1},
		{&stytchtest.Fault{StatusCode: 429, ErrorType: "user_lock_limit_reached"}, "/resend", nil, 429, "Too many codes. Try again later.", 1},
		{&stytchtest.Fault{StatusCode: 400}, "/resend", nil, 502, "We could not send the code. Please try again.", 1},
		{&stytchtest.Fault{Processed: true, Reset: true}, "/resend", nil, 502, "Your code may be on its way. If it does not come in a minute, ask again.", 2},
		{nil, "/code", func() string { return "000000" }, 422, "That code is incorrect.", 2},
		{nil, "/code", func() string { return "000000" }, 422, "That code is incorrect.", 2},
		{nil, "/code", func() string { return "00000" }, 422, "That code is incorrect.", 2},
		{&stytchtest.Fault{StatusCode: 400}, "/code", newest, 502, "We could not check the code. Request a new one, or sign in again.", 2},
		{nil, "/code", func() string { return "" }, 422, "Enter the code.", 2},
		{nil, "/code", func() string { return "000000" }, 422, "That code is incorrect.", 2},
		{nil, "/code", func() string { return "000000" }, 422, "That code is incorrect.", 2},
		{nil, "/code", newest, 429, "Too many incorrect codes. Request a new one.", 2},
		{nil, "/resend", nil, 200, "We sent a code to •••• 0106.", 3},
		{&stytchtest.Fault{Reset: true}, "/code", newest, 502, "We lost track of your code. Please sign in again.", 3},
		{nil, "/code", newest, 200, "Signed in until ", 3},
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
