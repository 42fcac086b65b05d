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

// A whole MFA step: the code is sent, and entered wrong, right and again.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	srv := stytchtest.NewServer()
	defer srv.Close()
	srv.SetTime(time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC))
	client := srv.Client()
	_, err := client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: srv.OrganizationID, MemberID: srv.MemberID})
	require.NoError(t, err)
	enter := stytchb2b.SMSAuthenticateParams{
		OrganizationID: srv.OrganizationID, MemberID: srv.MemberID,
		IntermediateSessionToken: srv.IntermediateSessionToken(srv.MemberID),
		SessionDurationMinutes:   30,
		SessionCustomClaims:      map[string]any{"team": "blue", "level": 3, "none": nil},
		SetMFAEnrollment:         stytchb2b.MFAEnroll,
		SetDefaultMFA:            true,
	}

	refused := func(want stytchb2b.ErrorType) {
		t.Helper()
		resp, err := client.OTPs.SMS.Authenticate(t.Context(), enter)
		assert.Nil(t, resp)
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, want, apiErr.ErrorType)
		assert.Equal(t, stytchb2b.OpSMSAuthenticate, apiErr.Op)
		assert.False(t, stytchb2b.MaybeUsed(err))
		assert.False(t, stytchb2b.MaybeSent(err))
		assert.Contains(t, err.Error(), "; the code was not used")
		assertOneLine(t, err)
	}
	enter.Code = "000000"
	refused(stytchb2b.ErrorTypeOTPCodeNotFound)

	enter.Code = srv.SMS()[0].Code
	resp, err := client.OTPs.SMS.Authenticate(t.Context(), enter)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Regexp(t, "^request-id-test-", resp.RequestID)
	assert.Equal(t, srv.MemberID, resp.MemberID)
	assert.NotEmpty(t, resp.SessionToken)
	assert.Len(t, strings.Split(resp.SessionJWT, "."), 3)
	assert.True(t, resp.Member.MFAEnrolled)
	assert.True(t, resp.Member.MFAPhoneNumberVerified)
	assert.Equal(t, "sms_otp", resp.Member.DefaultMFAMethod)
	assert.Equal(t, srv.OrganizationID, resp.Organization.OrganizationID)
	session := resp.MemberSession
	assert.Regexp(t, "^member-session-test-", session.MemberSessionID)
	assert.Equal(t, srv.MemberID, session.MemberID)
	assert.Equal(t, srv.OrganizationID, session.OrganizationID)
	assert.Equal(t, resp.Organization.OrganizationSlug, session.OrganizationSlug)
	assert.Equal(t, time.Date(2026, 5, 4, 3, 32, 1, 0, time.UTC), session.ExpiresAt)
	assert.Equal(t, time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), session.StartedAt)
	assert.Equal(t, session.StartedAt, session.LastAccessedAt)
	assert.Equal(t, []string{"stytch_member"}, session.Roles)
	assert.Equal(t, map[string]any{"team": "blue", "level": 3.0}, session.CustomClaims)
	require.Len(t, session.AuthenticationFactors, 2)
	assert.Equal(t, stytchb2b.AuthenticationFactor{
		Type: "otp", DeliveryMethod: "sms",
		LastAuthenticatedAt: session.StartedAt, CreatedAt: session.StartedAt, UpdatedAt: session.StartedAt,
	}, session.AuthenticationFactors[1])
	assert.Contains(t, string(resp.RawJSON), `"phone_number_factor"`)

	refused(stytchb2b.ErrorTypeIntermediateSessionNotFound)
	enter.IntermediateSessionToken, enter.SessionToken = "", resp.SessionToken
	refused(stytchb2b.ErrorTypeUnableToAuthOTPCode)
	assert.Len(t, srv.SMS(), 1)
}

// Bad parameters are found before any I/O.
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
		{"no session", func(p *stytchb2b.SMSAuthenticateParams) { p.SessionToken = "" }, "intermediate_session_token"},
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
			s := &script{ends: []end{ok}}
			resp, err := newClient(t, s).OTPs.SMS.Authenticate(t.Context(), p)
			if tc.field == "" {
				require.NoError(t, err)
				return
			}
			assert.Empty(t, s.at, "no I/O")
			assert.Nil(t, resp)
			var paramErr *stytchb2b.ParamError
			require.ErrorAs(t, err, &paramErr)
			assert.Equal(t, tc.field, paramErr.Field)
			assert.False(t, stytchb2b.MaybeUsed(err))
			assert.NotContains(t, err.Error(), token)
			assertOneLine(t, err)
		})
	}
	var none stytchb2b.Client
	_, err := none.OTPs.SMS.Authenticate(t.Context(), authenticateParams)
	assert.EqualError(t, err, "stytchb2b: client must be made by NewClient")
	_, err = none.OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{OrganizationID: "o", MemberID: "m", Code: "1"})
	assert.EqualError(t, err, "stytchb2b: intermediate_session_token is required, unless session_token or session_jwt is given")
}

// A success needs what makes it one, or any code would sign in.
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

// Codes, tokens and claims do not show when they are printed or logged.
func TestAuthenticateIsMasked(t *testing.T) {
	t.Parallel()
	p := stytchb2b.SMSAuthenticateParams{
		OrganizationID: "organization-test-1", MemberID: "member-test-1", Code: "271828",
		IntermediateSessionToken: token + "1", SessionToken: token + "2", SessionJWT: token + "3",
		SessionDurationMinutes: 30, SessionCustomClaims: map[string]any{"salary": 314159},
		SetMFAEnrollment: stytchb2b.MFAEnroll, SetDefaultMFA: true, TelemetryID: "telemetry",
	}
	body := `{"request_id":"request-id-test-1","status_code":200,"member_id":"member-test-1","session_token":"` + token + `","session_jwt":"` + token + `.b.c",
		"member":{"name":"Ada"},"member_session":{"member_session_id":"member-session-test-1","custom_claims":{"salary":314159}}}`
	resp, err := newClient(t, &script{ends: []end{{status: 200, body: body}}}).OTPs.SMS.Authenticate(t.Context(), authenticateParams)
	require.NoError(t, err)
	assert.Equal(t, token, resp.SessionToken)
	assert.Equal(t, body, string(resp.RawJSON))

	out := printed(p, &p, []any{p}, resp, *resp, resp.MemberSession)
	for _, hidden := range []string{token, "271828", "314159", "Ada"} {
		assert.NotContains(t, out, hidden)
	}
	assert.Equal(t, "{organization_id:organization-test-1 member_id:member-test-1 code:[redacted] intermediate_session_token:[redacted] "+
		"session_token:[redacted] session_jwt:[redacted] set_mfa_enrollment:enroll telemetry_id:telemetry session_duration_minutes:30 "+
		"session_custom_claims:[redacted] set_default_mfa:true}", p.String())
	assert.Contains(t, out, "value.code=[redacted] value.intermediate_session_token=[redacted]")
	assert.Equal(t, map[string]any{"salary": 314159}, p.SessionCustomClaims, "the caller's map is not changed")
}

// What a user types as the code does not change what a program switches on.
func TestCodeDoesNotMaskFields(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"otp_code_not_found", "request-id-test-0", "000000", "https://stytch.com/docs", "age"} {
		p := authenticateParams
		p.Code = code
		_, err := newClient(t, &script{ends: []end{{status: 404, refusal: stytchb2b.ErrorTypeOTPCodeNotFound}}}).OTPs.SMS.Authenticate(t.Context(), p)
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, stytchb2b.ErrorTypeOTPCodeNotFound, apiErr.ErrorType)
		assert.Equal(t, "request-id-test-0", apiErr.RequestID)
		assert.Equal(t, "A message.", apiErr.ErrorMessage)
	}
}
