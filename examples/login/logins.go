package main

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"github.com/eb715825/stytchb2b"
)

// A login is what the server knows of one browser.
type login struct {
	sync.Mutex
	state

	id      string // of the cookie; empty before the first save
	expires time.Time
}

// state is how far a login has come.
type state struct {
	// What primary authentication gives.
	organizationID, memberID, intermediateSessionToken string

	needsNumber bool   // the Member has no phone number, and has to enter one
	number      string // that they have entered
	lastFour    string // digits of the number that a code was sent to
	sent        bool   // a code may be on its way
	resendAt    time.Time

	session *stytchb2b.SMSAuthenticateResponse // once a code was right
	notice  notice                             // for the next page
}

// member names the Member in what is kept for all of their browsers.
func (s *state) member() [2]string { return [2]string{s.organizationID, s.memberID} }

// A step is what the browser has to do next.
type step string

const (
	stepSignIn   step = "sign-in"
	stepNumber   step = "number"
	stepCode     step = "code"
	stepSignedIn step = "signed-in"
)

func (s *state) step() step {
	switch {
	case s.session != nil:
		return stepSignedIn
	case s.memberID == "":
		return stepSignIn
	case s.needsNumber:
		return stepNumber
	}
	return stepCode
}

const (
	cookieName      = "login"
	maxLogins       = 10_000
	pendingLifetime = 10 * time.Minute // as an intermediate session token's
)

// logins are kept in memory: they end with the process, and no other one knows
// them. No browser ever sees the session tokens in them.
type logins struct {
	mu   sync.Mutex // guards also each login's id and expires
	byID map[string]*login
}

// of returns the browser's login, or a new one.
func (s *logins) of(r *http.Request) *login {
	if cookie, err := r.Cookie(cookieName); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if l := s.byID[cookie.Value]; l != nil && time.Now().Before(l.expires) {
			return l
		}
	}
	return &login{}
}

// save keeps a login, if there is anything to keep, and tells the browser its ID.
func (s *logins) save(w http.ResponseWriter, r *http.Request, l *login) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.id == "" && l.state == (state{}) {
		return // A late second click must not take the first one's cookie away.
	}
	if l.id == "" {
		s.makeRoom()
		l.id = rand.Text()
	}
	s.byID[l.id] = l // again, if there was no room for it meanwhile
	l.expires = time.Now().Add(pendingLifetime)
	if l.session != nil && !l.session.MemberSession.ExpiresAt.IsZero() {
		l.expires = l.session.MemberSession.ExpiresAt
	}
	http.SetCookie(w, &http.Cookie{
		Name:     cookieName,
		Value:    l.id,
		Path:     "/",
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
		// Whoever forges the header makes their own cookie safer, no more.
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
}

// renew makes the ID that there is worthless; save gives another one. Else one
// that somebody has put into the browser would be signed in with it.
func (s *logins) renew(l *login) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, l.id)
	l.id = ""
}

// makeRoom has place for one more login.
func (s *logins) makeRoom() {
	if s.byID == nil {
		s.byID = map[string]*login{}
	}
	if len(s.byID) < maxLogins {
		return
	}
	for id, l := range s.byID {
		if time.Now().After(l.expires) {
			delete(s.byID, id)
		}
	}
	for id := range s.byID { // At random, if too few have expired.
		if len(s.byID) < maxLogins*9/10 {
			return
		}
		delete(s.byID, id)
	}
}
