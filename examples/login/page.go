package main

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// A page is what the templates show.
type page struct {
	Step   string
	Login  *login
	Notice notice
	Wait   int // seconds until another code can be requested
}

// A notice tells a Member what came of a form.
type notice struct {
	Text  string    // "%s" in it is how long to wait
	Kind  string    // good or maybe; empty for a failure
	Field bool      // about what was entered, to be said beside its field
	Typed string    // what was entered, to be corrected
	Until time.Time // of a wait; zero without one
	Wait  int       // seconds that there still are to wait
}

const good, maybe = "good", "maybe"

// show is the page of the login's next step. It changes nothing, and waits for
// no form that is under way.
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
	if l.step() == "sign-in" { // Its form may lead to an identity provider.
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy+" https:")
	}
	var b bytes.Buffer
	if err := a.pages.ExecuteTemplate(&b, "page", page{l.step(), l, n, seconds(time.Until(l.NextCode))}); err != nil {
		panic(err) // The templates and what they show are our own.
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// failed answers a request that was not, or not fully, carried out.
func (a *app) failed(w http.ResponseWriter, r *http.Request, status int, text string, err error) {
	a.logger.ErrorContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "error", err)
	http.Error(w, text, status)
}

const nothingDone = "Something went wrong. Nothing was changed or sent. Please try again in a minute."

// seconds rounds up. It is 0 for a time that is over.
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
