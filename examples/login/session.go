package main

import (
	"context"
	"encoding/gob"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// A login is what the session of a browser holds. The tokens in it never reach
// the browser.
type login struct {
	ID string // new when the Member has signed in, and when the code was right

	// From the primary authentication.
	OrganizationID, MemberID, IntermediateSessionToken string

	NeedsNumber bool   // the Member has to enter a phone number
	Number      string // that they have entered
	LastFour    string // digits of the number that codes go to
	Sent        bool   // a code may be on its way

	SignedIn *signedIn // after the last factor
}

// A signedIn is a session at Stytch.
type signedIn struct {
	SessionToken       string
	Name, Organization string
	ExpiresAt          time.Time
}

// A step is what the Member has to do next.
type step string

const (
	stepSignIn   step = "sign-in"
	stepNumber   step = "number"
	stepCode     step = "code"
	stepSignedIn step = "signed-in"
)

func (l *login) step() step {
	switch {
	case l.SignedIn != nil:
		return stepSignedIn
	case l.MemberID == "":
		return stepSignIn
	case l.NeedsNumber:
		return stepNumber
	}
	return stepCode
}

// pendingLifetime is how long a Member has to enter the code: as long as Stytch's
// intermediate session token lasts.
const pendingLifetime = 10 * time.Minute

func newSessions(s store, plainHTTP bool) *scs.SessionManager {
	gob.Register(login{})
	m := scs.New()
	m.Store, m.HashTokenInStore = s, true
	m.Lifetime = pendingLifetime
	m.Cookie.Name = cookieName("login", plainHTTP)
	m.Cookie.Secure = !plainHTTP
	return m
}

// cookieName has the prefix that makes browsers take the cookie from this host
// only, and over https only. They make an exception for http://localhost.
func cookieName(name string, plainHTTP bool) string {
	if plainHTTP {
		return name
	}
	return "__Host-" + name
}

// sessionToken returns the token that the browser has; "" if it has none.
func (a *app) sessionToken(r *http.Request) string {
	if cookie, err := r.Cookie(a.sessions.Cookie.Name); err == nil {
		return cookie.Value
	}
	return ""
}

// loadLogin returns the login of a token; an empty one if there is none.
func (a *app) loadLogin(ctx context.Context, token string) (context.Context, *login, error) {
	ctx, err := a.sessions.Load(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	l, _ := a.sessions.Get(ctx, "login").(login)
	return ctx, &l, nil
}

// saveLogin saves what a form has made of a login. A login with a new ID gets a
// new token, and the old token ends: whoever knows it does not get into the
// session that follows.
func (a *app) saveLogin(ctx context.Context, was, is login) (token string, expires time.Time, err error) {
	switch {
	case is == was:
		return "", time.Time{}, nil
	case is == login{}, is.SignedIn != nil && time.Now().After(is.SignedIn.ExpiresAt):
		// Redis would keep an expired session for good.
		return "", time.Time{}, a.sessions.Destroy(ctx)
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
