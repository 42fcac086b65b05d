package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

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
