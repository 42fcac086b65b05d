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
	Text  string
	Kind  kind
	Field bool      // about what was entered, to be said beside its field
	Typed string    // what was entered, to be corrected
	Until time.Time // of a wait: "%s" in Text is how long it still is
	For   step      // the only step to tell it at; "" for any
}

type kind string

const (
	bad   kind = "" // a failure
	maybe kind = "maybe"
	good  kind = "good"
)

// setNotice keeps the notice in the browser and not in the session, which a late
// request of a double click must not change.
func (a *app) setNotice(w http.ResponseWriter, n notice) {
	if n.Text == "" {
		return
	}
	n.Typed = n.Typed[:min(len(n.Typed), 64)]
	text, _ := json.Marshal(n) // Strings and a time do not fail.
	a.setNoticeCookie(w, base64.RawURLEncoding.EncodeToString(text), 60)
}

func (a *app) setNoticeCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     cookieName("notice", a.plainHTTP),
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		Secure:   !a.plainHTTP,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

// takeNotice returns the notice for a page, and forgets it if the page is shown.
func (a *app) takeNotice(w http.ResponseWriter, r *http.Request, at step) (n notice) {
	cookie, err := r.Cookie(cookieName("notice", a.plainHTTP))
	if err != nil {
		return notice{}
	}
	if r.Method != http.MethodHead {
		a.setNoticeCookie(w, "", -1)
	}
	text, _ := base64.RawURLEncoding.DecodeString(cookie.Value)
	if json.Unmarshal(text, &n) != nil || n.For != "" && n.For != at || n.Wait() < 0 {
		return notice{}
	}
	return n
}

// Wait is how many seconds there still are to wait, 0 if nothing is to be waited
// for, and -1 if the wait is over.
func (n notice) Wait() int {
	wait := seconds(time.Until(n.Until))
	if !n.Until.IsZero() && wait == 0 {
		return -1
	}
	return wait
}

// Words are the text around the time that there still is to wait.
func (n notice) Words() (words struct{ Before, Time, After string }) {
	words.Before, words.After, _ = strings.Cut(n.Text, "%s")
	if n.Wait() > 0 {
		words.Time = inWords(n.Wait())
	}
	return words
}

// seconds rounds up; what is over is 0.
func seconds(d time.Duration) int { return int(math.Ceil(max(0, d).Seconds())) }

// inWords is a time to wait, as people say it.
func inWords(seconds int) string {
	n, unit := seconds, "second"
	if n > 90 {
		n, unit = (n+59)/60, "minute"
	}
	if n > 90 && unit == "minute" {
		n, unit = (n+59)/60, "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprint(n, " ", unit)
}
