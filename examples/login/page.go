package main

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// A page is the data of the templates.
type page struct {
	Step   string
	Login  *login
	Notice notice
	Wait   int // seconds until another code can be requested
}

// A notice tells a Member the result of a form.
type notice struct {
	Text  string    // "%s" in it is how long to wait
	Kind  string    // good or maybe; empty for a failure
	Field bool      // about the input: shown beside its field
	Typed string    // the input, to be corrected
	Until time.Time // the end of a wait; zero without one
	Wait  int       // the rest of the wait, in seconds
}

const good, maybe = "good", "maybe"

// show shows the login's next step. It changes nothing, and does not wait for a form in
// progress.
func (a *app) show(w http.ResponseWriter, r *http.Request) {
	ctx, l, err := a.loadLogin(r)
	if err != nil {
		a.failed(w, r, http.StatusServiceUnavailable, nothingDone, err)
		return
	}
	if a.sessions.Token(ctx) == "" && r.URL.RawQuery == "session" { // as submit leads to
		l.Notice = noCookie
	}
	a.showLogin(w, l, l.Notice)
}

func (a *app) showLogin(w http.ResponseWriter, l *login, n notice) {
	if !n.Until.IsZero() {
		if n.Wait = seconds(time.Until(n.Until)); n.Wait == 0 {
			n = notice{}
		}
		n.Text = strings.Replace(n.Text, "%s", inWords(n.Wait), 1)
	}
	if l.step() == "sign-in" { // Its form may redirect to an identity provider.
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy+" https:")
	}
	var b bytes.Buffer
	if err := a.pages.ExecuteTemplate(&b, "page", page{l.step(), l, n, seconds(time.Until(l.NextCode))}); err != nil {
		panic(err) // The templates and what they show are our own.
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// failed answers a request that was not carried out, or only in part.
func (a *app) failed(w http.ResponseWriter, r *http.Request, status int, text string, err error) {
	a.logger.ErrorContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "error", err)
	http.Error(w, text, status)
}

const nothingDone = "Something went wrong. Nothing was changed or sent. Please try again in a minute."

// seconds rounds a duration up to seconds; 0 if it is negative.
func seconds(d time.Duration) int { return int(math.Ceil(max(0, d).Seconds())) }

// inWords formats a wait as people say it.
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
