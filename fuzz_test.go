package stytchb2b_test

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

// FuzzAnswer gives both calls any answer. A success is complete. An error has one line,
// and says that nothing happened only if it is Stytch's own error object.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		"", "{}", "null", "[]", `"a"`, "{", ok.body, `{"status_code":1e999}`, `{"member":{"name":"\ud800"}}`, `{"member":[]}`,
		`{"organization":{"allowed_mfa_methods":["sms_otp",null]}}`, "\xef\xbb\xbf{}", " \n\t{}", `{"request_id":"a\u0000b"}`,
		`{"REQUEST_ID":"a","request_id":null}`, strings.ToUpper(ok.body), ok.body[:len(ok.body)-1] + `,"Member_ID":"b"}`,
		`{"status_code":200,"request_id":"r","member_id":"m","member":{"lock_expires_at":""}}`, ok.body[:len(ok.body)-1] + `,"a\"b":{"x":"y:"}}`,
		`{"member_session":{"expires_at":"2026-05-04T03:02:01Z","custom_claims":{"a":[1]}}}`,
		`{"member_session":{"expires_at":"","authentication_factors":[null,{}]}}`, `{"session_token":null,"member_session":null}`,
		"<html>", "\xff\xfe", stytchError(400, "invalid_locale"), stytchError(429, "too_many_requests"),
		`{"error_type":{}}`, `{"error_type":"\u202e"}`,
	} {
		f.Add([]byte(body), "", 200)
		f.Add([]byte(body), "", 400)
		f.Add([]byte(body), "Sat, 01 Jan 2000 00:00:04 GMT", 429)
		f.Add([]byte(body), "99999999999999999999", 503)
	}
	f.Add([]byte("{}"), "", http.StatusSwitchingProtocols)
	f.Fuzz(func(t *testing.T, body []byte, retryAfter string, status int) {
		if status < 100 || status > 999 {
			status = 200
		}
		if status == http.StatusSwitchingProtocols {
			body = nil // Its body is the connection, which is not read.
		}
		client := newClient(t, roundTripper(end{status: status, retryAfter: retryAfter, body: string(body)}.do),
			stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxAttempts: 1}))
		check := func(i int, err error, raw json.RawMessage, statusCode int, required ...string) {
			if err == nil {
				assert.Equal(t, string(body), string(raw))
				assert.Equal(t, status, statusCode)
				assert.Equal(t, 2, status/100)
				assert.NotContains(t, required, "")
				return
			}
			assertOneLine(t, err)
			assert.True(t, utf8.ValidString(err.Error()))
			assert.False(t, calls[1-i].maybe(err), "it is not the other call")
			var apiErr *stytchb2b.APIError
			require.ErrorAs(t, err, &apiErr)
			assert.Equal(t, status, apiErr.StatusCode)
			assert.GreaterOrEqual(t, apiErr.RetryAfter, time.Duration(0))
			assert.Equal(t, string(body), apiErr.RawBody())
			if !calls[i].maybe(err) {
				assert.Equal(t, 4, status/100)
				var fields map[string]any
				require.NoError(t, json.Unmarshal(body, &fields))
				assert.EqualValues(t, status, fields["status_code"])
				assert.NotEmpty(t, fields["request_id"])
				assert.NotEmpty(t, fields["error_type"])
			}
		}
		sent, err := client.OTPs.SMS.Send(t.Context(), params)
		s := cmp.Or(sent, &stytchb2b.SMSSendResponse{})
		check(0, err, s.RawJSON, s.StatusCode, s.RequestID)
		authenticated, err := client.OTPs.SMS.Authenticate(t.Context(), authenticateParams)
		a := cmp.Or(authenticated, &stytchb2b.SMSAuthenticateResponse{})
		check(1, err, a.RawJSON, a.StatusCode, a.RequestID, a.MemberID, a.SessionToken, a.SessionJWT, a.MemberSession.MemberSessionID)
	})
}

// FuzzParams gives Send any parameters: if it does not refuse them, it sends them
// unchanged. Printed, they show no token.
func FuzzParams(f *testing.F) {
	f.Add("organization-test-1", "member-test-1", phone, "pt-BR", token)
	f.Add("", "\xff", "+1", "en-", "")
	f.Add("a", "b", "", "x-y", "c")
	f.Fuzz(func(t *testing.T, organization, member, number, locale, session string) {
		p := stytchb2b.SMSSendParams{
			OrganizationID: organization, MemberID: member, MFAPhoneNumber: number,
			Locale: stytchb2b.Locale(locale), SessionToken: session,
		}
		if len(session) > 20 && !strings.Contains(organization+member+number+locale, session) {
			assert.NotContains(t, p.String(), session)
		}
		var sent map[string]string
		client := newClient(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(body, &sent))
			return ok.do(req)
		}))
		_, err := client.OTPs.SMS.Send(t.Context(), p)
		if err != nil {
			var paramErr *stytchb2b.ParamError
			require.ErrorAs(t, err, &paramErr)
			assert.Nil(t, sent)
			assertOneLine(t, err)
			return
		}
		assert.True(t, strings.EqualFold(locale, sent["locale"]))
		assert.Equal(t, []string{organization, member, number, session},
			[]string{sent["organization_id"], sent["member_id"], sent["mfa_phone_number"], sent["session_token"]})
	})
}
