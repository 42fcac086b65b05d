package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A handler does what a form asks for, changes the login, and returns what to
// tell the Member.
type handler func(context.Context, *http.Request, *login) (notice, error)

// An answer is what a form does to a browser, besides sending it back to "/".
type answer struct {
	Form    string // the hash of all that was in the form
	Notice  notice
	Token   string // of the session; empty if the cookie stays as it is
	Expires time.Time
}

const (
	maxForm        = 8 << 10          // bytes
	lockTimeout    = 15 * time.Second // longer than a call to Stytch takes
	answerLifetime = 10 * time.Second // for a form that comes again
)

// form handles a form for the step that the login must be at; "" is any. Then it
// sends the browser back to "/", where a reload sends no second SMS. A browser
// whose form had no answer has the form's address, and may ask for that.
func (a *app) form(path string, want step, handle handler) {
	a.mux.Handle("GET "+path, http.RedirectHandler("/", http.StatusSeeOther))
	a.mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			status := http.StatusBadRequest
			if errors.As(err, new(*http.MaxBytesError)) {
				status = http.StatusRequestEntityTooLarge
			}
			a.errorPage(w, status)
			return
		}
		ans, err := a.answer(r, want, handle)
		if err != nil {
			a.failed(w, r, err)
			return
		}
		next := "/"
		if ans.Token != "" {
			a.sessions.WriteSessionCookie(r.Context(), w, ans.Token, ans.Expires)
			next = "/?" + withCookie
		}
		a.setNotice(w, ans.Notice)
		http.Redirect(w, r, next, http.StatusSeeOther)
	})
}

// answer handles one form of a browser at a time.
//
// If the last form comes again, it gets the same answer, with the token of the
// session that it has begun: a double click signs in once, and ends signed in.
// It is the same form only if the browser has the token from before it or after
// it, and all of its fields are the same: the code, and the page's ID, which is
// on no other page.
func (a *app) answer(r *http.Request, want step, handle handler) (ans answer, err error) {
	token, pageID := a.sessionToken(r), r.PostForm.Get("page")
	ans.Form = hash("form", r.URL.Path, r.PostForm.Encode())
	browser := hash("browser", token)
	if token == "" {
		browser = ans.Form
	}
	waiting, cancel := context.WithTimeout(r.Context(), lockTimeout)
	defer cancel()
	unlock, err := a.store.lock(waiting, browser)
	if err != nil {
		return ans, err
	}
	defer unlock()

	// If the browser goes away, the call goes on. Otherwise nobody would know
	// whether an SMS went out, or have the session that a code has begun.
	ctx := context.WithoutCancel(r.Context())
	last, err := load[answer](ctx, a.store, browser)
	if err != nil || pageID != "" && last.Form == ans.Form {
		return last, err
	}
	ctx, l, err := a.loadLogin(ctx, token)
	if err != nil {
		return ans, err
	}
	before := *l
	if ans.Notice = l.outOfTurn(want, pageID); ans.Notice.Text == "" {
		if ans.Notice, err = handle(ctx, r, l); err != nil {
			return ans, err
		}
	}
	if ans.Token, ans.Expires, err = a.saveLogin(ctx, before, *l); err != nil {
		return ans, err
	}
	if *l == (login{}) { // Nothing is kept for strangers.
		return ans, nil
	}
	for _, key := range slices.Compact([]string{browser, hash("browser", cmp.Or(ans.Token, token))}) {
		if err := keep(ctx, a.store, key, ans, time.Now().Add(answerLifetime)); err != nil {
			return ans, err
		}
	}
	return ans, nil
}

// outOfTurn says why a form does not fit the login, if it does not. It may come
// from yesterday's page, from another tab, or a second time.
func (l *login) outOfTurn(want step, pageID string) notice {
	of, _, _ := strings.Cut(pageID, ".")
	isOther := pageID != "" && of != l.ID
	switch is := l.step(); {
	case want == "", want == is && !isOther:
		return notice{}
	case is == stepSignIn:
		return expired
	case is == stepSignedIn:
		return notice{Text: "You are already signed in.", Kind: good}
	case isOther:
		return notice{Text: "You have started another sign-in since then. Continue with it here."}
	case is == stepNumber:
		return notice{Text: "Enter your phone number first."}
	}
	return notice{Text: "We already have your phone number."}
}

// hash names values without showing them.
func hash(values ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q", values)))
}
