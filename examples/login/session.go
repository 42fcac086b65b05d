package main

import (
	"context"
	"encoding/gob"
	"net/http"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"

	"github.com/eb715825/stytchb2b/guard"
)

// A login is the content of a browser's session. Its tokens never reach the browser.
type login struct {
	ID string // new after the sign-in, and after the right code

	guard.Login              // from the primary authentication
	IntermediateSessionToken string

	Entered  bool      // the Member has entered the phone number in this login
	SMS      int       // how many may have been sent
	NextCode time.Time // when the Member can request another one
	Notice   notice    // to show

	SignedIn *signedIn // after the last factor
}

// A signedIn is a session at Stytch.
type signedIn struct {
	SessionToken, Name string
	ExpiresAt          time.Time
}

// step is what the Member has to do next.
func (l *login) step() string {
	switch {
	case l.SignedIn != nil:
		return "signed-in"
	case l.MemberID == "":
		return "sign-in"
	case l.MFAPhoneNumber == "" && l.SMS == 0:
		return "number"
	}
	return "code"
}

// LastFour returns the last four digits of the number that codes go to.
func (l *login) LastFour() string { return l.MFAPhoneNumber[max(0, len(l.MFAPhoneNumber)-4):] }

func newSessions(c config) *scs.SessionManager {
	gob.Register(login{})
	m := scs.New()
	if c.redis != nil {
		m.Store = goredisstore.NewWithPrefix(c.redis, "login:")
	}
	m.HashTokenInStore = true
	m.Lifetime = 10 * time.Minute // as long as Stytch's intermediate session token lasts
	m.Cookie.Name, m.Cookie.Secure = "login", !c.plainHTTP
	if !c.plainHTTP {
		// The prefix makes browsers accept the cookie only from this host and only over
		// https. Most make an exception for http://localhost.
		m.Cookie.Name = "__Host-login"
	}
	return m
}

// loadLogin returns the browser's login, which may be empty. A closed tab does not
// cancel the request. Otherwise, nobody would know whether an SMS went out, and a
// session that a code started could be lost.
func (a *app) loadLogin(r *http.Request) (context.Context, *login, error) {
	token := ""
	if cookie, err := r.Cookie(a.sessions.Cookie.Name); err == nil {
		token = cookie.Value
	}
	ctx, err := a.sessions.Load(context.WithoutCancel(r.Context()), token)
	if err != nil {
		return nil, nil, err
	}
	l, _ := a.sessions.Get(ctx, "login").(login)
	return ctx, &l, nil
}

// saveLogin saves a login that a form changed. A login with a new ID gets a new token,
// and the old token becomes invalid, so it never opens the new session. Nothing is
// stored for strangers.
func (a *app) saveLogin(ctx context.Context, was, is login) (token string, expires time.Time, err error) {
	switch {
	case is == login{}, is.SignedIn != nil && time.Now().After(is.SignedIn.ExpiresAt):
		// Redis would keep an expired session forever.
		return "", time.Time{}, a.sessions.Destroy(ctx)
	case is == was:
		return "", time.Time{}, nil
	case is.ID != was.ID:
		if err := a.sessions.RenewToken(ctx); err != nil {
			return "", time.Time{}, err
		}
	}
	if is.SignedIn != nil {
		a.sessions.SetDeadline(ctx, is.SignedIn.ExpiresAt)
	}
	a.sessions.Put(ctx, "login", is)
	return a.sessions.Commit(ctx)
}
