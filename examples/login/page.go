package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"time"
)

//go:embed pages.html
var pagesHTML string

func newPages() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"inWords": inWords}).Parse(pagesHTML))
}

// A page is what the templates show.
type page struct {
	ID      string // goes with its forms
	Step    step
	Notice  notice
	Login   *login
	Wait    int  // seconds until another code can be requested
	NoTries bool // left for the code
}

// withCookie is in the address of a page for which the browser has a session.
const withCookie = "session"

// show is the page of the login's next step. It changes nothing, and waits for
// no form that is under way.
func (a *app) show(w http.ResponseWriter, r *http.Request) {
	token := a.sessionToken(r)
	_, l, err := a.loadLogin(r.Context(), token)
	var m member
	if err == nil {
		m, err = load[member](r.Context(), a.store, l.memberKey())
	}
	if err != nil {
		a.failed(w, r, err)
		return
	}
	n := a.takeNotice(w, r)
	if n.Text == "" && token == "" && r.URL.RawQuery == withCookie {
		n = noCookie
	}
	a.render(w, "page", page{
		ID:      l.ID + "." + rand.Text(),
		Step:    l.step(),
		Notice:  n,
		Login:   l,
		Wait:    seconds(time.Until(m.NextCode)),
		NoTries: m.isOutOfTries(),
	})
}

// errorWords are the title and the text of the page for each status.
var errorWords = map[int][2]string{
	http.StatusBadRequest:            {"Something is missing", "Part of the form was lost on its way. Please try again."},
	http.StatusForbidden:             {"Form not accepted", "This form did not come from our site."},
	http.StatusNotFound:              {"Page not found", "There is no page at this address."},
	http.StatusRequestEntityTooLarge: {"Form too large", "Please shorten what you entered."},
	http.StatusServiceUnavailable:    {"Something went wrong", "We are not sure that this worked. Go back and check before you try again."},
}

// failed answers a request that was not, or not wholly, carried out. That a browser
// has gone while it waited is no error.
func (a *app) failed(w http.ResponseWriter, r *http.Request, err error) {
	level := slog.LevelError
	if errors.Is(err, context.Canceled) {
		level = slog.LevelDebug
	}
	a.logger.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "error", err)
	a.errorPage(w, http.StatusServiceUnavailable)
}

func (a *app) errorPage(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	a.render(w, "error", errorWords[status])
}

func (a *app) render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := a.pages.ExecuteTemplate(&b, name, data); err != nil {
		panic(err) // The templates and what they show are our own.
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// A notice is what to tell a Member on the next page.
type notice struct {
	Text  string    // with "%s" for how long there still is to wait
	Kind  string    // good or maybe; empty for a failure
	Field bool      // about what was entered, to be said beside its field
	Typed string    // what was entered, to be corrected
	Until time.Time // of a wait; zero without one

	Wait int `json:"-"` // seconds that there still are to wait
}

const good, maybe = "good", "maybe"

// setNotice keeps the notice in a cookie, so that showing it changes no session.
func (a *app) setNotice(w http.ResponseWriter, n notice) {
	if n.Text == "" {
		return
	}
	n.Typed = shown(n.Typed[:min(len(n.Typed), 256)])
	text, _ := json.Marshal(n) // Strings and a time do not fail.
	http.SetCookie(w, a.noticeCookie(base64.RawURLEncoding.EncodeToString(text), 60))
}

func (a *app) noticeCookie(value string, maxAge int) *http.Cookie {
	c := a.sessions.Cookie
	return &http.Cookie{
		Name: cookieName("notice", a.plainHTTP), Value: value, MaxAge: maxAge,
		Path: c.Path, Secure: c.Secure, HttpOnly: c.HttpOnly, SameSite: c.SameSite,
	}
}

// takeNotice returns the notice for a page, and forgets it if the page is shown.
func (a *app) takeNotice(w http.ResponseWriter, r *http.Request) (n notice) {
	cookie, err := r.Cookie(cookieName("notice", a.plainHTTP))
	if err != nil {
		return notice{}
	}
	if r.Method != http.MethodHead {
		http.SetCookie(w, a.noticeCookie("", -1))
	}
	text, _ := base64.RawURLEncoding.DecodeString(cookie.Value)
	if json.Unmarshal(text, &n) != nil {
		return notice{}
	}
	if !n.Until.IsZero() {
		if n.Wait = seconds(time.Until(n.Until)); n.Wait == 0 {
			return notice{}
		}
		n.Text = strings.Replace(n.Text, "%s", inWords(n.Wait), 1) // Sprintf would trust the cookie.
	}
	return n
}

// seconds rounds up; what is over is 0.
func seconds(d time.Duration) int { return int(math.Ceil(max(0, d).Seconds())) }

// inWords is a time to wait, as people say it.
func inWords(seconds int) string {
	n, unit := seconds, "second"
	for _, longer := range []string{"minute", "hour"} {
		if n > 90 {
			n, unit = (n+59)/60, longer
		}
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprint(n, " ", unit)
}
