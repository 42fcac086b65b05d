package main

import (
	"context"
	"time"
)

// A member is what is known of a Member in all of their browsers.
type member struct {
	WrongCodes int       // entered since the last SMS
	NextCode   time.Time // when another code may be requested
}

// maxWrongCodes is so few that nobody guesses a code of six digits.
const maxWrongCodes = 5

func (m member) isOutOfTries() bool { return m.WrongCodes >= maxWrongCodes }

// memberLifetime is longer than a code's of two minutes.
const memberLifetime = 10 * time.Minute

func (l *login) memberKey() string { return "member:" + hash(l.OrganizationID, l.MemberID) }

// withMember makes one call to Stytch at a time for each Member, so that codes
// that are entered in many browsers at once do not share a try.
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
	until := time.Now().Add(memberLifetime)
	if m.NextCode.After(until) {
		until = m.NextCode
	}
	return n, keep(ctx, a.store, key, m, until)
}
