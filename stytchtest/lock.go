package stytchtest

import "time"

// By default, Stytch locks a Member for an hour after ten consecutive failed
// attempts (https://stytch.com/docs/resources/platform/user-locks).
const (
	lockAfter = 10
	lockFor   = time.Hour
)

// checkLock returns an error if the Member is locked.
func (m *Member) checkLock(now time.Time) *apiError {
	if m.isLocked(now) {
		return fail(429, "user_lock_limit_reached", "The user has been locked out due to too many failed authentication attempts.")
	}
	return nil
}

// isLocked reports whether the Member is locked, and ends an expired lock.
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

// unlock ends the lock, and resets the count of failed attempts.
func (m *Member) unlock() {
	m.failures, m.LockCreatedAt, m.LockExpiresAt = 0, time.Time{}, time.Time{}
}
