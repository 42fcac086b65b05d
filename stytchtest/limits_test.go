package stytchtest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	s.SetTime(time.Date(2026, 1, 1, 12, 50, 0, 0, time.UTC))
	assert.Equal(t, time.Date(2026, 1, 1, 12, 50, 0, 0, time.UTC), s.Now())
	m, _ := s.Member(s.MemberID)
	add := func(number string) fields {
		return fields{"member_id": member(t, s, stytchtest.Member{MFAPhoneNumber: number}).MemberID}
	}
	neighbor, stranger := add("+12025550107"), add("+13105550107")
	send := func(f fields) string {
		t.Helper()
		a := post(t, s, sendPath, f)
		if a.HTTPStatus != 200 {
			assert.Equal(t, 429, a.HTTPStatus)
		}
		return a.ErrorType
	}

	// By number, until the top of the hour.
	s.SetRateLimit(stytchtest.RateLimit{PerNumber: 2})
	assert.Empty(t, send(nil))
	assert.Empty(t, send(nil))
	assert.Equal(t, "too_many_requests", send(nil))
	assert.Empty(t, send(neighbor))
	assert.Empty(t, post(t, s, sendPath, nil).RetryAfter, "it is not asked for")
	s.Advance(10*time.Minute - 1)
	assert.Equal(t, "too_many_requests", send(nil))
	s.Advance(1)
	assert.Empty(t, send(nil))

	// By prefix, with a Retry-After.
	s.SetRateLimit(stytchtest.RateLimit{PerPrefix: 2, Window: time.Minute, RetryAfter: true})
	assert.Empty(t, send(nil))
	s.Advance(20500 * time.Millisecond)
	assert.Empty(t, send(neighbor))
	assert.Empty(t, send(stranger))
	a := post(t, s, sendPath, nil)
	assert.Equal(t, "too_many_requests", a.ErrorType)
	assert.Equal(t, "40", a.RetryAfter, "39.5 s, rounded up")

	// By codes that nobody enters: one is enough.
	s.SetRateLimit(stytchtest.RateLimit{Unauthenticated: 2})
	assert.Empty(t, send(neighbor))
	assert.Equal(t, 200, enter(t, s, fields{"session_token": s.NewSession(s.MemberID, false).Token}).HTTPStatus)
	assert.Empty(t, send(neighbor))
	assert.Empty(t, send(neighbor))
	assert.Equal(t, "too_few_tokens_authenticated", send(nil))
	assert.Empty(t, send(stranger))
	s.Advance(time.Hour)
	assert.Empty(t, send(nil))

	s.SetRateLimit(stytchtest.RateLimit{})
	for range 5 {
		require.Empty(t, send(nil))
	}
	assert.Equal(t, "+12025550106", m.MFAPhoneNumber)
}

// Ten failed attempts lock a Member for an hour.
func TestLock(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	m, _ := s.Member(s.MemberID)
	sess := s.NewSession(s.MemberID, false)
	authenticate := func(code string) string {
		return post(t, s, authenticatePath, fields{"session_token": sess.Token, "code": code}).ErrorType
	}
	password := func(password string) any {
		return postAny(t, s, passwordPath, fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": password})["error_type"]
	}
	code := func() string { sms := s.SMS(); return sms[len(sms)-1].Code }
	fail := func(n int) {
		for range n {
			require.Equal(t, "otp_code_not_found", authenticate("000000"))
		}
	}

	// A right code begins the count anew; a right password does not.
	fail(9)
	post(t, s, sendPath, nil)
	assert.Empty(t, authenticate(code()))
	assert.Equal(t, "unable_to_auth_otp_code", authenticate(code()))
	assert.Equal(t, "unauthorized_credentials", password("Babbage"))
	fail(7)
	assert.Equal(t, "invalid_code", authenticate("1"), "it does not count")
	assert.Nil(t, password(m.Password))
	fail(1)

	// The Member is locked: nothing but a session goes on.
	assert.Equal(t, "user_lock_limit_reached", authenticate(code()))
	assert.Equal(t, "user_lock_limit_reached", password(m.Password))
	assert.Equal(t, "user_lock_limit_reached", post(t, s, sendPath, nil).ErrorType)
	_, err := s.LogIn(s.MemberID)
	assert.ErrorContains(t, err, "user_lock_limit_reached")
	object := postAny(t, s, sessionPath, fields{"session_token": sess.Token})["member"].(map[string]any)
	assert.Equal(t, true, object["is_locked"])
	assert.Equal(t, now.Format(time.RFC3339), object["lock_created_at"])
	assert.Equal(t, now.Add(time.Hour).Format(time.RFC3339), object["lock_expires_at"])
	locked, _ := s.Member(s.MemberID)
	assert.Equal(t, now.Add(time.Hour), locked.LockExpiresAt)

	// The lock ends by itself, and the count begins anew.
	s.Advance(time.Hour)
	locked, _ = s.Member(s.MemberID)
	assert.Zero(t, locked.LockExpiresAt)
	sess = s.NewSession(s.MemberID, false)
	fail(9)
	a := post(t, s, sendPath, nil)
	assert.Equal(t, 200, a.HTTPStatus)
	assert.Empty(t, authenticate(code()))
}
