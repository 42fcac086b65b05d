package stytchb2b_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

const (
	phone = "+12025550199"
	token = "SeiGwdj5lKkrEVgcEY3QNJXt6srxS3IK2Nwkar6mXD4="
)

// The answer in Stytch's pages for its browser and mobile clients is a success
// (https://stytch.com/docs/api-reference/b2b/mobile-sdks/react-native/methods/otps/sms-send).
func TestSendAsDocumented(t *testing.T) {
	t.Parallel()
	const answer = `{"status_code": 200, "request_id": "request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141"}`
	resp, err := newClient(t, &script{ends: []end{{status: 200, body: answer}}}).OTPs.SMS.Send(t.Context(), params)
	require.NoError(t, err)
	assert.Equal(t, &stytchb2b.SMSSendResponse{
		StatusCode: 200, RequestID: "request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141", RawJSON: []byte(answer),
	}, resp)
}

// The request contains the given parameters, and nothing else.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		params any
		body   string
	}{
		{
			"a Send with the least",
			stytchb2b.SMSSendParams{OrganizationID: "organization-test-1", MemberID: "member-test-1"},
			`{"organization_id":"organization-test-1","member_id":"member-test-1"}`,
		},
		{
			"a number, a locale and an intermediate session token",
			stytchb2b.SMSSendParams{OrganizationID: "o", MemberID: "m", MFAPhoneNumber: phone, Locale: "pt-BR", IntermediateSessionToken: token},
			`{"organization_id":"o","member_id":"m","mfa_phone_number":"` + phone + `","locale":"pt-br","intermediate_session_token":"` + token + `"}`,
		},
		{
			"a session token",
			stytchb2b.SMSSendParams{OrganizationID: "o", MemberID: "m", SessionToken: token},
			`{"organization_id":"o","member_id":"m","session_token":"` + token + `"}`,
		},
		{
			"characters that JSON escapes",
			stytchb2b.SMSSendParams{OrganizationID: "a\"b\\c\n<é>\u2028😀", MemberID: "m", SessionJWT: "a.b.c"},
			`{"organization_id":"a\"b\\c\n\u003cé\u003e\u2028😀","member_id":"m","session_jwt":"a.b.c"}`,
		},
		{
			"an Authenticate with the least",
			stytchb2b.SMSAuthenticateParams{OrganizationID: "o", MemberID: "m", Code: "000042", SessionJWT: "a.b.c"},
			`{"organization_id":"o","member_id":"m","code":"000042","session_jwt":"a.b.c"}`,
		},
		{
			"an Authenticate with everything",
			stytchb2b.SMSAuthenticateParams{
				OrganizationID: "o", MemberID: "m", Code: "123456", IntermediateSessionToken: token,
				SessionDurationMinutes: 527040, SessionCustomClaims: map[string]any{"a": []int{1}, "b": nil},
				SetMFAEnrollment: stytchb2b.MFAUnenroll, SetDefaultMFA: true, TelemetryID: "t",
			},
			`{"organization_id":"o","member_id":"m","code":"123456","intermediate_session_token":"` + token + `",
				"session_duration_minutes":527040,"session_custom_claims":{"a":[1],"b":null},
				"set_mfa_enrollment":"unenroll","set_default_mfa":true,"telemetry_id":"t"}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got []*http.Request
			var body []byte
			client := newClient(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				if got = append(got, req); len(got) == 1 { // What a transport does to a request does not reach the next.
					req.Header.Set("X-Changed", "yes")
					req.URL.Host = "elsewhere.example.com"
					return refused.do(req)
				}
				body, _ = io.ReadAll(req.Body)
				return ok.do(req)
			}), stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxBackoff: 1}), stytchb2b.WithUserAgent("acme-login/1.4 (~)"))
			path := "/v1/b2b/otps/sms/send"
			var err error
			switch p := tc.params.(type) {
			case stytchb2b.SMSSendParams:
				_, err = client.OTPs.SMS.Send(t.Context(), p)
			case stytchb2b.SMSAuthenticateParams:
				path = "/v1/b2b/otps/sms/authenticate"
				_, err = client.OTPs.SMS.Authenticate(t.Context(), p)
			}
			require.NoError(t, err)
			req := got[1]
			assert.JSONEq(t, tc.body, string(body))
			assert.EqualValues(t, len(body), req.ContentLength)
			assert.Equal(t, "POST https://test.stytch.com"+path+" HTTP/1.1", req.Method+" "+req.URL.String()+" "+req.Proto)
			assert.Equal(t, "test.stytch.com", req.Host)
			assert.Regexp(t, `^acme-login/1\.4 \(~\) stytchb2b-go/\d+\.\d+\.\d+(-dev)?$`, req.Header.Get("User-Agent"))
			req.Header.Del("User-Agent")
			assert.Equal(t, http.Header{ // And no Idempotency-Key: net/http would repeat a POST that has one.
				"Accept": {"application/json"}, "Content-Type": {"application/json"},
				"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("project-test-1:secret-test-1"))},
			}, req.Header)
		})
	}
}

// Invalid parameters are refused before any I/O.
func TestSendRefuses(t *testing.T) {
	t.Parallel()
	number := func(s string) stytchb2b.SMSSendParams {
		return stytchb2b.SMSSendParams{OrganizationID: "o", MemberID: "m", MFAPhoneNumber: s}
	}
	locale := func(s stytchb2b.Locale) stytchb2b.SMSSendParams {
		return stytchb2b.SMSSendParams{OrganizationID: "o", MemberID: "m", Locale: s}
	}
	session := func(intermediate, token, jwt string) stytchb2b.SMSSendParams {
		return stytchb2b.SMSSendParams{OrganizationID: "o", MemberID: "m", IntermediateSessionToken: intermediate, SessionToken: token, SessionJWT: jwt}
	}
	for _, tc := range []struct {
		name   string
		params stytchb2b.SMSSendParams
		field  string // "" where the parameters are good
	}{
		{"the zero value", stytchb2b.SMSSendParams{}, "organization_id"},
		{"no member", stytchb2b.SMSSendParams{OrganizationID: "o"}, "member_id"},
		{"no UTF-8 in an ID", stytchb2b.SMSSendParams{OrganizationID: "\xff"}, "organization_id"},
		{"no UTF-8 in a token", session("", "a\xc3", ""), "session_token"},
		{"no UTF-8 in a locale", locale("e\xff"), "locale"},

		{"a number", number(phone), ""},
		{"Stytch's sandbox number", number("+10000000000"), ""},
		{"the shortest number", number("+12"), ""},
		{"the longest number", number("+123456789012345"), ""},
		{"one digit", number("+1"), "mfa_phone_number"},
		{"16 digits", number("+1234567890123456"), "mfa_phone_number"},
		{"no plus", number("12025550199"), "mfa_phone_number"},
		{"only a plus", number("+"), "mfa_phone_number"},
		{"a leading zero", number("+02025550199"), "mfa_phone_number"},
		{"spaces", number("+1 202 555 0199"), "mfa_phone_number"},
		{"hyphens", number("+1-202-555-0199"), "mfa_phone_number"},
		{"an extension", number("+12025550199x1"), "mfa_phone_number"},
		{"a newline", number("+12025550199\n"), "mfa_phone_number"},
		{"digits of another script", number("+١٢٠٢٥٥٥٠١٩٩"), "mfa_phone_number"},

		{"a known locale", locale("zh-Hans"), ""},
		{"a language of three letters", locale("yue"), ""},
		{"a region of digits", locale("es-419"), ""},
		{"a variant", locale("de-CH-1996"), ""},
		{"a word of eight letters", locale("en-boontlin"), ""},
		{"an extension", locale("en-u-ca-gregory"), ""},
		{"a private use", locale("en-x-acme"), ""},
		{"an underscore", locale("pt_BR"), "locale"},
		{"a word of nine letters", locale("englishes"), "locale"},
		{"a trailing hyphen", locale("en-"), "locale"},
		{"two hyphens", locale("en--US"), "locale"},
		{"a header of HTTP", locale("en-US,en;q=0.9"), "locale"},
		{"a space", locale("en "), "locale"},
		{"a newline behind", locale("en\n"), "locale"},
		{"another script", locale("ен"), "locale"},

		{"two tokens", session(token, token, ""), "session_token"},
		{"a token and a JWT", session("", token, "a.b.c"), "session_jwt"},
		{"all three", session(token, token, "a.b.c"), "session_token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			assertChecked(t, tc.field, func(c *stytchb2b.Client) error { return errorOf(c.OTPs.SMS.Send(t.Context(), tc.params)) })
		})
	}
}

// assertChecked checks a call with one parameter at fault, or none if fault is "".
// fault begins with the name of the field.
func assertChecked(t *testing.T, fault string, call func(*stytchb2b.Client) error) {
	t.Helper()
	if fault == "" {
		require.NoError(t, call(newClient(t, roundTripper(ok.do))))
		return
	}
	logged, err := nothingSent(t, call)
	var paramErr *stytchb2b.ParamError
	require.ErrorAs(t, err, &paramErr)
	assert.Equal(t, strings.Fields(fault)[0], paramErr.Field)
	assert.Contains(t, err.Error(), fault)
	for _, hidden := range []string{token, "2025550199", "202 555"} {
		assert.NotContains(t, err.Error()+logged, hidden)
	}
}

// nothingSent makes a call that ends before its first request. Its error and its
// record in the log say so.
func nothingSent(t *testing.T, call func(*stytchb2b.Client) error, opts ...stytchb2b.Option) (logged string, err error) {
	t.Helper()
	var log strings.Builder
	s := &script{ends: []end{ok}}
	err = call(newClient(t, s, append(opts, stytchb2b.WithLogger(debugLogger(&log)))...))
	require.Error(t, err)
	assert.Empty(t, s.at, "no I/O")
	assert.False(t, stytchb2b.MaybeSent(err) || stytchb2b.MaybeUsed(err))
	assertOneLine(t, err)
	assert.Regexp(t, `^\S+ level=WARN msg="stytchb2b: call" op=\S+ duration=\S+ outcome="not applied" attempts=0 error="stytchb2b: .*"\n$`, log.String())
	return log.String(), err
}

// errorOf returns the error of a call. There is either a response or an error.
func errorOf[R any](resp *R, err error) error {
	if (resp == nil) != (err != nil) {
		panic(fmt.Sprintf("%v and %v", resp, err))
	}
	return err
}

// An error is one line that begins with the package's name, once.
func assertOneLine(t *testing.T, err error) {
	t.Helper()
	assert.True(t, strings.HasPrefix(err.Error(), "stytchb2b: "), "%v", err)
	assert.NotContains(t, err.Error(), "\n")
	assert.Less(t, len(err.Error()), 4096)
}

func TestLocales(t *testing.T) {
	t.Parallel()
	for given, sent := range map[stytchb2b.Locale]string{
		"EN": "en", "es": "es", "Fr": "fr", "pt-BR": "pt-br", "PT-BR": "pt-br", "de-de": "de-DE", "ZH-HANS": "zh-Hans",
		"ca-es": "ca-ES", "sv-SE": "sv-SE", "pt-PT": "pt-PT", "de": "de",
	} {
		client := newClient(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(req.Body)
			assert.Contains(t, string(body), fmt.Sprintf(`"locale":%q`, sent))
			return ok.do(req)
		}))
		_, err := client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: "o", MemberID: "m", Locale: given})
		require.NoError(t, err)
	}
	locales := stytchb2b.Locales()
	assert.Len(t, locales, 16)
	locales[0] = "tlh"
	assert.NotContains(t, stytchb2b.Locales(), stytchb2b.Locale("tlh"), "it is a copy")
}

// A 2xx without the fields of a success is an error. It says that the SMS was sent only
// if the answer is Stytch's.
func TestSendResponseUnusable(t *testing.T) {
	t.Parallel()
	const unknown, applied = stytchb2b.OutcomeUnknown, stytchb2b.OutcomeApplied
	for _, tc := range []struct {
		name, body, says string
		outcome          stytchb2b.Outcome
	}{
		{"empty", "", "the body is empty", unknown},
		{"white space", " \n", "the body is empty", unknown},
		{"a captive portal", "<html>", "the body is not a JSON object", unknown},
		{"null", "null", "the body is not a JSON object", unknown},
		{"an array", `["request_id","request-id-test-1",{}]`, "the body is not a JSON object", unknown},
		{"a string", `"ok"`, "the body is not a JSON object", unknown},
		{"an empty object", `{}`, "the body lacks a valid status_code", unknown},
		{"another service", `{"status":"ok"}`, "the body lacks a valid status_code", unknown},
		{"another service's request ID", `{"request_id":"4711"}`, "the body lacks a valid status_code", unknown},
		{"an error", `{"status_code":404,"request_id":"request-id-test-1","error_type":"otp_code_not_found"}`, "the body lacks a valid status_code", unknown},
		{"no request ID", `{"status_code":%d,"member_id":"m"}`, "the body lacks a valid request_id", unknown},
		{"a request ID of another type", `{"status_code":%d,"member_id":"m","request_id":7}`, "the body lacks a valid request_id", unknown},
		{"another status", `{"status_code":202,"request_id":"r"}`, "the body lacks a valid status_code", unknown},
		{"an empty request ID", `{"status_code":%d,"request_id":""}`, "the body lacks a valid request_id", unknown},
		{"cut off before the request ID", `{"status_code":20`, "the body is not valid JSON", unknown},
		{"cut off behind the request ID", `{"request_id":"request-id-test-1","status_code":%d,"memb`, "the body is not valid JSON", applied},
		{"cut off with another status", `{"request_id":"request-id-test-1","status_code":400,"memb`, "the body is not valid JSON", unknown},
		{"two objects", `{}{}`, "the body is not valid JSON", unknown},
		{"over the limit", `{"a":"` + strings.Repeat("a", 1<<20) + `"}`, "over 1 MiB (no Content-Type, 1048576 bytes)", unknown},
		{"deep", strings.Repeat(`{"a":`, 20_000), "the body is not valid JSON", unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, status := range []int{200, 201, 299} {
				body := strings.ReplaceAll(tc.body, "%d", fmt.Sprint(status))
				client := newClient(t, &script{ends: []end{{status: status, body: body}}}, stytchb2b.WithRetry(stytchb2b.RetryPolicy{RetryUnknown: true}))
				resp, err := client.OTPs.SMS.Send(t.Context(), params)
				assert.Nil(t, resp)
				var apiErr *stytchb2b.APIError
				require.ErrorAs(t, err, &apiErr)
				assert.Equal(t, tc.outcome, apiErr.Outcome)
				assert.Equal(t, status, apiErr.StatusCode)
				assert.Equal(t, 1, apiErr.Attempts)
				assert.Equal(t, body[:min(len(body), 1<<20)], apiErr.RawBody())
				assert.True(t, stytchb2b.MaybeSent(err))
				assert.Contains(t, err.Error(), tc.says)
				assert.Contains(t, err.Error(), fmt.Sprintf("HTTP %d", status))
				assert.Equal(t, tc.outcome == applied, strings.Contains(err.Error(), "the SMS was sent (request ID request-id-test-1)"))
				assertOneLine(t, err)
			}
		})
	}
}

// Printed or logged parameters show no secrets and no full numbers.
func TestParamsAreMasked(t *testing.T) {
	t.Parallel()
	send := stytchb2b.SMSSendParams{
		OrganizationID: "organization-test-1", MemberID: "member-test-1", MFAPhoneNumber: phone, Locale: "es",
		IntermediateSessionToken: token + "1", SessionToken: token + "2", SessionJWT: token + "3",
	}
	enter := stytchb2b.SMSAuthenticateParams{
		OrganizationID: "organization-test-1", MemberID: "member-test-1", Code: "271828",
		IntermediateSessionToken: token + "1", SessionToken: token + "2", SessionJWT: token + "3",
		SessionDurationMinutes: 30, SessionCustomClaims: map[string]any{"salary": 314159},
		SetMFAEnrollment: stytchb2b.MFAEnroll, SetDefaultMFA: true, TelemetryID: "telemetry",
	}
	out := printed(send, &send, []any{send}, struct{ P stytchb2b.SMSSendParams }{send}, map[string]any{"p": enter}, enter, &enter, []any{enter})
	for _, hidden := range []string{token, phone, phone[1:], "5550199", "271828", "314159"} {
		assert.NotContains(t, out, hidden)
	}
	assert.Equal(t, "{organization_id:organization-test-1 member_id:member-test-1 mfa_phone_number:***0199 locale:es "+
		"intermediate_session_token:[redacted] session_token:[redacted] session_jwt:[redacted]}", send.String())
	assert.Equal(t, "{organization_id:organization-test-1 member_id:member-test-1 code:[redacted] intermediate_session_token:[redacted] "+
		"session_token:[redacted] session_jwt:[redacted] set_mfa_enrollment:enroll telemetry_id:telemetry session_duration_minutes:30 "+
		"session_custom_claims:[redacted] set_default_mfa:true}", enter.String())
	assert.Equal(t, "{organization_id:organization-test-1 member_id:member-test-1 code:[redacted] session_token:[redacted]}", authenticateParams.String())
	assert.Contains(t, out, "stytchb2b.SMSSendParams"+send.String())
	assert.Contains(t, out, "stytchb2b.SMSAuthenticateParams"+enter.String())
	assert.Contains(t, out, "value.mfa_phone_number=***0199")
	assert.Contains(t, out, "value.code=[redacted] value.intermediate_session_token=[redacted]")

	for number, masked := range map[string]string{"+12": "***", "+123456": "***", "+1234567": "***4567", "0199 or so": "***"} {
		assert.Contains(t, stytchb2b.SMSSendParams{MFAPhoneNumber: number}.String(), "mfa_phone_number:"+masked+"}")
	}
	assert.Equal(t, "{member_id:a forged line}", stytchb2b.SMSSendParams{MemberID: "a\x1b\nforged line"}.String())
}

// A logged response identifies the request, on one line, without personal data.
func TestResponsesAreMasked(t *testing.T) {
	t.Parallel()
	client := newClient(t, roundTripper(end{status: 200, body: full}.do))
	sent, err := client.OTPs.SMS.Send(t.Context(), params)
	require.NoError(t, err)
	resp, err := client.OTPs.SMS.Authenticate(t.Context(), authenticateParams)
	require.NoError(t, err)
	out := printed(sent, *sent, resp, *resp, resp.Member, &resp.Member, resp.Organization, resp.MemberSession, resp.MemberDevice, *resp.MemberDevice)
	for _, hidden := range []string{phone, "Ada", "ada", "a token", "a.b.c", "seats", "gold", "blue", "example.com", "192.0.2.1", "Reykjavik"} {
		assert.NotContains(t, out, hidden)
	}
	const text = "{request_id:request-id-test-1 status_code:200 member_id:member-test-1}"
	for _, shown := range []string{
		"stytchb2b.SMSSendResponse" + text, "stytchb2b.SMSAuthenticateResponse" + text, "value.request_id=request-id-test-1",
		"{organization_id:organization-test-1 organization_slug:acme}", "stytchb2b.MemberDevice{visitor_id:v}", "{member_id:member-test-1 status:active}",
	} {
		assert.Contains(t, out, shown)
	}

	forged := end{status: 200, body: strings.Replace(ok.body, "request-id-test-1", `request-id\u001b[2K\nlevel=ERROR`, 1)}
	sent, err = newClient(t, roundTripper(forged.do)).OTPs.SMS.Send(t.Context(), params)
	require.NoError(t, err)
	assert.Equal(t, "{request_id:request-id [2K level=ERROR status_code:200 member_id:member-test-1}", sent.String())
}

// printed is what package fmt and log/slog show of values.
func printed(values ...any) string {
	var out strings.Builder
	text := slog.New(slog.NewTextHandler(&out, nil))
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		text.Info("text", "value", v)
	}
	return out.String()
}
