package main

import (
	"context"
	"time"
)

// A member is what is known of a Member, in whichever browser.
type member struct {
	SMS        int       // sent since a code was right
	WrongCodes int       // entered since the last SMS
	NextCode   time.Time // when another code may be requested
}

const (
	maxWrongCodes  = 5              // too few to guess a code of six digits
	maxWait        = 24 * time.Hour // that a Member is told of
	memberLifetime = 2 * maxWait
)

func (m member) isOutOfTries() bool { return m.WrongCodes >= maxWrongCodes }

// sent notes that an SMS may have gone out. The wait for the next one is as long
// as the guard's: it doubles with each, until a code is right.
func (m *member) sent(cooldown time.Duration) {
	m.WrongCodes = 0
	m.NextCode = time.Now().Add(cooldown << min(m.SMS, 6))
	m.SMS++
}

// wait notes that no other code may be requested until then.
func (m *member) wait(until time.Time) {
	if until.After(m.NextCode) {
		m.NextCode = until
	}
}

func (l *login) memberKey() string { return "member:" + hash(l.OrganizationID, l.MemberID) }

// withMember makes one call to Stytch at a time for each Member, so that codes
// entered in many browsers at once are all counted.
func (a *app) withMember(ctx context.Context, l *login, call func(*member) notice) (notice, error) {
	key := l.memberKey()
	waiting, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	unlock, err := a.store.lock(waiting, key)
	if err != nil {
		return notice{}, err
	}
	defer unlock()
	m, err := load[member](ctx, a.store, key)
	if err != nil {
		return notice{}, err
	}
	n := call(&m)
	return n, keep(ctx, a.store, key, m, time.Now().Add(memberLifetime))
}
