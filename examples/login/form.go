package main

import (
	"context"
	"net/http"
)

// A handler carries out a form, changes the login, and returns what to tell the Member.
type handler func(context.Context, *http.Request, *login) notice

// form handles a form of one step of the login; "" means any step.
func (a *app) form(path string, want string, handle handler) {
	submit := func(w http.ResponseWriter, r *http.Request) { a.submit(w, r, want, handle) }
	a.mux.HandleFunc("POST "+path, submit)
	a.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if path == "/sign-in" && r.Method == http.MethodGet && r.URL.Query().Has("token") {
			submit(w, r) // A magic link or single sign-on comes back.
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
}

// submit handles a form. If the login changes, it redirects the browser to "/", where a
// reload sends no second SMS.
func (a *app) submit(w http.ResponseWriter, r *http.Request, want string, handle handler) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "This form is too large, or was cut off on its way.", http.StatusBadRequest)
		return
	}
	ctx, l, err := a.loadLogin(r)
	if err == nil && l.SignedIn == nil {
		// Send an SMS or use a code only if the store can save the result.
		_, _, err = a.sessions.Commit(ctx)
	}
	if err != nil {
		a.failed(w, r, http.StatusServiceUnavailable, nothingDone, err)
		return
	}
	was, oldToken := *l, a.sessions.Token(ctx)
	n := l.outOfTurn(want, r.PostForm.Get("login"))
	if n.Text == "" {
		n = handle(ctx, r, l)
	}
	if *l != was && *l != (login{}) {
		l.Notice = n
	}
	token, expires, err := a.saveLogin(ctx, was, *l)
	switch {
	case err != nil:
		a.failed(w, r, http.StatusInternalServerError, "We are not sure that this worked. Go back and check before you try again.", err)
	case n.Text != "" && l.Notice != n:
		a.showLogin(w, l, n)
	case token != "" && token != oldToken:
		a.sessions.WriteSessionCookie(ctx, w, token, expires)
		http.Redirect(w, r, "/?session", http.StatusSeeOther)
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// outOfTurn returns a notice if a form does not fit the login. The form may be from an
// old page or another tab, or be sent twice.
func (l *login) outOfTurn(want string, loginID string) notice {
	switch {
	case want == "", want == l.step() && (loginID == "" || loginID == l.ID):
		return notice{}
	case l.step() == "sign-in":
		return expired
	}
	return notice{Text: "Your sign-in has moved on since then. Continue here."}
}
