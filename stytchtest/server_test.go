package stytchtest_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
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
)

// An answer is what the server says, in the fields that tests look at.
type answer struct {
	HTTPStatus int
	RetryAfter string

	StatusCode    int    `json:"status_code"`
	RequestID     string `json:"request_id"`
	ErrorType     string `json:"error_type"`
	ErrorMessage  string `json:"error_message"`
	ErrorURL      string `json:"error_url"`
	MemberID      string `json:"member_id"`
	SessionToken  string `json:"session_token"`
	SessionJWT    string `json:"session_jwt"`
	MemberSession struct {
		ExpiresAt             time.Time      `json:"expires_at"`
		StartedAt             time.Time      `json:"started_at"`
		CustomClaims          map[string]any `json:"custom_claims"`
		AuthenticationFactors []struct {
			Type string `json:"type"`
		} `json:"authentication_factors"`
	} `json:"member_session"`
	Member struct {
		MFAPhoneNumber         string `json:"mfa_phone_number"`
		MFAPhoneNumberVerified bool   `json:"mfa_phone_number_verified"`
		MFAEnrolled            bool   `json:"mfa_enrolled"`
		DefaultMFAMethod       string `json:"default_mfa_method"`
	} `json:"member"`
	Organization struct {
		OrganizationID string `json:"organization_id"`
		MFAPolicy      string `json:"mfa_policy"`
	} `json:"organization"`
}

func (a answer) factors() string {
	var names []string
	for _, f := range a.MemberSession.AuthenticationFactors {
		names = append(names, f.Type)
	}
	return strings.Join(names, " ")
}

type fields map[string]any

// post makes a request for the server's first Member, changed by change.
func post(t *testing.T, s *stytchtest.Server, path string, change fields) answer {
	t.Helper()
	body := fields{"organization_id": s.OrganizationID, "member_id": s.MemberID}
	for k, v := range change {
		body[k] = v
	}
	text, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(string(text)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.SetBasicAuth(s.ProjectID, s.Secret)
	return do(t, s, req)
}

func do(t *testing.T, s *stytchtest.Server, req *http.Request) answer {
	t.Helper()
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
	sms := s.SMS()
	f["code"] = sms[len(sms)-1].Code
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

// What Send answers in each state, and whether an SMS goes out.
func TestSend(t *testing.T) {
	t.Parallel()
	const first = "+12025550123" // for a Member who has none
	for _, tc := range []struct {
		name      string
		fields    func(*testing.T, *stytchtest.Server) fields
		status    int
		errorType string
		to        string
	}{
		{"the Member's own number", func(*testing.T, *stytchtest.Server) fields { return nil }, 200, "", "+12025550106"},
		{"the same number", func(*testing.T, *stytchtest.Server) fields { return fields{"mfa_phone_number": "+12025550106"} }, 200, "", "+12025550106"},
		{"another number", func(*testing.T, *stytchtest.Server) fields { return fields{"mfa_phone_number": first} }, 400, "duplicate_member_phone_number_for_member", ""},
		{"a number that is none", func(*testing.T, *stytchtest.Server) fields { return fields{"mfa_phone_number": "555"} }, 400, "invalid_phone_number", ""},
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

		{"an unknown Organization", func(*testing.T, *stytchtest.Server) fields { return fields{"organization_id": "organization-test-0"} }, 404, "organization_not_found", ""},
		{"no Organization", func(*testing.T, *stytchtest.Server) fields { return fields{"organization_id": ""} }, 400, "invalid_organization_id", ""},
		{"an unknown Member", func(*testing.T, *stytchtest.Server) fields { return fields{"member_id": "member-test-0"} }, 404, "member_not_found", ""},
		{"no Member", func(*testing.T, *stytchtest.Server) fields { return fields{"member_id": ""} }, 400, "bad_request", ""},
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
		{"an unknown locale", func(*testing.T, *stytchtest.Server) fields { return fields{"locale": "tlh"} }, 400, "invalid_locale", ""},

		{"an intermediate session", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID)}
		}, 200, "", "+12025550106"},
		{"a session", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"session_token": s.NewSession(s.MemberID, false).Token}
		}, 200, "", "+12025550106"},
		{"a session's JWT", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"session_jwt": s.NewSession(s.MemberID, false).JWT}
		}, 200, "", "+12025550106"},
		{"two session arguments", func(_ *testing.T, s *stytchtest.Server) fields {
			sess := s.NewSession(s.MemberID, false)
			return fields{"session_token": sess.Token, "session_jwt": sess.JWT}
		}, 400, "too_many_session_arguments", ""},
		{"an unknown session", func(*testing.T, *stytchtest.Server) fields { return fields{"session_token": "a"} }, 404, "session_not_found", ""},
		{"an unknown JWT", func(*testing.T, *stytchtest.Server) fields { return fields{"session_jwt": "a.b.c"} }, 404, "session_not_found", ""},
		{"an unknown intermediate session", func(*testing.T, *stytchtest.Server) fields {
			return fields{"intermediate_session_token": "a"}
		}, 404, "intermediate_session_not_found", ""},
		{"a session token as an intermediate one", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"intermediate_session_token": s.NewSession(s.MemberID, false).Token}
		}, 404, "intermediate_session_not_found", ""},
		{"an expired session", func(_ *testing.T, s *stytchtest.Server) fields {
			sess := s.NewSession(s.MemberID, false)
			s.Advance(time.Hour)
			return fields{"session_token": sess.Token}
		}, 404, "session_not_found", ""},
		{"an expired intermediate session", func(_ *testing.T, s *stytchtest.Server) fields {
			token := s.IntermediateSessionToken(s.MemberID)
			s.Advance(10 * time.Minute)
			return fields{"intermediate_session_token": token}
		}, 404, "intermediate_session_not_found", ""},
		{"a session of another Member", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"session_token": s.NewSession(member(t, s, stytchtest.Member{}).MemberID, false).Token}
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
		{"a first number beside another factor, without a session", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"member_id": member(t, s, stytchtest.Member{TOTP: true}).MemberID, "mfa_phone_number": first}
		}, 403, "session_authorization_error", ""},
		{"a first number beside another factor, with a session that lacks it", func(t *testing.T, s *stytchtest.Server) fields {
			m := member(t, s, stytchtest.Member{TOTP: true})
			return fields{"member_id": m.MemberID, "mfa_phone_number": first, "session_token": s.NewSession(m.MemberID, false).Token}
		}, 403, "session_authorization_error", ""},
		{"a first number beside another factor, with a session that holds it", func(t *testing.T, s *stytchtest.Server) fields {
			m := member(t, s, stytchtest.Member{TOTP: true})
			return fields{"member_id": m.MemberID, "mfa_phone_number": first, "session_token": s.NewSession(m.MemberID, true).Token}
		}, 200, "", first},
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
	texts := map[string]bool{}
	for _, locale := range []string{"en", "es", "fr", "pt-br", "it", "de-DE", "zh-Hans", "ca-ES", "ja", "ru", "nl", "pl", "tr", "fa", "vi", "cs"} {
		require.Equal(t, 200, post(t, s, sendPath, fields{"locale": locale}).HTTPStatus, locale)
		sms, err := s.NextSMS(t.Context())
		require.NoError(t, err)
		assert.Equal(t, locale, sms.Locale)
		assert.Regexp(t, `^\d{6}$`, sms.Code)
		assert.Contains(t, sms.Text, "Example Inc.")
		assert.Contains(t, sms.Text, sms.Code)
		texts[strings.ReplaceAll(sms.Text, sms.Code, "")] = true
	}
	assert.Len(t, texts, 16, "each language has words of its own")
	post(t, s, sendPath, nil)
	sms, err := s.NextSMS(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "en", sms.Locale)
}

// A login from end to end, and each way for the code to be wrong.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	type step func(*testing.T, *stytchtest.Server) fields
	code := func(s *stytchtest.Server) string { sms := s.SMS(); return sms[len(sms)-1].Code }
	good := func(_ *testing.T, s *stytchtest.Server) fields {
		return fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID), "code": code(s)}
	}
	with := func(base step, more fields) step {
		return func(t *testing.T, s *stytchtest.Server) fields {
			f := base(t, s)
			for k, v := range more {
				f[k] = v
			}
			return f
		}
	}
	for _, tc := range []struct {
		name      string
		fields    step
		status    int
		errorType string
	}{
		{"right", good, 200, ""},
		{"wrong", with(good, fields{"code": "000000"}), 404, "otp_code_not_found"},
		{"malformed", with(good, fields{"code": "12345a"}), 400, "invalid_code"},
		{"too short", with(good, fields{"code": "12345"}), 400, "invalid_code"},
		{"none", with(good, fields{"code": ""}), 400, "bad_request"},
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
		{"used", func(t *testing.T, s *stytchtest.Server) fields {
			require.Equal(t, 200, post(t, s, authenticatePath, good(t, s)).HTTPStatus)
			return good(t, s)
		}, 401, "unable_to_auth_otp_code"},
		{"another Member's", func(t *testing.T, s *stytchtest.Server) fields {
			m := member(t, s, stytchtest.Member{MFAPhoneNumber: "+12025550107"})
			return fields{"member_id": m.MemberID, "code": code(s), "session_token": s.NewSession(m.MemberID, false).Token}
		}, 404, "otp_code_not_found"},
		{"an intermediate session that is used up", func(t *testing.T, s *stytchtest.Server) fields {
			f := good(t, s)
			require.Equal(t, 200, post(t, s, authenticatePath, f).HTTPStatus)
			post(t, s, sendPath, nil)
			f["code"] = code(s)
			return f
		}, 404, "intermediate_session_not_found"},
		{"no session", func(_ *testing.T, s *stytchtest.Server) fields { return fields{"code": code(s)} }, 400, "no_session_arguments"},
		{"two sessions", with(good, fields{"session_token": "a"}), 400, "too_many_session_arguments"},
		{"a session of another Member", func(t *testing.T, s *stytchtest.Server) fields {
			return fields{"code": code(s), "session_token": s.NewSession(member(t, s, stytchtest.Member{}).MemberID, false).Token}
		}, 400, "member_session_member_id_mismatch"},
		{"a session token as an intermediate one", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"code": code(s), "intermediate_session_token": s.NewSession(s.MemberID, false).Token}
		}, 404, "intermediate_session_not_found"},
		{"an intermediate session token as a session's", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"code": code(s), "session_token": s.IntermediateSessionToken(s.MemberID)}
		}, 404, "session_not_found"},
		{"a session token as a JWT", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"code": code(s), "session_jwt": s.NewSession(s.MemberID, false).Token}
		}, 404, "session_not_found"},
		{"a JWT as a session token", func(_ *testing.T, s *stytchtest.Server) fields {
			return fields{"code": code(s), "session_token": s.NewSession(s.MemberID, false).JWT}
		}, 404, "session_not_found"},
		{"the shortest duration", with(good, fields{"session_duration_minutes": 5}), 200, ""},
		{"the longest duration", with(good, fields{"session_duration_minutes": 527040}), 200, ""},
		{"too short a duration", with(good, fields{"session_duration_minutes": 4}), 400, "invalid_session_duration_minutes"},
		{"too long a duration", with(good, fields{"session_duration_minutes": 527041}), 400, "invalid_session_duration_minutes"},
		{"a duration of 0", with(good, fields{"session_duration_minutes": 0}), 400, "invalid_session_duration_minutes"},
		{"enroll", with(good, fields{"set_mfa_enrollment": "enroll"}), 200, ""},
		{"an enrollment that is none", with(good, fields{"set_mfa_enrollment": "yes"}), 400, "bad_request"},
		{"claims of Stytch's", with(good, fields{"session_custom_claims": fields{"https://stytch.com/session": fields{}}}), 400, "stytch_claims_in_custom_claims"},
		{"claims of another type", with(good, fields{"session_custom_claims": "admin"}), 400, "bad_request"},
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
	f := fields{"organization_id": s.OrganizationID, "member_id": s.MemberID, "session_token": s.NewSession(s.MemberID, true).Token}
	f["set_mfa_enrollment"], f["session_duration_minutes"] = "enroll", 5
	a = enter(t, s, f)
	assert.True(t, a.Member.MFAEnrolled)
	assert.Equal(t, f["session_token"], a.SessionToken)
	assert.Equal(t, "magic_link totp otp", a.factors())
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

// Bad input gets an answer of Stytch's form, and changes nothing.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	valid := fmt.Sprintf(`{"organization_id":%q,"member_id":%q}`, s.OrganizationID, s.MemberID)
	for _, tc := range []struct {
		name, method, path, contentType, user, body string
		status                                      int
		errorType                                   string
	}{
		{"no authorization", "POST", sendPath, "application/json", "", valid, 401, "unauthorized_credentials"},
		{"another project", "POST", sendPath, "application/json", "project-test-0", valid, 401, "unauthorized_credentials"},
		{"a wrong method", "GET", sendPath, "application/json", s.ProjectID, "", 404, "route_not_found"},
		{"a wrong path", "POST", sendPath + "/", "application/json", s.ProjectID, valid, 404, "route_not_found"},
		{"a wrong content type", "POST", sendPath, "text/plain", s.ProjectID, valid, 400, "bad_request"},
		{"no content type", "POST", sendPath, "", s.ProjectID, valid, 400, "bad_request"},
		{"no body", "POST", sendPath, "application/json", s.ProjectID, "", 400, "bad_request"},
		{"no JSON", "POST", sendPath, "application/json", s.ProjectID, "{", 400, "bad_request"},
		{"no object", "POST", sendPath, "application/json", s.ProjectID, "null", 400, "bad_request"},
		{"a wrong type", "POST", sendPath, "application/json", s.ProjectID, `{"member_id":7}`, 400, "bad_request"},
		{"no UTF-8", "POST", sendPath, "application/json", s.ProjectID, "{\"member_id\":\"\xff\"}", 400, "bad_request"},
		{"deep", "POST", sendPath, "application/json", s.ProjectID, strings.Repeat(`{"a":`, 12_000), 400, "bad_request"},
		{"huge", "POST", sendPath, "application/json", s.ProjectID, `{"a":"` + strings.Repeat("a", 1<<20) + `"}`, 413, "bad_request"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tc.method, s.URL+tc.path, strings.NewReader(tc.body))
			require.NoError(t, err)
			if tc.contentType != "" {
				req.Header.Set("Content-Type", tc.contentType)
			}
			if tc.user != "" {
				req.SetBasicAuth(tc.user, s.Secret)
			}
			a := do(t, s, req)
			assert.Equal(t, tc.status, a.HTTPStatus)
			assert.Equal(t, tc.errorType, a.ErrorType)
		})
	}
	assert.Empty(t, s.SMS())
	assert.Equal(t, 200, post(t, s, sendPath, nil).HTTPStatus, "the server still works")
}

func TestRequestsAreMasked(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	sess := s.NewSession(s.MemberID, false)
	post(t, s, sendPath, fields{"session_jwt": sess.JWT, "locale": "es"})
	post(t, s, sendPath, fields{"session_token": sess.Token})
	requests := s.Requests()
	require.Len(t, requests, 2)
	for _, r := range requests {
		shown := fmt.Sprintf("%+v", r)
		for _, hidden := range []string{sess.JWT, sess.Token, s.Secret, "Basic"} {
			assert.NotContains(t, shown, hidden)
		}
	}
	r := requests[0]
	assert.Equal(t, "POST "+sendPath+" 200", fmt.Sprint(r.Method, " ", r.Path, " ", r.StatusCode))
	assert.JSONEq(t, fmt.Sprintf(`{"organization_id":%q,"member_id":%q,"locale":"es","session_jwt":"[redacted]"}`, s.OrganizationID, s.MemberID), r.Body)
	assert.Equal(t, "[redacted]", r.Header.Get("Authorization"))
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
	assert.Panics(t, func() { s.NewSession("member-test-0", false) })
	assert.Panics(t, func() { s.Client(stytchb2b.WithTimeout(-1)) })
	_, ok := s.Member("member-test-0")
	assert.False(t, ok)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, says string }{
		{"empty", "", "EOF"},
		{"no object", "[]", "line 1: the text must not be a JSON array"},
		{"cut off", "{\n\"members\": [\n", "unexpected EOF"},
		{"a missing comma", "{\n\"members\": [{}\n{}]}", "line 3: invalid character"},
		{"two values", "{}\n{}", "more than one"},
		{"an unknown key", "{\n\n\"users\": []}", `unknown field "users"`},
		{"no array", "{\n\"members\": {}}", "line 2: members must not be a JSON object"},
		{"an unknown field", "{\"members\": [\n{},\n{\"phone\": \"\"}]}", `unknown field "phone"`},
		{"a wrong type", "{\"members\": [\n\n\n{\"totp\": 1}]}", "totp must not be a JSON number"},
		{"no such Organization", "{\"members\": [{}, {\"organization_id\": \"o\"}]}", `members[1]: stytchtest: organization_id: there is no Organization "o"`},
		{"a policy there is not", "{\"organizations\": [{\"mfa_policy\": \"o\"}]}", "organizations[0]: stytchtest: mfa_policy"},
		{"good", "{\"members\": [{\"organization_id\": \"o\", \"member_id\": \"m\"}, {}],\n \"organizations\": [{\"organization_id\": \"o\"}]}", ""},
	} {
		s := stytchtest.NewServer()
		err := s.Load(strings.NewReader(tc.text))
		if tc.says == "" {
			require.NoError(t, err)
			_, ok := s.Member("m")
			assert.True(t, ok, "whatever stands first")
		} else {
			assert.ErrorContains(t, err, tc.says, tc.name)
		}
		s.Close()
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
			{"a gateway's page", stytchtest.GatewayHTML(502), 0, func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, "text/html", resp.Header.Get("Content-Type"))
				assert.Contains(t, string(body), "<h1>502 Bad Gateway</h1>")
			}},
			{"Stytch's 499", stytchtest.ClientClosedRequest(), 1, func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 499, resp.StatusCode)
				assert.Contains(t, string(body), `"error_type":"client_closed_request"`)
			}},
			{"a gateway's timeout", stytchtest.RequestTimeout(), 1, func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, "408 text/plain upstream request timeout", fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Content-Type"), " ", string(body)))
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

// Over TLS the server speaks HTTP/2 and HTTP/1.1, with a certificate of its own.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTLSServer()
	defer s.Close()
	resp, _, err := rawSend(t, s)
	require.NoError(t, err)
	assert.Equal(t, 2, resp.ProtoMajor)
	_, err = s.Client().OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: s.MemberID})
	require.NoError(t, err)

	other := stytchtest.NewUnstartedServer()
	other.StartTLS()
	defer other.Close()
	resp, _, err = rawSend(t, other)
	require.NoError(t, err)
	assert.Equal(t, 1, resp.ProtoMajor, "EnableHTTP2 was not set")
	assert.NotEqual(t, s.CertificatePEM(), other.CertificatePEM())

	_, err = http.Get(s.URL) // A client that does not trust it.
	var unknown *tls.CertificateVerificationError
	assert.True(t, errors.As(err, &unknown), "%v", err)

	plain := stytchtest.NewServer()
	defer plain.Close()
	assert.Nil(t, plain.CertificatePEM())
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

	s.Advance(time.Minute)
	resp, err := client.OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{
		OrganizationID: o.OrganizationID, MemberID: m.MemberID, Code: s.SMS()[0].Code, SessionToken: s.NewSession(m.MemberID, false).Token,
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

// A listener of one's own, and credentials.
func TestUnstarted(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewUnstartedServer()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.Listener, s.ProjectID, s.Secret = listener, "project-test-mine", "secret-test-mine"
	s.Start()
	defer s.Close()
	assert.Equal(t, "http://"+listener.Addr().String(), s.URL)
	assert.Equal(t, 200, post(t, s, sendPath, nil).HTTPStatus)
}

// Many clients at once, with everything that a test may do beside.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	client := s.Client()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			m := member(t, s, stytchtest.Member{MFAPhoneNumber: "+12025550107"})
			for range 10 {
				_, err := client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: m.MemberID})
				assert.NoError(t, err)
				s.Advance(time.Millisecond)
				_, _ = s.SMSTo(m.MemberID), s.Requests()
				_ = s.NewSession(m.MemberID, i%2 == 0)
			}
			assert.Len(t, s.SMSTo(m.MemberID), 10)
		})
	}
	wg.Wait()
	assert.Len(t, s.SMS(), 160)
}

// FuzzServer gives the server any request: it answers with JSON and does not
// panic.
func FuzzServer(f *testing.F) {
	s := stytchtest.NewServer()
	f.Cleanup(s.Close)
	f.Add("POST", sendPath, "application/json", []byte(fmt.Sprintf(`{"organization_id":%q,"member_id":%q}`, s.OrganizationID, s.MemberID)))
	f.Add("POST", authenticatePath, "application/json", []byte(`{"organization_id":"","code":"1","session_jwt":"a.b.c","session_duration_minutes":1e9}`))
	f.Add("POST", passwordPath, "application/json", []byte(fmt.Sprintf(`{"organization_id":%q,"email_address":"ada@example.com","password":"a","locale":"fr"}`, s.OrganizationID)))
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
		w := &recorder{header: http.Header{}}
		s.ServeHTTP(w, req)
		assert.True(t, json.Valid(w.body), "%s", w.body)
		assert.NotZero(t, w.status)
	})
}

// recorder is a response that is kept.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { r.body = append(r.body, b...); return len(b), nil }

func newest(s *stytchtest.Server) stytchtest.SMS { sms := s.SMS(); return sms[len(sms)-1] }
