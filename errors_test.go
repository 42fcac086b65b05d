package stytchb2b_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestAPIError(t *testing.T) {
	t.Parallel()
	const object = `{"status_code":400,"request_id":"request-id-test-1","error_type":"invalid_phone_number",` +
		`"error_message":"The phone number\nis invalid.","error_url":"https://stytch.com/docs/400","error_details":{"a":1}}`
	for _, tc := range []struct {
		name       string
		status     int
		retryAfter string
		body       string
		want       stytchb2b.APIError
		text       string
	}{
		{
			"an error of Stytch's", 400, "", object,
			stytchb2b.APIError{
				StatusCode: 400, RequestID: "request-id-test-1", ErrorType: stytchb2b.ErrorTypeInvalidPhoneNumber,
				ErrorMessage: "The phone number\nis invalid.", ErrorURL: "https://stytch.com/docs/400",
				Attempts: 1, Outcome: stytchb2b.OutcomeNotApplied,
			},
			"stytchb2b: HTTP 400 invalid_phone_number: The phone number is invalid; no SMS was sent (request ID request-id-test-1)",
		},
		{
			"what to do", 401, "", `{"error_type":"unauthorized_credentials","error_message":"Unauthorized credentials."}`,
			stytchb2b.APIError{
				StatusCode: 401, ErrorType: stytchb2b.ErrorTypeUnauthorizedCredentials, ErrorMessage: "Unauthorized credentials.",
				Attempts: 1, Outcome: stytchb2b.OutcomeNotApplied,
			},
			"stytchb2b: HTTP 401 unauthorized_credentials: Unauthorized credentials; no SMS was sent; " +
				"check the project ID and the secret, and that both are of the environment (test or live) of the base URL",
		},
		{
			"a rate limit", 429, "60", `{"error_type":"too_many_requests","error_message":"Too many requests."}`,
			stytchb2b.APIError{
				StatusCode: 429, ErrorType: stytchb2b.ErrorTypeTooManyRequests, ErrorMessage: "Too many requests.",
				RetryAfter: time.Minute, Attempts: 1, Outcome: stytchb2b.OutcomeNotApplied,
			},
			"stytchb2b: HTTP 429 too_many_requests: Too many requests; no SMS was sent; try again in 1m0s",
		},
		{
			"the HTTP status counts, not the body's", 503, "120", `{"status_code":200,"error_type":"server_unavailable"}`,
			stytchb2b.APIError{StatusCode: 503, ErrorType: stytchb2b.ErrorTypeServerUnavailable, RetryAfter: 2 * time.Minute, Attempts: 1},
			"stytchb2b: HTTP 503 server_unavailable; an SMS may have been sent; try again in 2m0s",
		},
		{
			"a page of a proxy's", 502, "", "<html>\n<h1>Bad Gateway</h1>",
			stytchb2b.APIError{StatusCode: 502, Body: "<html>\n<h1>Bad Gateway</h1>", Attempts: 1},
			`stytchb2b: HTTP 502 Bad Gateway, not an error of Stytch's: "<html>\n<h1>Bad Gateway</h1>"; an SMS may have been sent`,
		},
		{
			"an error of somebody else's", 403, "", `{"message":"Forbidden"}`,
			stytchb2b.APIError{StatusCode: 403, Body: `{"message":"Forbidden"}`, Attempts: 1, Outcome: stytchb2b.OutcomeNotApplied},
			`stytchb2b: HTTP 403 Forbidden, not an error of Stytch's: "{\"message\":\"Forbidden\"}"; no SMS was sent`,
		},
		{
			"nothing", 500, "", "",
			stytchb2b.APIError{StatusCode: 500, Attempts: 1},
			"stytchb2b: HTTP 500 Internal Server Error; an SMS may have been sent",
		},
		{
			"no status that there is", 799, "", "",
			stytchb2b.APIError{StatusCode: 799, Attempts: 1},
			"stytchb2b: HTTP 799; an SMS may have been sent",
		},
		{
			"fields of other types", 400, "", `{"request_id":"r","error_type":"invalid_locale","error_message":{"en":"no"},"error_url":7,"status_code":"400"}`,
			stytchb2b.APIError{StatusCode: 400, RequestID: "r", ErrorType: stytchb2b.ErrorTypeInvalidLocale, Attempts: 1, Outcome: stytchb2b.OutcomeNotApplied},
			"stytchb2b: HTTP 400 invalid_locale; no SMS was sent (request ID r)",
		},
		{
			"a long body", 500, "", strings.Repeat("é", 300),
			stytchb2b.APIError{StatusCode: 500, Body: strings.Repeat("é", 256), Attempts: 1},
			`stytchb2b: HTTP 500 Internal Server Error, not an error of Stytch's: "` + strings.Repeat("é", 256) + `"; an SMS may have been sent`,
		},
		{
			"a body over the limit", 500, "", strings.Repeat("a", 1<<20+1),
			stytchb2b.APIError{StatusCode: 500, Body: strings.Repeat("a", 512), Attempts: 1},
			`stytchb2b: HTTP 500 Internal Server Error, not an error of Stytch's: "` + strings.Repeat("a", 512) +
				`"; reading its body: the body is over 1 MiB; an SMS may have been sent`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := &script{ends: []end{{status: tc.status, retryAfter: tc.retryAfter, body: tc.body}}}
			resp, err := newClient(t, s, stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxAttempts: 1})).OTPs.SMS.Send(t.Context(), params)
			assert.Nil(t, resp)
			assert.EqualError(t, err, tc.text)
			assertOneLine(t, err)
			var got *stytchb2b.APIError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, tc.want, stytchb2b.APIError{
				StatusCode: got.StatusCode, RequestID: got.RequestID, ErrorType: got.ErrorType, ErrorMessage: got.ErrorMessage,
				ErrorURL: got.ErrorURL, RetryAfter: got.RetryAfter, Body: got.Body, Attempts: got.Attempts, Outcome: got.Outcome,
			})
		})
	}
}

// Each error of the fake comes back with its type, and no SMS was sent.
func TestErrorTypes(t *testing.T) {
	t.Parallel()
	srv := stytchtest.NewServer()
	defer srv.Close()
	valid := stytchb2b.SMSSendParams{OrganizationID: srv.OrganizationID, MemberID: srv.MemberID}
	wrongSecret, err := stytchb2b.NewClient(srv.ProjectID, "secret-test-wrong", stytchb2b.WithBaseURL(srv.URL))
	require.NoError(t, err)
	for _, tc := range []struct {
		client *stytchb2b.Client
		change func(*stytchb2b.SMSSendParams)
		status int
		want   stytchb2b.ErrorType
	}{
		{wrongSecret, func(*stytchb2b.SMSSendParams) {}, 401, stytchb2b.ErrorTypeUnauthorizedCredentials},
		{srv.Client(), func(p *stytchb2b.SMSSendParams) { p.OrganizationID = "organization-test-2" }, 404, stytchb2b.ErrorTypeOrganizationNotFound},
		{srv.Client(), func(p *stytchb2b.SMSSendParams) { p.MemberID = "member-test-2" }, 404, stytchb2b.ErrorTypeMemberNotFound},
		{srv.Client(), func(p *stytchb2b.SMSSendParams) { p.Locale = "tlh" }, 400, stytchb2b.ErrorTypeInvalidLocale},
		{srv.Client(), func(p *stytchb2b.SMSSendParams) { p.MFAPhoneNumber = phone }, 400, stytchb2b.ErrorTypeDuplicateMemberPhoneNumberForMember},
		{srv.Client(stytchb2b.WithBaseURL(srv.URL + "/elsewhere")), func(*stytchb2b.SMSSendParams) {}, 404, stytchb2b.ErrorTypeRouteNotFound},
	} {
		p := valid
		tc.change(&p)
		_, err := tc.client.OTPs.SMS.Send(t.Context(), p)
		var apiErr *stytchb2b.APIError
		if assert.ErrorAs(t, err, &apiErr) {
			assert.Equal(t, tc.status, apiErr.StatusCode)
			assert.Equal(t, tc.want, apiErr.ErrorType)
			assert.NotEmpty(t, apiErr.RequestID)
			assert.NotEmpty(t, apiErr.ErrorURL)
			assert.False(t, stytchb2b.MaybeSent(err))
		}
	}
	assert.Empty(t, srv.SMS())
}

func TestMaybeSent(t *testing.T) {
	t.Parallel()
	var (
		param   = &stytchb2b.ParamError{Field: "member_id", Reason: "is required"}
		no      = &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeNotApplied, Err: errNetwork}
		refusal = &stytchb2b.APIError{StatusCode: 400, Outcome: stytchb2b.OutcomeNotApplied}
		unknown = &stytchb2b.APIError{StatusCode: 500}
		sent    = &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeApplied, Err: errNetwork}
		foreign = errors.New("login failed")
	)
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, true},
		{"foreign", foreign, true},
		{"a foreign context error", context.Canceled, true},
		{"ParamError", param, false},
		{"GuardError", &stytchb2b.GuardError{Err: errFraud}, false},
		{"TransportError, not sent", no, false},
		{"TransportError, sent", sent, true},
		{"APIError, not sent", refusal, false},
		{"APIError, unknown", unknown, true},
		{"made by hand", &stytchb2b.APIError{StatusCode: 429}, true},
		{"wrapped", fmt.Errorf("login: %w", fmt.Errorf("send: %w", no)), false},
		{"wrapped with a foreign one", fmt.Errorf("%w: %w", foreign, no), false},
		{"wrapped unknown", fmt.Errorf("%w: %w", foreign, unknown), true},
		{"two Sends, neither sent", errors.Join(no, param), false},
		{"two Sends, the second may have", errors.Join(no, unknown), true},
		{"joined foreign ones", errors.Join(foreign, foreign), true},
	} {
		assert.Equal(t, tc.want, stytchb2b.MaybeSent(tc.err), tc.name)
	}
}

func TestTransportErrorText(t *testing.T) {
	t.Parallel()
	for text, err := range map[string]error{
		"stytchb2b: no usable answer after 1 attempt: the network failed; an SMS may have been sent": &stytchb2b.TransportError{Attempts: 1, Err: errNetwork},
		"stytchb2b: no usable answer after 0 attempts: a b; no SMS was sent":                         &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeNotApplied, Err: errors.New("a\r\n\x00b\xff")},
		"stytchb2b: no usable answer after 2 attempts: unknown cause; the SMS was sent":              &stytchb2b.TransportError{Attempts: 2, Outcome: stytchb2b.OutcomeApplied},
	} {
		assert.EqualError(t, err, text)
	}
	client := newClient(t, http.DefaultTransport, stytchb2b.WithBaseURL("http://"+nobody),
		stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1, MaxBackoff: 1}))
	_, err := client.OTPs.SMS.Send(t.Context(), params)
	var opErr *net.OpError
	require.ErrorAs(t, err, &opErr, "the cause can be reached")
	assert.Equal(t, "dial", opErr.Op)
	assert.Equal(t, 3, attemptsOf(err))
}

func TestOutcomeString(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "unknown, not applied, applied", fmt.Sprintf("%v, %v, %v", stytchb2b.OutcomeUnknown, stytchb2b.OutcomeNotApplied, stytchb2b.OutcomeApplied))
}

// What a server, a proxy or a transport echoes of a request does not show in an
// error.
func TestErrorsAreRedacted(t *testing.T) {
	t.Parallel()
	const secret = "secret-test-hunter2hunter2"
	basic := base64.StdEncoding.EncodeToString([]byte("project-test-1:" + secret))
	send := params
	send.MFAPhoneNumber, send.SessionJWT = phone, "eyJhbGciOiJSUzI1NiJ9.payload.signature"
	echo := fmt.Sprintf("Authorization: Basic %s; secret %s; body %s %s %%2B%s", basic, secret, phone, send.SessionJWT, phone[1:])
	for name, transport := range map[string]roundTripper{
		"a page":                   end{status: 502, body: "<pre>" + echo}.do,
		"a message":                end{status: 400, body: fmt.Sprintf(`{"error_type":"invalid_phone_number","error_message":%q,"request_id":%q}`, echo, secret)}.do,
		"an escaped message":       end{status: 400, body: `{"error_message":"\u0073` + secret[1:] + `, \u0065` + send.SessionJWT[1:] + `"}`}.do,
		"a page cut in the middle": end{status: 502, body: strings.Repeat("a", 500) + secret}.do,
		"a transport":              end{err: errors.New(echo), connected: true}.do,
		"a success":                end{status: 200, body: fmt.Sprintf(`{"request_id":7, "%s":1}`, echo)}.do,
		"a broken body": func(req *http.Request) (*http.Response, error) {
			resp, err := end{status: 500}.do(req)
			resp.Body = brokenBody{errors.New(echo)}
			return resp, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged strings.Builder
			client, err := stytchb2b.NewClient("project-test-1", secret,
				stytchb2b.WithHTTPClient(&http.Client{Transport: transport}), stytchb2b.WithLogger(debugLogger(&logged)))
			require.NoError(t, err)
			_, err = client.OTPs.SMS.Send(t.Context(), send)
			require.Error(t, err)
			shown := logged.String()
			for e := err; e != nil; e = errors.Unwrap(e) {
				shown += fmt.Sprintf("%v %+v %#v %s\n", e, e, e, e)
				if strings.Contains(fmt.Sprintf("%T", e), "redacted") {
					break // What is behind it is the cause itself.
				}
			}
			for _, hidden := range []string{secret, basic, phone[1:], send.SessionJWT} {
				assert.NotContains(t, shown, hidden)
			}
			assertOneLine(t, err)
		})
	}
}

type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }
func (b brokenBody) Close() error             { return nil }
