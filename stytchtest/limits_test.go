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
	neighbor := withNumber(t, s, "+12025550107")
	send := func(f fields) answer {
		t.Helper()
		a := post(t, s, sendPath, f)
		if a.HTTPStatus != 200 {
			assert.Equal(t, "429 too_many_requests", a.error())
		}
		return a
	}

	// Until the top of the hour.
	s.SetRateLimit(stytchtest.RateLimit{PerNumber: 2})
	assert.Equal(t, 200, send(nil).HTTPStatus)
	assert.Equal(t, 200, send(nil).HTTPStatus)
	assert.Equal(t, 429, send(nil).HTTPStatus)
	assert.Empty(t, send(nil).RetryAfter, "it is not asked for")
	assert.Equal(t, 200, send(neighbor).HTTPStatus)
	s.Advance(10*time.Minute - 1)
	assert.Equal(t, 429, send(nil).HTTPStatus)
	s.Advance(1)
	assert.Equal(t, 200, send(nil).HTTPStatus)

	// In a window of a minute, with a Retry-After.
	s.SetRateLimit(stytchtest.RateLimit{PerNumber: 1, Window: time.Minute, RetryAfter: true})
	assert.Equal(t, 200, send(nil).HTTPStatus)
	s.Advance(20500 * time.Millisecond)
	assert.Equal(t, "40", send(nil).RetryAfter, "39.5 s, rounded up")

	// The SMS after a primary authentication counts, and respects the limit.
	s.SetRateLimit(stytchtest.RateLimit{PerNumber: 1})
	for _, initiated := range []string{"sms_otp", ""} {
		login, err := s.LogIn(s.MemberID)
		require.NoError(t, err)
		assert.Equal(t, initiated, login.MFARequired.SecondaryAuthInitiated)
	}
	s.SetRateLimit(stytchtest.RateLimit{})
	assert.Equal(t, 200, send(nil).HTTPStatus)
}

// Ten failed attempts in a row lock a Member for an hour.
func TestLock(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	m := member(t, s, stytchtest.Member{MFAPhoneNumber: "+12025550123", MFAEnrolled: true, Password: "p"})
	session := s.IntermediateSessionToken(m.MemberID)
	authenticate := func(code string) string {
		return post(t, s, authenticatePath, fields{"member_id": m.MemberID, "intermediate_session_token": session, "code": code}).ErrorType
	}
	password := func(password string) string {
		return postOnly(t, s, passwordPath, fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": password}).ErrorType
	}
	send := func() string { return post(t, s, sendPath, fields{"member_id": m.MemberID}).ErrorType }
	wrong := func(n int) {
		t.Helper()
		for range n {
			require.Equal(t, "otp_code_not_found", authenticate("000000"))
		}
	}

	// A right code ends the row.
	require.Empty(t, send())
	wrong(9)
	assert.Empty(t, authenticate(newest(s).Code))
	session = s.IntermediateSessionToken(m.MemberID)

	// Wrong, used and expired codes and wrong passwords are in it. A malformed code is not,
	// and a right password does not end it.
	assert.Equal(t, "unable_to_auth_otp_code", authenticate(newest(s).Code))
	assert.Equal(t, "unauthorized_credentials", password("Babbage"))
	wrong(7)
	assert.Equal(t, "invalid_code", authenticate("1"))
	assert.Empty(t, password("p"))
	wrong(1)

	// The Member is locked.
	assert.Equal(t, "user_lock_limit_reached", authenticate(newest(s).Code))
	assert.Equal(t, "user_lock_limit_reached", password("p"))
	assert.Equal(t, "user_lock_limit_reached", send())
	_, err := s.LogIn(m.MemberID)
	assert.ErrorContains(t, err, "user_lock_limit_reached")
	locked, _ := s.Member(m.MemberID)
	assert.Equal(t, now, locked.LockCreatedAt)
	assert.Equal(t, now.Add(time.Hour), locked.LockExpiresAt)

	// The lock expires, and the count restarts.
	s.Advance(time.Hour)
	locked, _ = s.Member(m.MemberID)
	assert.Zero(t, locked.LockExpiresAt)
	session = s.IntermediateSessionToken(m.MemberID)
	wrong(9)
	require.Empty(t, send())
	assert.Empty(t, authenticate(newest(s).Code))
}

// Which login ends a row of failed attempts.
func TestLoginEndsFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                      string
		enrolled, firstFactorEnds bool
		locked                    bool
	}{
		{name: "without MFA"},
		{name: "first factor", enrolled: true, locked: true},
		{name: "first factor, assumed to end it", enrolled: true, firstFactorEnds: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stytchtest.NewServer()
			defer s.Close()
			s.FirstFactorEndsFailures = tc.firstFactorEnds
			m := member(t, s, stytchtest.Member{MFAEnrolled: tc.enrolled, Password: "p"})
			var a answer
			for _, password := range []string{"a", "a", "a", "a", "a", "a", "a", "a", "a", "p", "a", "p"} {
				a = postOnly(t, s, passwordPath, fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": password})
			}
			assert.Equal(t, tc.locked, a.ErrorType == "user_lock_limit_reached", a.ErrorType)
		})
	}
}

// A lock shows in the Member, and leaves existing sessions alone.
func TestLockedSession(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	s.SetTime(time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC))
	login := session(t, s)
	for range 10 {
		post(t, s, authenticatePath, fields{"member_id": login.MemberID, "session_token": login.SessionToken, "code": "000000"})
	}
	a := postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken})
	assert.Equal(t, 200, a.HTTPStatus)
	assert.True(t, a.Member.IsLocked)
	assert.Equal(t, "2026-05-04T03:02:01Z", a.Member.LockCreatedAt)
	assert.Equal(t, "2026-05-04T04:02:01Z", a.Member.LockExpiresAt)
	s.Advance(time.Hour - 1)
	assert.True(t, postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken, "session_duration_minutes": 5}).Member.IsLocked)
	s.Advance(1)
	assert.False(t, postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken}).Member.IsLocked)
}
