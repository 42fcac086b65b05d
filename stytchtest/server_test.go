package stytchtest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

const (
	sendPath         = "/v1/b2b/otps/sms/send"
	authenticatePath = "/v1/b2b/otps/sms/authenticate"
	passwordPath     = "/v1/b2b/passwords/authenticate"
	sessionPath      = "/v1/b2b/sessions/authenticate"
	revokePath       = "/v1/b2b/sessions/revoke"
)

// An answer is what the server says, in the fields that tests look at.
type answer struct {
	HTTPStatus int
	RetryAfter string

	StatusCode               int                     `json:"status_code"`
	RequestID                string                  `json:"request_id"`
	ErrorType                string                  `json:"error_type"`
	ErrorMessage             string                  `json:"error_message"`
	ErrorURL                 string                  `json:"error_url"`
	MemberID                 string                  `json:"member_id"`
	SessionToken             string                  `json:"session_token"`
	SessionJWT               string                  `json:"session_jwt"`
	IntermediateSessionToken string                  `json:"intermediate_session_token"`
	MemberAuthenticated      bool                    `json:"member_authenticated"`
	MFARequired              any                     `json:"mfa_required"`
	MemberSession            stytchb2b.MemberSession `json:"member_session"`
	Organization             stytchb2b.Organization  `json:"organization"`
	Member                   struct {
		stytchb2b.Member
		IsLocked      bool   `json:"is_locked"`
		LockCreatedAt string `json:"lock_created_at"`
		LockExpiresAt string `json:"lock_expires_at"`
	} `json:"member"`
}

func (a answer) factors() string {
	var names []string
	for _, f := range a.MemberSession.AuthenticationFactors {
		names = append(names, f.Type)
	}
	return strings.Join(names, " ")
}

func (a answer) error() string { return fmt.Sprint(a.HTTPStatus, " ", a.ErrorType) }

type fields map[string]any

// post makes a request for the server's first Member, changed by change.
func post(t *testing.T, s *stytchtest.Server, path string, change fields) answer {
	t.Helper()
	body := fields{"organization_id": s.OrganizationID, "member_id": s.MemberID}
	maps.Copy(body, change)
	return postOnly(t, s, path, body)
}

// postOnly makes a request with just these fields.
func postOnly(t *testing.T, s *stytchtest.Server, path string, f fields) answer {
	t.Helper()
	text, err := json.Marshal(f)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, bytes.NewReader(text))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.SetBasicAuth(s.ProjectID, s.Secret)
	resp, err := s.HTTPClient().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	a := answer{HTTPStatus: resp.StatusCode, RetryAfter: resp.Header.Get("Retry-After")}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&a))
	assert.Equal(t, a.HTTPStatus, a.StatusCode)
	assert.Regexp(t, "^request-id-test-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", a.RequestID)
	if a.StatusCode != 200 {
		assert.NotEmpty(t, a.ErrorMessage)
		assert.Contains(t, a.ErrorURL, fmt.Sprintf("/%d#%s", a.StatusCode, a.ErrorType))
	}
	return a
}

// enter has a code sent, and enters it. The fields are those of both requests.
func enter(t *testing.T, s *stytchtest.Server, f fields) answer {
	t.Helper()
	to := fields{}
	for _, name := range []string{"organization_id", "member_id", "mfa_phone_number"} {
		if value, ok := f[name]; ok {
			to[name] = value
		}
	}
	require.Equal(t, 200, post(t, s, sendPath, to).HTTPStatus)
	f["code"] = newest(s).Code
	return post(t, s, authenticatePath, f)
}

func member(t *testing.T, s *stytchtest.Server, m stytchtest.Member) stytchtest.Member {
	t.Helper()
	added, err := s.AddMember(m)
	require.NoError(t, err)
	return added
}

func organization(t *testing.T, s *stytchtest.Server, o stytchtest.Organization) stytchtest.Organization {
	t.Helper()
	added, err := s.AddOrganization(o)
	require.NoError(t, err)
	return added
}

// session adds a Member with a number who needs no MFA, and logs the Member in.
func session(t *testing.T, s *stytchtest.Server) stytchtest.PrimaryAuthentication {
	t.Helper()
	login, err := s.LogIn(member(t, s, stytchtest.Member{MFAPhoneNumber: "+12025550123"}).MemberID)
	require.NoError(t, err)
	return login
}

// What Send answers in each state, and whether an SMS goes out.
func TestSend(t *testing.T) {
	t.Parallel()
	const first = "+12025550123"
	for _, tc := range []struct {
		name      string
		fields    func(*testing.T, *stytchtest.Server) fields
		status    int
		errorType string
		to        string
	}{
		{"the Member's own number", func(*testing.T, *stytchtest.Server) fields { return nil }, 200, "", "+12025550106"},
		{"the same number", func(*testing.T, *stytchtest.Server) fields { return fields{"mfa_phone_number": "+12025550106"} }, 200, "", "+12025550106"},
		{"a first number", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"member_id": member(t, s, stytchtest.Member{}).MemberID, "mfa_phone_number": first}
		}, 200, "", first},
		{"no number at all", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"member_id": member(t, s, stytchtest.Member{}).MemberID}
		}, 400, "missing_sms_parameter", ""},
		{"another Member's number", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"member_id": member(t, s, stytchtest.Member{}).MemberID, "mfa_phone_number": "+12025550106"}
		}, 400, "duplicate_member_phone_number", ""},
		{"the number of a Member of another Organization", func(t *testing.T, s *stytchtest.Server) fields {
			o := organization(t, s, stytchtest.Organization{})
			m := member(t, s, stytchtest.Member{OrganizationID: o.OrganizationID})
			return fields{"organization_id": o.OrganizationID, "member_id": m.MemberID, "mfa_phone_number": "+12025550106"}
		}, 200, "", "+12025550106"},

		{"a Member of another Organization", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"organization_id": organization(t, s, stytchtest.Organization{}).OrganizationID}
		}, 404, "member_not_found", ""},
		{"slug and external ID", func(t *testing.T, s *stytchtest.Server) fields {
			o := organization(t, s, stytchtest.Organization{Slug: "acme"})
			member(t, s, stytchtest.Member{OrganizationID: o.OrganizationID, ExternalID: "ada-1", MFAPhoneNumber: first})
			return fields{"organization_id": "acme", "member_id": "ada-1"}
		}, 200, "", first},
		{"external IDs", func(t *testing.T, s *stytchtest.Server) fields {
			organization(t, s, stytchtest.Organization{ExternalID: "tenant 7"})
			member(t, s, stytchtest.Member{OrganizationID: "tenant 7", ExternalID: "ada-1", MFAPhoneNumber: first})
			return fields{"organization_id": "tenant 7", "member_id": "ada-1"}
		}, 200, "", first},
		{"an Organization without SMS", func(t *testing.T, s *stytchtest.Server) fields {
			o := organization(t, s, stytchtest.Organization{AllowedMFAMethods: []string{"totp"}})
			m := member(t, s, stytchtest.Member{OrganizationID: o.OrganizationID, MFAPhoneNumber: first})
			return fields{"organization_id": o.OrganizationID, "member_id": m.MemberID}
		}, 400, "operation_restricted_by_organization_mfa_methods", ""},
		{"an Organization without SMS, a breakglass Member", func(t *testing.T, s *stytchtest.Server) fields {
			o := organization(t, s, stytchtest.Organization{AllowedMFAMethods: []string{"totp"}})
			m := member(t, s, stytchtest.Member{OrganizationID: o.OrganizationID, MFAPhoneNumber: first, IsBreakglass: true})
			return fields{"organization_id": o.OrganizationID, "member_id": m.MemberID}
		}, 200, "", first},
		{"a pending Member", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"member_id": member(t, s, stytchtest.Member{Status: "pending", MFAPhoneNumber: first}).MemberID}
		}, 400, "action_available_only_for_active_members", ""},
		{"a deleted Member", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"member_id": member(t, s, stytchtest.Member{Status: "deleted", MFAPhoneNumber: first}).MemberID}
		}, 404, "member_not_found", ""},

		{"Canada", func(t *testing.T, s *stytchtest.Server) fields { return withNumber(t, s, "+14165550123") }, 200, "", "+14165550123"},
		{"the sandbox number", func(t *testing.T, s *stytchtest.Server) fields { return withNumber(t, s, "+10000000000") }, 200, "", "+10000000000"},
		{"Jamaica, +1 too", func(t *testing.T, s *stytchtest.Server) fields { return withNumber(t, s, "+18765550123") }, 400, "invalid_phone_number_country_code", ""},
		{"the Dominican Republic, +1 too", func(t *testing.T, s *stytchtest.Server) fields { return withNumber(t, s, "+18495550123") }, 400, "invalid_phone_number_country_code", ""},
		{"a freephone number", func(t *testing.T, s *stytchtest.Server) fields { return withNumber(t, s, "+18005550123") }, 400, "invalid_phone_number_country_code", ""},
		{"+1 and too few digits", func(t *testing.T, s *stytchtest.Server) fields { return withNumber(t, s, "+1202555") }, 400, "invalid_phone_number_country_code", ""},
		{"Germany", func(t *testing.T, s *stytchtest.Server) fields { return withNumber(t, s, "+4915112345678") }, 400, "invalid_phone_number_country_code", ""},
		{"Germany, allowed", func(t *testing.T, s *stytchtest.Server) fields {
			require.NoError(t, s.AllowCountries("DE", "JM"))
			return withNumber(t, s, "+4915112345678")
		}, 200, "", "+4915112345678"},
		{"the US, no longer allowed", func(t *testing.T, s *stytchtest.Server) fields {
			require.NoError(t, s.AllowCountries("DE"))
			return nil
		}, 400, "invalid_phone_number_country_code", ""},
		{"no calling code there is", func(t *testing.T, s *stytchtest.Server) fields { return withNumber(t, s, "+99912345678") }, 400, "invalid_phone_number_country_code", ""},

		{"an intermediate session", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID)}
		}, 200, "", "+12025550106"},
		{"a session", func(t *testing.T, s *stytchtest.Server) fields {
			login := session(t, s)
			return fields{"member_id": login.MemberID, "session_token": login.SessionToken}
		}, 200, "", first},
		{"a session's JWT", func(t *testing.T, s *stytchtest.Server) fields {
			login := session(t, s)
			return fields{"member_id": login.MemberID, "session_jwt": login.SessionJWT}
		}, 200, "", first},
		{"a session token as an intermediate one", func(t *testing.T, s *stytchtest.Server) fields {
			login := session(t, s)
			return fields{"member_id": login.MemberID, "intermediate_session_token": login.SessionToken}
		}, 404, "intermediate_session_not_found", ""},
		{"an expired session", func(t *testing.T, s *stytchtest.Server) fields {
			login := session(t, s)
			s.Advance(time.Hour)
			return fields{"member_id": login.MemberID, "session_token": login.SessionToken}
		}, 404, "session_not_found", ""},
		{"an expired intermediate session", func(_ *testing.T, s *stytchtest.Server) fields {
			token := s.IntermediateSessionToken(s.MemberID)
			s.Advance(10 * time.Minute)
			return fields{"intermediate_session_token": token}
		}, 404, "intermediate_session_not_found", ""},
		{"a session of another Member", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"session_token": session(t, s).SessionToken}
		}, 400, "member_session_member_id_mismatch", ""},
		{"an intermediate session of another Member", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"intermediate_session_token": s.IntermediateSessionToken(member(t, s, stytchtest.Member{}).MemberID)}
		}, 400, "member_session_member_id_mismatch", ""},
		{"an intermediate session of another Organization's Member", func(t *testing.T, s *stytchtest.Server) fields {
			o := organization(t, s, stytchtest.Organization{})
			m := member(t, s, stytchtest.Member{OrganizationID: o.OrganizationID})
			return fields{"intermediate_session_token": s.IntermediateSessionToken(m.MemberID)}
		}, 400, "invalid_intermediate_session_token_for_organization", ""},
		{"an intermediate session of the same person in another Organization", func(t *testing.T, s *stytchtest.Server) fields {
			o := organization(t, s, stytchtest.Organization{})
			m := member(t, s, stytchtest.Member{OrganizationID: o.OrganizationID, EmailAddress: "Ada@Example.com"})
			return fields{"intermediate_session_token": s.IntermediateSessionToken(m.MemberID)}
		}, 200, "", "+12025550106"},
		{"a first number beside another factor", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"member_id": member(t, s, stytchtest.Member{TOTP: true}).MemberID, "mfa_phone_number": first}
		}, 403, "session_authorization_error", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			a := post(t, s, sendPath, tc.fields(t, s))
			assert.Equal(t, tc.status, a.HTTPStatus, a.ErrorType)
			assert.Equal(t, tc.errorType, a.ErrorType)
			sms := s.SMS()
			if tc.to == "" {
				assert.Empty(t, sms)
				return
			}
			require.Len(t, sms, 1)
			assert.Equal(t, tc.to, sms[0].To)
			assert.Equal(t, tc.to, a.Member.MFAPhoneNumber)
			stored, ok := s.Member(a.MemberID)
			require.True(t, ok)
			assert.Equal(t, tc.to, stored.MFAPhoneNumber, "the number is the Member's")
		})
	}
}

func withNumber(t *testing.T, s *stytchtest.Server, number string) fields {
	return fields{"member_id": member(t, s, stytchtest.Member{MFAPhoneNumber: number}).MemberID}
}

func TestLocales(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	for _, locale := range []string{"", "en", "es", "fr", "pt-br", "it", "de-DE", "zh-Hans", "ca-ES", "ja", "ru", "nl", "pl", "tr", "fa", "vi", "cs"} {
		require.Equal(t, 200, post(t, s, sendPath, fields{"locale": locale}).HTTPStatus, locale)
		sms, err := s.NextSMS(t.Context())
		require.NoError(t, err)
		assert.Equal(t, cmp.Or(locale, "en"), sms.Locale)
		assert.Regexp(t, `^\d{6}$`, sms.Code)
		assert.Equal(t, "Example Inc.: your verification code is "+sms.Code+".", sms.Text)
	}
}

// A login from end to end, and each way for the code to be wrong.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	type step func(*testing.T, *stytchtest.Server) fields
	code := func(s *stytchtest.Server) string { return newest(s).Code }
	good := func(_ *testing.T, s *stytchtest.Server) fields {
		return fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID), "code": code(s)}
	}
	but := func(name string, value any) step {
		return func(t *testing.T, s *stytchtest.Server) fields { return with(good(t, s), name, value) }
	}
	for _, tc := range []struct {
		name      string
		fields    step
		status    int
		errorType string
	}{
		{"right", good, 200, ""},
		{"malformed", but("code", "12345a"), 400, "invalid_code"},
		{"expired", func(t *testing.T, s *stytchtest.Server) fields { s.Advance(2 * time.Minute); return good(t, s) }, 401, "unable_to_auth_otp_code"},
		{"just not expired", func(t *testing.T, s *stytchtest.Server) fields {
			s.SetTime(s.SMS()[0].At.Add(2*time.Minute - 1))
			return good(t, s)
		}, 200, ""},
		{"replaced", func(t *testing.T, s *stytchtest.Server) fields {
			f := good(t, s)
			for code(s) == f["code"] {
				post(t, s, sendPath, nil)
			}
			return f
		}, 404, "otp_code_not_found"},
		{"another Member's", func(t *testing.T, s *stytchtest.Server) fields {
			login := session(t, s)
			return fields{"member_id": login.MemberID, "code": code(s), "session_token": login.SessionToken}
		}, 404, "otp_code_not_found"},
		{"an intermediate session that is used up", func(t *testing.T, s *stytchtest.Server) fields {
			f := good(t, s)
			require.Equal(t, 200, post(t, s, authenticatePath, f).HTTPStatus)
			post(t, s, sendPath, nil)
			f["code"] = code(s)
			return f
		}, 404, "intermediate_session_not_found"},
		{"a session of another Member", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"code": code(s), "session_token": session(t, s).SessionToken}
		}, 400, "member_session_member_id_mismatch"},
		{"an intermediate session token as a session's", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"code": code(s), "session_token": s.IntermediateSessionToken(s.MemberID)}
		}, 404, "session_not_found"},
		{"a JWT as a session token", func(t *testing.T, s *stytchtest.Server) fields {
			login := session(t, s)
			return fields{"member_id": login.MemberID, "code": code(s), "session_token": login.SessionJWT}
		}, 404, "session_not_found"},
		{"the shortest duration", but("session_duration_minutes", 5), 200, ""},
		{"the longest duration", but("session_duration_minutes", 527040), 200, ""},
		{"a duration of 0", but("session_duration_minutes", 0), 400, "invalid_session_duration_minutes"},
		{"claims of another type", but("session_custom_claims", "admin"), 400, "bad_request"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			require.Equal(t, 200, post(t, s, sendPath, nil).HTTPStatus)
			a := post(t, s, authenticatePath, tc.fields(t, s))
			assert.Equal(t, tc.status, a.HTTPStatus, a.ErrorType)
			assert.Equal(t, tc.errorType, a.ErrorType)
			if tc.status == 200 {
				assert.NotEmpty(t, a.SessionToken)
				assert.Len(t, strings.Split(a.SessionJWT, "."), 3)
				assert.Equal(t, "magic_link otp", a.factors())
			}
		})
	}
}

// What a right code changes.
func TestAuthenticateChanges(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	required := organization(t, s, stytchtest.Organization{MFAPolicy: "REQUIRED_FOR_ALL"})
	m := member(t, s, stytchtest.Member{OrganizationID: required.OrganizationID})
	a := enter(t, s, fields{
		"organization_id": required.OrganizationID, "member_id": m.MemberID, "mfa_phone_number": "+12025550107",
		"intermediate_session_token": s.IntermediateSessionToken(m.MemberID),
	})
	assert.True(t, a.Member.MFAPhoneNumberVerified)
	assert.True(t, a.Member.MFAEnrolled, "the Organization requires it")
	assert.Empty(t, a.Member.DefaultMFAMethod, "nobody asked for it")
	assert.Equal(t, "REQUIRED_FOR_ALL", a.Organization.MFAPolicy)
	assert.Equal(t, now.Add(time.Hour), a.MemberSession.ExpiresAt)

	// A step up of a session: it stays the same one.
	s.Advance(10 * time.Minute)
	login := session(t, s)
	f := fields{"organization_id": s.OrganizationID, "member_id": login.MemberID, "session_token": login.SessionToken}
	f["set_mfa_enrollment"], f["session_duration_minutes"] = "enroll", 5
	a = enter(t, s, f)
	assert.True(t, a.Member.MFAEnrolled)
	assert.Equal(t, f["session_token"], a.SessionToken)
	assert.Equal(t, "magic_link otp", a.factors())
	assert.Equal(t, now.Add(15*time.Minute), a.MemberSession.ExpiresAt)
	f["set_mfa_enrollment"], f["set_default_mfa"] = "unenroll", true
	delete(f, "session_token")
	f["session_jwt"] = a.SessionJWT
	a = enter(t, s, f)
	assert.False(t, a.Member.MFAEnrolled)
	assert.Equal(t, "sms_otp", a.Member.DefaultMFAMethod)
}

// How long a session lasts, and its JWT; and what becomes of its claims.
func TestSession(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	jwt := func(a answer) map[string]any { return verified(t, s, a.SessionJWT) }

	// A new session lasts 60 minutes, without claims...
	a := enter(t, s, fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID), "session_custom_claims": fields{"team": "blue"}})
	assert.Equal(t, now.Add(time.Hour), a.MemberSession.ExpiresAt)
	assert.Equal(t, map[string]any{}, a.MemberSession.CustomClaims)

	// ... or as long as is asked for, with claims.
	a = enter(t, s, fields{
		"intermediate_session_token": s.IntermediateSessionToken(s.MemberID), "session_duration_minutes": 120,
		"session_custom_claims": fields{"team": "blue", "a": fields{"b": 1, "c": 2}, "none": nil, "sid": "mine", "exp": 1, "sub": "somebody else"},
	})
	assert.Equal(t, now.Add(2*time.Hour), a.MemberSession.ExpiresAt)
	assert.Equal(t, map[string]any{"team": "blue", "sid": "mine", "a": map[string]any{"b": 1.0, "c": 2.0}}, a.MemberSession.CustomClaims)
	assert.Subset(t, jwt(a), map[string]any{
		"team": "blue", "sid": "mine", "a": map[string]any{"b": 1.0, "c": 2.0}, "sub": s.MemberID, "exp": float64(now.Add(5 * time.Minute).Unix()),
	})

	// Later it keeps its end, and its claims change. The JWT that names it has expired.
	s.Advance(10 * time.Minute)
	token := a.SessionToken
	a = enter(t, s, fields{"session_jwt": a.SessionJWT, "session_custom_claims": fields{"team": nil, "a": fields{"b": nil, "d": []int{3}}, "e": fields{"f": nil}}})
	require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
	assert.Equal(t, token, a.SessionToken)
	assert.Equal(t, now.Add(2*time.Hour), a.MemberSession.ExpiresAt)
	claims := map[string]any{"sid": "mine", "a": map[string]any{"c": 2.0, "d": []any{3.0}}, "e": map[string]any{}}
	assert.Equal(t, claims, a.MemberSession.CustomClaims)
	assert.Subset(t, jwt(a), claims)
	assert.NotContains(t, jwt(a), "team")
	assert.EqualValues(t, now.Add(15*time.Minute).Unix(), jwt(a)["exp"])

	// Its claims have room for 4 KB in all. What is refused changes nothing, and
	// leaves the code good.
	f := fields{"session_token": token, "session_custom_claims": fields{"sid": nil, "a": nil, "e": nil, "big": strings.Repeat("x", 4096-len(`{"big":""}`))}}
	a = enter(t, s, f)
	require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
	f["session_custom_claims"] = fields{"more": 1}
	a = enter(t, s, f)
	assert.Equal(t, 400, a.HTTPStatus)
	assert.Equal(t, "custom_claims_too_large", a.ErrorType)
	delete(f, "session_custom_claims")
	a = post(t, s, authenticatePath, f)
	require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
	assert.NotContains(t, a.MemberSession.CustomClaims, "more")
}

// Tests see what arrived, and how it was answered.
func TestRequests(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	post(t, s, sendPath, fields{"locale": "es"})
	s.Fail(stytchtest.Fault{Reset: true})
	_, _, err := rawSend(t, s)
	require.Error(t, err)
	requests := s.Requests()
	require.Len(t, requests, 2)
	r := requests[0]
	assert.Equal(t, "POST "+sendPath+" 200", fmt.Sprint(r.Method, " ", r.Path, " ", r.StatusCode))
	assert.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
	assert.JSONEq(t, fmt.Sprintf(`{"organization_id":%q,"member_id":%q,"locale":"es"}`, s.OrganizationID, s.MemberID), r.Body)
	assert.Zero(t, requests[1].StatusCode)
}

func TestNextSMS(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.NextSMS(ctx)
	assert.ErrorIs(t, err, context.Canceled)

	received := make(chan stytchtest.SMS)
	go func() {
		defer close(received)
		for range 3 {
			sms, err := s.NextSMS(t.Context())
			assert.NoError(t, err)
			received <- sms
		}
	}()
	var sent []stytchtest.SMS
	for range 3 {
		post(t, s, sendPath, nil)
		sent = append(sent, <-received)
	}
	assert.Equal(t, s.SMS(), sent)
}

// What is added must be what Stytch has.
func TestAddRefuses(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	for says, o := range map[string]stytchtest.Organization{
		"mfa_policy":          {MFAPolicy: "SOMETIMES"},
		"allowed_mfa_methods": {AllowedMFAMethods: []string{"email"}},
		"already":             {OrganizationID: s.OrganizationID},
	} {
		_, err := s.AddOrganization(o)
		assert.ErrorContains(t, err, says)
	}
	for says, m := range map[string]stytchtest.Member{
		"there is no Organization": {OrganizationID: "organization-test-0"},
		"status":                   {Status: "gone"},
		"E.164":                    {MFAPhoneNumber: "555"},
		"default_mfa_method":       {DefaultMFAMethod: "email"},
		"already":                  {MemberID: s.MemberID},
	} {
		_, err := s.AddMember(m)
		assert.ErrorContains(t, err, says)
	}
	assert.ErrorContains(t, s.AllowCountries("US", "XX"), `"XX"`)
	assert.Error(t, s.AllowCountries(""))
	assert.Panics(t, func() { s.IntermediateSessionToken("member-test-0") })
	assert.Panics(t, func() { s.Client(stytchb2b.WithTimeout(-1)) })
	_, ok := s.Member("member-test-0")
	assert.False(t, ok)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, says string }{
		{"", "EOF"},
		{"[]", "cannot unmarshal array"},
		{"{}\n{}", "more than one"},
		{`{"users": []}`, `unknown field "users"`},
		{`{"members": [{}, {"phone": ""}]}`, `unknown field "phone"`},
		{`{"members": [{}, {"organization_id": "o"}]}`, `members[1]: stytchtest: organization_id: there is no Organization "o"`},
		{`{"organizations": [{"mfa_policy": "o"}]}`, "organizations[0]: stytchtest: mfa_policy"},
	} {
		s := stytchtest.NewServer()
		defer s.Close()
		assert.ErrorContains(t, s.Load(strings.NewReader(tc.text)), tc.says)
	}
}

// Each fault, and whether the SMS went out all the same.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, newServer := range []func() *stytchtest.Server{stytchtest.NewServer, stytchtest.NewTLSServer} {
		for _, tc := range []struct {
			name  string
			fault stytchtest.Fault
			sms   int
			check func(*testing.T, *http.Response, []byte, error)
		}{
			{"none", stytchtest.Fault{}, 1, func(t *testing.T, resp *http.Response, _ []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 200, resp.StatusCode)
			}},
			{"a status", stytchtest.Fault{StatusCode: 502, Header: http.Header{"Via": {"1.1 proxy"}}, Body: "<html>"}, 0, func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, "502 1.1 proxy <html>", fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Via"), " ", string(body)))
			}},
			{"a status after processing", stytchtest.Fault{StatusCode: 500, Processed: true}, 1, func(t *testing.T, resp *http.Response, _ []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 500, resp.StatusCode)
			}},
			{"Stytch's own 403", stytchtest.Fault{StatusCode: 403}, 0, func(t *testing.T, _ *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Contains(t, string(body), `"error_type":"organization_suspended"`)
			}},
			{"reset before", stytchtest.Fault{Reset: true}, 0, func(t *testing.T, _ *http.Response, _ []byte, err error) { assert.Error(t, err) }},
			{"reset after", stytchtest.Fault{Reset: true, Processed: true}, 1, func(t *testing.T, _ *http.Response, _ []byte, err error) { assert.Error(t, err) }},
			{"truncated", stytchtest.Fault{Truncate: true}, 1, func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NotNil(t, resp)
				assert.Equal(t, 200, resp.StatusCode)
				assert.NotEmpty(t, body)
				assert.Error(t, err)
			}},
			{"endless", stytchtest.Fault{Endless: true}, 1, func(t *testing.T, _ *http.Response, body []byte, _ error) { assert.Len(t, body, 1<<20) }},
			{"delays", stytchtest.Fault{Delay: time.Millisecond, BodyDelay: time.Millisecond}, 1, func(t *testing.T, _ *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.True(t, json.Valid(body))
			}},
		} {
			t.Run(tc.name, func(t *testing.T) {
				t.Parallel()
				s := newServer()
				defer s.Close()
				s.Fail(stytchtest.Fault{MemberID: "another"}, tc.fault)
				resp, body, err := rawSend(t, s)
				tc.check(t, resp, body, err)
				assert.Len(t, s.SMS(), tc.sms)
				_, _, err = rawSend(t, s)
				assert.NoError(t, err, "the fault is gone")
				assert.Len(t, s.SMS(), tc.sms+1)
			})
		}
	}
}

// A fault may stay until it is taken back.
func TestFailAlways(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	status := func(f fields) int { return post(t, s, sendPath, f).HTTPStatus }
	s.FailAlways(stytchtest.Fault{StatusCode: 401, MemberID: s.MemberID})
	s.FailAlways(stytchtest.Fault{StatusCode: 503})
	s.Fail(stytchtest.Fault{StatusCode: 400})
	assert.Equal(t, 400, status(nil), "the next one goes first")
	for range 3 {
		assert.Equal(t, 401, status(nil))
		assert.Equal(t, 503, status(fields{"member_id": "another"}))
	}
	s.Fail(stytchtest.Fault{StatusCode: 400})
	s.Recover()
	assert.Equal(t, 200, status(nil))
}

func rawSend(t *testing.T, s *stytchtest.Server) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+sendPath,
		strings.NewReader(fmt.Sprintf(`{"organization_id":%q,"member_id":%q}`, s.OrganizationID, s.MemberID)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(s.ProjectID, s.Secret)
	resp, err := s.HTTPClient().Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp, body, err
}

// Close ends what faults hold up.
func TestCloseEndsDelays(t *testing.T) {
	t.Parallel()
	for _, fault := range []stytchtest.Fault{{Delay: time.Hour}, {BodyDelay: time.Hour}} {
		s := stytchtest.NewServer()
		s.Fail(fault)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _, err := rawSend(t, s)
			assert.Error(t, err)
		})
		_, err := s.NextSMS(t.Context())
		require.NoError(t, err)
		s.Close()
		wg.Wait()
		s.Close() // A second time does no harm.
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTLSServer()
	defer s.Close()
	resp, _, err := rawSend(t, s)
	require.NoError(t, err)
	assert.Equal(t, 2, resp.ProtoMajor)
	_, err = s.Client().OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: s.MemberID})
	require.NoError(t, err)
}

// What a Member and an Organization are given is in the answers, and so is when
// they were made and changed.
func TestObjects(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	made := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(made)
	o := organization(t, s, stytchtest.Organization{ExternalID: "acme-1", TrustedMetadata: map[string]any{"tier": "gold"}})
	m := member(t, s, stytchtest.Member{
		OrganizationID: o.OrganizationID, ExternalID: "ada-1", MFAPhoneNumber: "+12025550123", Roles: []string{"stytch_admin", "editor"},
		TrustedMetadata: map[string]any{"seats": 3.0}, UntrustedMetadata: map[string]any{"theme": "dark"},
	})
	client := s.Client()
	sent, err := client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: o.OrganizationID, MemberID: m.MemberID})
	require.NoError(t, err)
	assert.Equal(t, "acme-1", sent.Organization.OrganizationExternalID)
	assert.Equal(t, map[string]any{"tier": "gold"}, sent.Organization.TrustedMetadata)
	assert.Equal(t, made, sent.Organization.CreatedAt)
	assert.Equal(t, made, sent.Organization.UpdatedAt)
	assert.Equal(t, "ada-1", sent.Member.ExternalID)
	assert.Equal(t, map[string]any{"seats": 3.0}, sent.Member.TrustedMetadata)
	assert.Equal(t, map[string]any{"theme": "dark"}, sent.Member.UntrustedMetadata)
	assert.True(t, sent.Member.IsAdmin)
	assert.Equal(t, []stytchb2b.MemberRoleSource{{Type: "direct_assignment", Details: map[string]any{}}}, sent.Member.Roles[2].Sources)
	assert.Equal(t, made, sent.Member.CreatedAt)
	assert.Equal(t, made, sent.Member.UpdatedAt)

	login, err := s.LogIn(m.MemberID)
	require.NoError(t, err)
	s.Advance(time.Minute)
	resp, err := client.OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{
		OrganizationID: o.OrganizationID, MemberID: m.MemberID, Code: s.SMS()[0].Code, SessionToken: login.SessionToken,
	})
	require.NoError(t, err)
	assert.Equal(t, made, resp.Member.CreatedAt)
	assert.Equal(t, made.Add(time.Minute), resp.Member.UpdatedAt, "the number is verified now")
	assert.Equal(t, []string{"stytch_member", "stytch_admin", "editor"}, resp.MemberSession.Roles)
	s.Advance(time.Minute)
	sms := s.SMS()
	_, err = client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: o.OrganizationID, MemberID: m.MemberID})
	require.NoError(t, err)
	resp, err = client.OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{
		OrganizationID: o.OrganizationID, MemberID: m.MemberID, Code: s.SMS()[len(sms)].Code, SessionToken: resp.SessionToken,
	})
	require.NoError(t, err)
	otp := resp.MemberSession.AuthenticationFactors[1]
	assert.Equal(t, made.Add(time.Minute), otp.CreatedAt)
	assert.Equal(t, made.Add(2*time.Minute), otp.UpdatedAt)
}

// A listener around the server's own, and the caller's credentials.
func TestUnstarted(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewUnstartedServer()
	accepted := &countingListener{Listener: s.Listener}
	s.Listener, s.ProjectID, s.Secret = accepted, "project-test-mine", "secret-test-mine"
	s.Start()
	defer s.Close()
	assert.Equal(t, 200, post(t, s, sendPath, nil).HTTPStatus)
	assert.EqualValues(t, 1, accepted.n.Load())
}

type countingListener struct {
	net.Listener
	n atomic.Int32
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return conn, err
}

// Many clients at once, with everything that a test may do beside.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	client := s.Client()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			m := member(t, s, stytchtest.Member{MFAPhoneNumber: "+12025550107"})
			for range 10 {
				_, err := client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: m.MemberID})
				assert.NoError(t, err)
				s.Advance(time.Millisecond)
				_, _ = s.SMSTo(m.MemberID), s.Requests()
				_, err = s.LogIn(s.MemberID)
				assert.NoError(t, err)
			}
			assert.Len(t, s.SMSTo(m.MemberID), 10)
		})
	}
	wg.Wait()
	assert.Len(t, s.SMS(), 320)
}

// FuzzServer gives the server any request: it answers with JSON and does not
// panic.
func FuzzServer(f *testing.F) {
	s := stytchtest.NewServer()
	f.Cleanup(s.Close)
	f.Add("POST", sendPath, "application/json", []byte(fmt.Sprintf(`{"organization_id":%q,"member_id":%q}`, s.OrganizationID, s.MemberID)))
	f.Add("POST", authenticatePath, "application/json", []byte(`{"organization_id":"","code":"1","session_jwt":"a.b.c","session_duration_minutes":1e9}`))
	f.Add("POST", passwordPath, "application/json", []byte(fmt.Sprintf(`{"organization_id":%q,"email_address":"ada@example.com","password":"a","locale":"fr"}`, s.OrganizationID)))
	f.Add("POST", revokePath, "application/json", []byte(`{"member_session_id":"a","member_id":null}`))
	f.Add("POST", sessionPath, "application/json", []byte(`{"session_jwt":"a.b.c","session_custom_claims":{"a":{"b":null}}}`))
	f.Add("GET", "/v1/b2b/sessions/jwks/"+s.ProjectID, "", []byte{})
	f.Add("GET", "/", "", []byte{})
	f.Fuzz(func(t *testing.T, method, path, contentType string, body []byte) {
		req, err := http.NewRequest(method, s.URL, strings.NewReader(string(body)))
		if err != nil {
			return
		}
		req.URL.Path = path
		req.Header.Set("Content-Type", contentType)
		req.SetBasicAuth(s.ProjectID, s.Secret)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		assert.True(t, json.Valid(w.Body.Bytes()), w.Body)
	})
}

// newest returns the last SMS.
func newest(s *stytchtest.Server) stytchtest.SMS { sms := s.SMS(); return sms[len(sms)-1] }
