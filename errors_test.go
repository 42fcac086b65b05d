package stytchb2b_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/faults"
)

func TestAPIError(t *testing.T) {
	t.Parallel()
	const stranger = "not an error from Stytch: no Content-Type, "
	object := func(status int, errorType stytchb2b.ErrorType, more string) string {
		return fmt.Sprintf(`{"status_code":%d,"request_id":"request-id-test-1","error_type":%q%s}`, status, errorType, more)
	}
	for _, tc := range []struct {
		name       string
		status     int
		retryAfter time.Duration
		body       string
		errorType  stytchb2b.ErrorType // of Stytch's error
		text       string              // between the status and the request ID
	}{
		{"an error of Stytch's", 400, 0, object(400, "invalid_locale", `,"error_message":"The locale\nis invalid.","error_url":"https://stytch.com/docs/400"`),
			stytchb2b.ErrorTypeInvalidLocale, " invalid_locale: The locale is invalid; no SMS was sent"},
		{"what to do", 401, 0, object(401, "unauthorized_credentials", ""), stytchb2b.ErrorTypeUnauthorizedCredentials,
			" unauthorized_credentials; no SMS was sent; check the project ID and the secret, and that both belong to the environment (test or live) of the base URL"},
		{"a rate limit", 429, time.Minute, object(429, "too_many_requests", ""), stytchb2b.ErrorTypeTooManyRequests, " too_many_requests; no SMS was sent; retry in 1m0s"},
		{"Stytch's own 499", 499, 0, object(499, "client_closed_request", ""), stytchb2b.ErrorTypeClientClosedRequest, " client_closed_request; an SMS may have been sent"},
		{"a failure of Stytch's", 503, 2 * time.Minute, object(503, "server_unavailable", ""), stytchb2b.ErrorTypeServerUnavailable,
			" server_unavailable; an SMS may have been sent; retry in 2m0s"},
		{"texts of other types", 400, 0, object(400, "invalid_locale", `,"error_message":{"en":"no"},"error_url":7`), stytchb2b.ErrorTypeInvalidLocale,
			" invalid_locale; no SMS was sent"},
		{"another status in the body", 400, 0, object(404, "member_not_found", ""), "", " Bad Request, " + stranger + "84 bytes; an SMS may have been sent"},
		{"no request ID", 400, 0, `{"status_code":400,"error_type":"invalid_locale"}`, "", " Bad Request, " + stranger + "49 bytes; an SMS may have been sent"},
		{"no error type", 400, 0, `{"status_code":400,"request_id":"request-id-test-1"}`, "", " Bad Request, " + stranger + "52 bytes; an SMS may have been sent"},
		{"a page of a proxy", 502, 0, "<html>\n<h1>Bad Gateway</h1>", "", " Bad Gateway, " + stranger + "27 bytes; an SMS may have been sent"},
		{"an error of somebody else", 403, 0, `{"message":"Forbidden","request_id":"7"}`, "", " Forbidden, " + stranger + "40 bytes; an SMS may have been sent"},
		{"nothing", 500, 0, "", "", " Internal Server Error, " + stranger + "0 bytes; an SMS may have been sent"},
		{"no status that there is", 799, 0, "", "", ", " + stranger + "0 bytes; an SMS may have been sent"},
		{"a body over the limit", 400, 0, object(400, "invalid_locale", `,"error_message":"`+strings.Repeat("a", 1<<20)+`"`), "",
			" Bad Request, " + stranger + "1048576 bytes; reading its body: the body is over 1 MiB; an SMS may have been sent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := end{status: tc.status, body: tc.body}
			if tc.retryAfter > 0 {
				e.retryAfter = fmt.Sprint(tc.retryAfter.Seconds())
			}
			resp, err := newClient(t, &script{ends: []end{e}}, stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxAttempts: 1})).OTPs.SMS.Send(t.Context(), params)
			assert.Nil(t, resp)
			text, id := fmt.Sprintf("stytchb2b: HTTP %d%s", tc.status, tc.text), ""
			if tc.errorType != "" {
				id = "request-id-test-1"
				text += " (request ID " + id + ")"
			}
			assert.EqualError(t, err, text)
			assertOneLine(t, err)
			var got *stytchb2b.APIError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, []any{stytchb2b.OpSMSSend, tc.status, tc.errorType, id, tc.retryAfter, 1},
				[]any{got.Op, got.StatusCode, got.ErrorType, got.RequestID, got.RetryAfter, got.Attempts})
			assert.Equal(t, tc.retryAfter, stytchb2b.RetryAfter(err))
			assert.Equal(t, tc.body[:min(len(tc.body), 1<<20)], got.RawBody())
			if tc.name == "an error of Stytch's" {
				assert.Equal(t, "The locale\nis invalid. https://stytch.com/docs/400", got.ErrorMessage+" "+got.ErrorURL)
			}
		})
	}
}

// What each answer proves: every status, from Stytch and from others.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const stytch, other, page, empty = "Stytch's object", "another object", "a page", "empty"
	for status := 100; status <= 599; status++ {
		for _, kind := range []string{stytch, other, page, empty} {
			body := map[string]string{
				stytch: stytchError(status, "an_error"),
				other:  fmt.Sprintf(`{"status":%d,"error":"Forbidden","request_id":"1"}`, status),
				page:   "<html>",
			}[kind]
			refused := kind == stytch && status >= 400 && status < 500 && status != 408 && status != 460 && status != 499
			client := newClient(t, &script{ends: []end{{status: status, body: body}}})
			for i, call := range calls {
				err := call.do(t.Context(), client)
				if i == 0 && kind == stytch && status/100 == 2 {
					assert.NoError(t, err) // It has what makes a success of a Send.
					continue
				}
				require.Error(t, err, "%d, %s", status, kind)
				assert.Equal(t, !refused, call.maybe(err), "%d, %s: %v", status, kind, err)
				assert.Equal(t, 1, attemptsOf(err))
			}
		}
	}
}

// calls are the library's calls with valid parameters, and the texts of their errors.
var calls = []struct {
	do    func(context.Context, *stytchb2b.Client) error
	maybe func(error) bool
	says  map[bool]string // by maybe
}{
	{
		func(ctx context.Context, c *stytchb2b.Client) error { return errorOf(c.OTPs.SMS.Send(ctx, params)) },
		stytchb2b.MaybeSent, map[bool]string{false: "; no SMS was sent", true: "; an SMS may have been sent"},
	},
	{
		func(ctx context.Context, c *stytchb2b.Client) error {
			return errorOf(c.OTPs.SMS.Authenticate(ctx, authenticateParams))
		},
		stytchb2b.MaybeUsed, map[bool]string{false: "; the code was not used", true: "; the code may be used up"},
	},
}

func TestMaybeSent(t *testing.T) {
	t.Parallel()
	var (
		param   = &stytchb2b.ParamError{Field: "member_id", Reason: "is required"}
		no      = &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeNotApplied, Err: errNetwork}
		refusal = &stytchb2b.APIError{StatusCode: 400, Outcome: stytchb2b.OutcomeNotApplied}
		unknown = &stytchb2b.APIError{StatusCode: 500, Outcome: stytchb2b.OutcomeUnknown}
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
		{"ConfigError", &stytchb2b.ConfigError{Name: "secret"}, false},
		{"GuardError", &stytchb2b.GuardError{Err: errFraud}, false},
		{"TransportError, not sent", no, false},
		{"TransportError, sent", sent, true},
		{"APIError, not sent", refusal, false},
		{"APIError, unknown", unknown, true},
		{"a stranger's 400", &stytchb2b.APIError{StatusCode: 400, Outcome: stytchb2b.OutcomeUnknown}, true},
		{"wrapped", fmt.Errorf("login: %w", fmt.Errorf("send: %w", no)), false},
		{"wrapped with a foreign one", fmt.Errorf("%w: %w", foreign, no), true},
		{"wrapped unknown", fmt.Errorf("%w: %w", foreign, unknown), true},
		{"two Sends, neither sent", errors.Join(no, param), false},
		{"two Sends, the second may have", errors.Join(no, unknown), true},
		{"a Send and a stranger", errors.Join(param, foreign), true},
		{"joined foreign ones", errors.Join(foreign, foreign), true},
		{"one that wraps none", hidden{}, true},

		{"made by hand: 400", &stytchb2b.APIError{StatusCode: 400, ErrorType: "t"}, false},
		{"made by hand: 429", &stytchb2b.APIError{StatusCode: 429, ErrorType: "t"}, false},
		{"made by hand: 499", &stytchb2b.APIError{StatusCode: 499, ErrorType: "t"}, true},
		{"made by hand: client_closed_request", &stytchb2b.APIError{StatusCode: 400, ErrorType: stytchb2b.ErrorTypeClientClosedRequest}, true},
		{"made by hand: internal_server_error under another status", &stytchb2b.APIError{StatusCode: 403, ErrorType: stytchb2b.ErrorTypeInternalServerError}, true},
		{"made by hand: server_unavailable under another status", &stytchb2b.APIError{StatusCode: 429, ErrorType: stytchb2b.ErrorTypeServerUnavailable}, true},
		{"made by hand: 500", &stytchb2b.APIError{StatusCode: 500, ErrorType: "t"}, true},
		{"made by hand: a stranger's 400", &stytchb2b.APIError{StatusCode: 400}, true},
		{"made by hand: nothing", &stytchb2b.APIError{}, true},
		{"made by hand: no answer", &stytchb2b.TransportError{}, true},

		{"a nil *ParamError", (*stytchb2b.ParamError)(nil), true},
		{"a nil *ConfigError", (*stytchb2b.ConfigError)(nil), true},
		{"a nil *GuardError", (*stytchb2b.GuardError)(nil), true},
		{"a nil *APIError", (*stytchb2b.APIError)(nil), true},
		{"a nil *TransportError", (*stytchb2b.TransportError)(nil), true},
	} {
		assert.Equal(t, tc.want, stytchb2b.MaybeSent(tc.err), tc.name)
		assert.Equal(t, tc.want, stytchb2b.MaybeUsed(tc.err), tc.name)
	}
	send := &stytchb2b.APIError{Op: stytchb2b.OpSMSSend, StatusCode: 500}
	enter := &stytchb2b.TransportError{Op: stytchb2b.OpSMSAuthenticate}
	for _, tc := range []struct {
		err        error
		sent, used bool
	}{{send, true, false}, {enter, false, true}, {errors.Join(send, enter), true, true}, {errors.Join(send, param), true, false}} {
		assert.Equal(t, tc.sent, stytchb2b.MaybeSent(tc.err), "%v", tc.err)
		assert.Equal(t, tc.used, stytchb2b.MaybeUsed(tc.err), "%v", tc.err)
	}
}

func TestRetryAfterOf(t *testing.T) {
	t.Parallel()
	limited, guard := &stytchb2b.APIError{RetryAfter: time.Minute}, &stytchb2b.GuardError{RetryAfter: time.Second}
	for want, errs := range map[time.Duration][]error{
		0:           {nil, errNetwork, &stytchb2b.ParamError{}, &stytchb2b.TransportError{}},
		time.Second: {guard},
		time.Minute: {limited, fmt.Errorf("login: %w", limited), &stytchb2b.TransportError{Err: errors.Join(context.Canceled, limited)}, errors.Join(guard, limited)},
	} {
		for _, err := range errs {
			assert.Equal(t, want, stytchb2b.RetryAfter(err), "%v", err)
		}
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
	assert.Equal(t, "unknown, not applied, applied", fmt.Sprintf("%v, %v, %v", stytchb2b.OutcomeUnknown, stytchb2b.OutcomeNotApplied, stytchb2b.OutcomeApplied))
	client := newClient(t, http.DefaultTransport, stytchb2b.WithBaseURL("http://"+faults.Nobody),
		stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1, MaxBackoff: 1}))
	_, err := client.OTPs.SMS.Send(t.Context(), params)
	var opErr *net.OpError
	require.ErrorAs(t, err, &opErr, "the cause can be reached")
	assert.Equal(t, "dial", opErr.Op)
	assert.Equal(t, 3, attemptsOf(err))
}

// If a server, a proxy or a transport echoes the request, in any encoding, the echo does
// not show in an error, in what it wraps, or in the log.
func TestErrorsShowNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "secret-test-hunter2hunter2"
	basic := base64.StdEncoding.EncodeToString([]byte("project-test-1:" + secret))
	send := params
	send.MFAPhoneNumber, send.SessionToken = phone, token
	values := []string{secret, basic, token, phone}
	encodings := map[string]func(string) string{
		"as it is": func(s string) string { return s },
		"URL":      url.QueryEscape,
		"HTML":     html.EscapeString,
		"base64":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"hex":      func(s string) string { return hex.EncodeToString([]byte(s)) },
		"upper":    strings.ToUpper,
		"lower":    strings.ToLower,
		"quoted":   func(s string) string { return fmt.Sprintf("%q", s) },
		"cut":      func(s string) string { return s[:len(s)-3] },
		"behind":   func(s string) string { return s[1:] },
		"JSON":     func(s string) string { return `\u00` + hex.EncodeToString([]byte(s[:1])) + s[1:] },
		"spaced":   func(s string) string { return strings.Join(strings.Split(s, ""), " ") },
	}
	brokenBodyOf := func(text string) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			resp, err := end{status: 500}.do(req)
			resp.Body = io.NopCloser(iotest.ErrReader(errors.New(text)))
			return resp, err
		}
	}
	for _, e := range []struct {
		name   string
		end    func(text string) roundTripper
		others bool // The text is somebody else's: nothing of it shows.
	}{
		{"a page", func(text string) roundTripper { return end{status: 502, body: "<pre>" + text}.do }, true},
		{"a page that is cut", func(text string) roundTripper { return end{status: 502, body: strings.Repeat("a", 500) + text}.do }, true},
		{"an object", func(text string) roundTripper {
			return end{status: 403, body: fmt.Sprintf(`{"error_message":%q}`, text)}.do
		}, true},
		{"a success", func(text string) roundTripper { return end{status: 200, body: fmt.Sprintf(`{"a":%q}`, text)}.do }, true},
		{"Stytch's message", func(text string) roundTripper {
			return end{status: 400, body: fmt.Sprintf(`{"status_code":400,"request_id":"r","error_type":"e","error_message":%q,"error_url":%q}`, text, text)}.do
		}, false},
		{"a transport", func(text string) roundTripper { return end{err: errors.New(text), connected: true}.do }, false},
		{"what a transport wraps", func(text string) roundTripper {
			return end{err: &net.OpError{Op: "write", Err: hidden{nil, errors.New(text)}}, connected: true}.do
		}, false},
		{"a body that breaks", brokenBodyOf, false},
	} {
		for name, encode := range encodings {
			if !e.others && (name == "base64" || name == "hex" || name == "spaced" || name == "JSON") {
				continue // Stytch and the caller's own transport do not hide what they say.
			}
			t.Run(e.name+", "+name, func(t *testing.T) {
				t.Parallel()
				var logged strings.Builder
				for _, value := range values {
					client, err := stytchb2b.NewClient("project-test-1", secret,
						stytchb2b.WithHTTPClient(&http.Client{Transport: e.end(encode(value))}), stytchb2b.WithLogger(debugLogger(&logged)))
					require.NoError(t, err)
					_, err = client.OTPs.SMS.Send(t.Context(), send)
					require.Error(t, err)
					assertOneLine(t, err)
					shown := strings.ToLower(logged.String() + allTexts(err))
					part := strings.ToLower(encode(value))
					assert.NotContains(t, shown, part[len(part)/2-4:len(part)/2+4], "%s", value)
				}
			})
		}
	}
}

// allTexts returns all texts in an error's tree.
func allTexts(err error) string {
	text := fmt.Sprintf("%v %+v %#v %q\n", err, err, err, err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if e.Unwrap() != nil {
			text += allTexts(e.Unwrap())
		}
	case interface{ Unwrap() []error }:
		for _, child := range e.Unwrap() {
			if child != nil {
				text += allTexts(child)
			}
		}
	}
	return text
}

// hidden errors are wrapped by one whose text does not show them.
type hidden []error

func (hidden) Error() string     { return "the write failed" }
func (h hidden) Unwrap() []error { return h }

// A masked cause is still found.
func TestMaskedCauseIsFound(t *testing.T) {
	t.Parallel()
	cause := &net.OpError{Op: "write", Err: fmt.Errorf("%w: Authorization: Basic %s", context.DeadlineExceeded,
		base64.StdEncoding.EncodeToString([]byte("project-test-1:secret-test-1")))}
	_, err := newClient(t, roundTripper(end{err: cause, connected: true}.do)).OTPs.SMS.Send(t.Context(), params)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	var opErr *net.OpError
	require.ErrorAs(t, err, &opErr)
	assert.Equal(t, "write", opErr.Op)
	assert.NotContains(t, allTexts(err), "Basic c")

	clean := &net.OpError{Op: "write", Err: hidden{errNetwork}}
	_, err = newClient(t, roundTripper(end{err: clean, connected: true}.do)).OTPs.SMS.Send(t.Context(), params)
	assert.Same(t, clean, errors.Unwrap(err), "it is not masked without need")
}

// The answer is available, but does not show when the error is printed.
func TestRawAnswer(t *testing.T) {
	t.Parallel()
	const body = `{"status_code":400,"request_id":"r","error_type":"e","error_details":{"number":"+12025550123"}}`
	for _, status := range []int{200, 400} {
		err := calls[0].do(t.Context(), newClient(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := end{status: status, body: body, retryAfter: "7"}.do(req)
			resp.Header.Set("Content-Type", "text/+12025550123")
			return resp, err
		})))
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, body+"7", apiErr.RawBody()+apiErr.Header().Get("Retry-After"))
		assert.NotContains(t, fmt.Sprintf("%+v %#v", apiErr, *apiErr), "2025550123")
	}
	byHand := &stytchb2b.APIError{StatusCode: 400, ErrorType: "bad_request"}
	assert.Empty(t, byHand.RawBody())
	assert.Nil(t, byHand.Header())
}

// Stytch's IDs are never masked, although they may contain what looks like a phone
// number.
func TestIDsAreNotMasked(t *testing.T) {
	t.Parallel()
	const requestID, memberID = "request-id-test-12345678-9012-4345-8678-901234567890", "member-test-ABCDEF01-0123-4567-89AB-012345678901"
	refusal := end{status: 429, retryAfter: "2", body: `{"status_code":429,"request_id":"` + requestID + `","error_type":"too_many_requests",` +
		`"error_message":"Too many codes for ` + memberID + ` at +12025550199"}`}
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel) // in the wait
		_, err := newClient(t, &script{ends: []end{refusal}}, stytchb2b.WithLogger(debugLogger(&logged))).OTPs.SMS.Send(ctx, params)
		for _, text := range []string{err.Error(), logged.String()} {
			assert.Contains(t, text, "request ID "+requestID)
			assert.Contains(t, text, "Too many codes for "+memberID+" at ***0199")
		}
	})
}

// A call that ends before its first request says why.
func TestNothingSent(t *testing.T) {
	t.Parallel()
	var none context.Context
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(errFraud)
	expired, stop := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer stop()
	guard := stytchb2b.WithGuard(&testGuard{refuse: errors.New("no more for +12025550123")})
	for i, call := range calls {
		for ctx, text := range map[context.Context]string{
			none:        "ctx must not be nil",
			canceled:    "no usable answer after 0 attempts: context canceled: looks like fraud" + call.says[false],
			expired:     "no usable answer after 0 attempts: context deadline exceeded" + call.says[false],
			t.Context(): "the guard refused: no more for +12025550123" + call.says[false],
		} {
			logged, err := nothingSent(t, func(c *stytchb2b.Client) error { return call.do(ctx, c) }, guard)
			assert.EqualError(t, err, "stytchb2b: "+text)
			assert.Contains(t, logged, " op="+[]string{"OTPs.SMS.Send", "OTPs.SMS.Authenticate"}[i]+" ")
			assert.Contains(t, logged, strings.ReplaceAll(text, "+12025550123", "***0123"))
			if ctx != none && ctx.Err() != nil {
				assert.ErrorIs(t, err, ctx.Err())
				assert.ErrorIs(t, err, context.Cause(ctx))
				assert.Zero(t, attemptsOf(err))
			}
		}
		assert.EqualError(t, call.do(t.Context(), &stytchb2b.Client{}), "stytchb2b: client must be made by NewClient")
	}
}
