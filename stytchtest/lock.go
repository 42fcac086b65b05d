package stytchtest

import "time"

// Stytch locks a Member after ten failed attempts in a row for an hour, by
// default (https://stytch.com/docs/resources/platform/user-locks).
const (
	lockAfter = 10
	lockFor   = time.Hour
)

// checkLock returns the error of an attempt to authenticate a Member who is
// locked, or nil.
func (m *Member) checkLock(now time.Time) *apiError {
	if m.isLocked(now) {
		return fail(429, "user_lock_limit_reached", "The user has been locked out due to too many failed authentication attempts.")
	}
	return nil
}

// isLocked also ends a lock whose time is over.
func (m *Member) isLocked(now time.Time) bool {
	if !m.LockExpiresAt.IsZero() && !now.Before(m.LockExpiresAt) {
		m.unlock()
	}
	return !m.LockExpiresAt.IsZero()
}

// failed counts a failed attempt.
func (m *Member) failed(now time.Time) {
	if m.failures++; m.failures >= lockAfter {
		m.LockCreatedAt, m.LockExpiresAt, m.updated = now, now.Add(lockFor), now
	}
}

// unlock forgets failed attempts.
func (m *Member) unlock() {
	m.failures, m.LockCreatedAt, m.LockExpiresAt = 0, time.Time{}, time.Time{}
}
