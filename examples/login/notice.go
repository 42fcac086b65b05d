package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// A notice is what to tell a Member on the next page.
type notice struct {
	Text  string // with "%s" for how long there still is to wait
	Kind  kind
	Field bool      // about what was entered, to be said beside its field
	Typed string    // what was entered, to be corrected
	Until time.Time // of a wait; zero without one
	For   step      // the only step to tell it at; "" for any

	Wait int `json:"-"` // seconds that there still are to wait
}

// A kind is empty for a failure.
type kind string

const (
	good  kind = "good"
	maybe kind = "maybe"
)

// setNotice keeps the notice in the browser and not in the session, which a late
// request of a double click must not change.
func (a *app) setNotice(w http.ResponseWriter, n notice) {
	if n.Text == "" {
		return
	}
	n.Typed = shown(n.Typed[:min(len(n.Typed), 256)])
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
	if json.Unmarshal(text, &n) != nil || n.For != "" && n.For != at {
		return notice{}
	}
	if !n.Until.IsZero() {
		if n.Wait = seconds(time.Until(n.Until)); n.Wait == 0 {
			return notice{}
		}
		n.Text = strings.Replace(n.Text, "%s", inWords(n.Wait), 1) // A format could be anybody's.
	}
	return n
}

// shown is text without what cannot be seen, such as marks of the direction of
// writing and half a character.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
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
