package stytchtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// Ten consecutive failed attempts lock a Member for an hour.
func TestLock(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	m := member(t, s, stytchtest.Member{MFAPhoneNumber: firstNumber, MFAEnrolled: true, Password: "p"})
	session := fields{"member_id": m.MemberID, "intermediate_session_token": s.IntermediateSessionToken(m.MemberID)}
	authenticate := func(code string) answer { return post(t, s, authenticatePath, with(session, "code", code)) }
	password := func(password string) string {
		return postOnly(t, s, passwordPath, fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": password}).error()
	}
	send := func() string { return post(t, s, sendPath, fields{"member_id": m.MemberID}).error() }
	wrong := func(n int) {
		t.Helper()
		for range n {
			require.Equal(t, "otp_code_not_found", authenticate("000000").ErrorType)
		}
	}

	// A right code resets the count.
	require.Equal(t, "200 ", send())
	wrong(9)
	a := authenticate(newest(s).Code)
	require.Equal(t, "200 ", a.error())
	session = fields{"member_id": m.MemberID, "session_token": a.SessionToken, "session_duration_minutes": 300}

	// Wrong, used and expired codes and wrong passwords count. A malformed code does not.
	assert.Equal(t, "401 unable_to_auth_otp_code", authenticate(newest(s).Code).error())
	assert.Equal(t, "401 unauthorized_credentials", password("Babbage"))
	wrong(7)
	assert.Equal(t, "400 invalid_code", authenticate("1").error())
	wrong(1)

	// The Member is locked, and sessions continue.
	const locked = "429 user_lock_limit_reached"
	assert.Equal(t, locked, authenticate(newest(s).Code).error())
	assert.Equal(t, locked, password("p"))
	assert.Equal(t, locked, send())
	_, err := s.LogIn(m.MemberID)
	assert.ErrorContains(t, err, "user_lock_limit_reached")
	inSession := func() answer {
		return postOnly(t, s, sessionPath, fields{"session_token": a.SessionToken, "session_duration_minutes": 300})
	}
	s.Advance(time.Hour - 1)
	assert.True(t, inSession().Member.IsLocked)
	assert.Equal(t, "2026-05-04T03:02:01Z", inSession().Member.LockCreatedAt)
	assert.Equal(t, "2026-05-04T04:02:01Z", inSession().Member.LockExpiresAt)

	// The lock expires, and the count restarts.
	s.Advance(1)
	assert.False(t, inSession().Member.IsLocked)
	require.Equal(t, "200 ", send())
	wrong(9)
	assert.Equal(t, "200 ", authenticate(newest(s).Code).error())
}

// A primary authentication resets the count, unless it leads to MFA. If that is
// assumed, one that leads to MFA does, too.
func TestLoginEndsFailures(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	for i, last := range []string{"200 ", "429 user_lock_limit_reached", "200 "} {
		m := member(t, s, stytchtest.Member{Password: "p", MFAEnrolled: i > 0})
		s.FirstFactorEndsFailures = i == 2
		var a answer
		for _, password := range strings.Split("aaaaaaaaapap", "") {
			a = postOnly(t, s, passwordPath, fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": password})
		}
		assert.Equal(t, last, a.error())
		s.Advance(time.Hour)
		m, _ = s.Member(m.MemberID)
		assert.Zero(t, m.LockExpiresAt, "a lock ends")
	}
}
