package stytchb2b_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

var authenticateParams = stytchb2b.SMSAuthenticateParams{
	OrganizationID: "organization-test-1", MemberID: "member-test-1", Code: "123456", SessionToken: token,
}

// A full MFA step: the code is entered wrong, right and again.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	srv := stytchtest.NewServer()
	defer srv.Close()
	client := srv.Client()
	_, err := client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: srv.OrganizationID, MemberID: srv.MemberID})
	require.NoError(t, err)
	enter := stytchb2b.SMSAuthenticateParams{
		OrganizationID: srv.OrganizationID, MemberID: srv.MemberID,
		IntermediateSessionToken: srv.IntermediateSessionToken(srv.MemberID),
		SessionDurationMinutes:   30, SessionCustomClaims: map[string]any{"team": "blue", "none": nil},
		SetMFAEnrollment: stytchb2b.MFAEnroll, SetDefaultMFA: true,
	}
	for _, tc := range []struct {
		code    string
		refused stytchb2b.ErrorType
	}{
		{"000000", stytchb2b.ErrorTypeOTPCodeNotFound},
		{srv.SMS()[0].Code, ""},
		{srv.SMS()[0].Code, stytchb2b.ErrorTypeIntermediateSessionNotFound},
	} {
		enter.Code = tc.code
		resp, err := client.OTPs.SMS.Authenticate(t.Context(), enter)
		if tc.refused == "" {
			require.NoError(t, err)
			assert.True(t, resp.Member.MFAEnrolled)
			assert.Equal(t, "sms_otp", resp.Member.DefaultMFAMethod)
			assert.Equal(t, 30*time.Minute, resp.MemberSession.ExpiresAt.Sub(resp.MemberSession.StartedAt))
			assert.Equal(t, map[string]any{"team": "blue"}, resp.MemberSession.CustomClaims)
			continue
		}
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, tc.refused, apiErr.ErrorType)
		assert.Equal(t, stytchb2b.OpSMSAuthenticate, apiErr.Op)
		assert.Contains(t, err.Error(), "; the code was not used")
	}
}

// Invalid parameters are refused before any I/O.
func TestAuthenticateRefuses(t *testing.T) {
	t.Parallel()
	type cycle map[string]any
	circle := cycle{}
	circle["self"] = circle
	for _, tc := range []struct {
		name   string
		change func(*stytchb2b.SMSAuthenticateParams)
		field  string // "" where the parameters are good
	}{
		{"good", func(*stytchb2b.SMSAuthenticateParams) {}, ""},
		{"no organization", func(p *stytchb2b.SMSAuthenticateParams) { p.OrganizationID = "" }, "organization_id"},
		{"no member", func(p *stytchb2b.SMSAuthenticateParams) { p.MemberID = "" }, "member_id"},
		{"no code", func(p *stytchb2b.SMSAuthenticateParams) { p.Code = "" }, "code"},
		{"a code that is no UTF-8", func(p *stytchb2b.SMSAuthenticateParams) { p.Code = "\xff" }, "code"},
		{"a telemetry ID that is no UTF-8", func(p *stytchb2b.SMSAuthenticateParams) { p.TelemetryID = "\xff" }, "telemetry_id"},
		{"no session", func(p *stytchb2b.SMSAuthenticateParams) { p.SessionToken = "" }, "intermediate_session_token is required, unless session_token or session_jwt is given"},
		{"two sessions", func(p *stytchb2b.SMSAuthenticateParams) { p.SessionJWT = "a.b.c" }, "session_jwt"},
		{"an intermediate session too", func(p *stytchb2b.SMSAuthenticateParams) { p.IntermediateSessionToken = token }, "session_token"},
		{"the shortest session", func(p *stytchb2b.SMSAuthenticateParams) { p.SessionDurationMinutes = 5 }, ""},
		{"the longest session", func(p *stytchb2b.SMSAuthenticateParams) { p.SessionDurationMinutes = 527040 }, ""},
		{"what Stytch refuses", func(p *stytchb2b.SMSAuthenticateParams) {
			p.SessionDurationMinutes, p.SetMFAEnrollment = -60, "tomorrow"
		}, ""},
		{"no claims", func(p *stytchb2b.SMSAuthenticateParams) { p.SessionCustomClaims = map[string]any{} }, ""},
		{"a claim that is a function", func(p *stytchb2b.SMSAuthenticateParams) {
			p.SessionCustomClaims = map[string]any{token: func() {}}
		}, "session_custom_claims"},
		{"a claim that is no number", func(p *stytchb2b.SMSAuthenticateParams) {
			p.SessionCustomClaims = map[string]any{"a": math.NaN()}
		}, "session_custom_claims"},
		{"claims in a circle", func(p *stytchb2b.SMSAuthenticateParams) { p.SessionCustomClaims = circle }, "session_custom_claims"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := authenticateParams
			tc.change(&p)
			assertChecked(t, tc.field, func(c *stytchb2b.Client) error { return errorOf(c.OTPs.SMS.Authenticate(t.Context(), p)) })
		})
	}
}

// A success must be complete. Otherwise, any code could sign in.
func TestAuthenticateFailsClosed(t *testing.T) {
	t.Parallel()
	without := func(name string) string {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(ok.body), &fields))
		delete(fields, name)
		text, err := json.Marshal(fields)
		require.NoError(t, err)
		return string(text)
	}
	for _, tc := range []struct {
		body    string
		lacks   string
		outcome stytchb2b.Outcome
	}{
		{`{}`, "status_code", stytchb2b.OutcomeUnknown},
		{`{"status":"ok"}`, "status_code", stytchb2b.OutcomeUnknown},
		{`{"status_code":404,"error_type":"otp_code_not_found"}`, "status_code", stytchb2b.OutcomeUnknown},
		{without("status_code"), "status_code", stytchb2b.OutcomeApplied},
		{without("request_id"), "request_id", stytchb2b.OutcomeUnknown},
		{without("member_id"), "member_id", stytchb2b.OutcomeApplied},
		{without("session_token"), "session_token", stytchb2b.OutcomeApplied},
		{without("session_jwt"), "session_jwt", stytchb2b.OutcomeApplied},
		{without("member_session"), "member_session", stytchb2b.OutcomeApplied},
		{strings.Replace(ok.body, `"a token"`, "7", 1), "session_token", stytchb2b.OutcomeApplied},
	} {
		resp, err := newClient(t, &script{ends: []end{{status: 200, body: tc.body}}}).OTPs.SMS.Authenticate(t.Context(), authenticateParams)
		assert.Nil(t, resp)
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr, tc.body)
		assert.Equal(t, tc.outcome, apiErr.Outcome, tc.body)
		assert.Contains(t, err.Error(), "the body lacks a valid "+tc.lacks)
		assert.True(t, stytchb2b.MaybeUsed(err))
		assert.Equal(t, tc.body, apiErr.RawBody(), "the tokens are within reach")
		assertOneLine(t, err)
	}
}

// What a user types as the code does not show in a message, and does not change what
// a program switches on.
func TestCodeIsMasked(t *testing.T) {
	t.Parallel()
	for code, message := range map[string]string{
		"otp_code_not_found": "A message.", "request-id-test-0": "A message.", "https://stytch.com/docs": "A message.",
		"mess": "A [redacted]age.", "age": "A message.", // A shorter one tears words apart.
	} {
		p := authenticateParams
		p.Code = code
		_, err := newClient(t, &script{ends: []end{{status: 404, refusal: stytchb2b.ErrorTypeOTPCodeNotFound}}}).OTPs.SMS.Authenticate(t.Context(), p)
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, []string{"otp_code_not_found", "request-id-test-0", message}, []string{string(apiErr.ErrorType), apiErr.RequestID, apiErr.ErrorMessage})
	}
}
