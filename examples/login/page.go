package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("").Parse(pagesHTML))

// A page is what the templates show.
type page struct {
	ID      string // goes with its forms
	Step    step
	Notice  notice
	Login   *login
	Wait    int  // seconds until another code can be requested
	NoTries bool // left for the code

	// With the fake Stytch only.
	Fake    bool
	Members []stytchtest.Member
	Phone   []stytchtest.SMS // what the Member's phone received, the newest first
	Faults  []namedFault
}

// show is the page of the login's next step. It changes nothing, and waits for
// no form that is under way.
func (a *app) show(w http.ResponseWriter, r *http.Request) {
	_, l, err := a.loadLogin(r.Context(), a.sessionToken(r))
	var m member
	if err == nil {
		m, err = load[member](r.Context(), a.store, l.memberKey())
	}
	if err != nil {
		a.logger.ErrorContext(r.Context(), "page", "error", err)
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	}
	p := page{
		ID:      l.newPageID(),
		Step:    l.step(),
		Notice:  a.takeNotice(w, r, l.step()),
		Login:   l,
		Wait:    seconds(time.Until(m.NextCode)),
		NoTries: m.isOutOfTries(),
	}
	if a.fake != nil {
		p.Fake, p.Members, p.Phone, p.Faults = true, a.fake.members(), a.fake.phone(l.MemberID), faults
	}
	render(w, "page", p)
}

func render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		panic(err) // The templates and what they show are our own.
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// errorPages makes a page of each answer that is an error.
func errorPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&errorPage{ResponseWriter: w}, r)
	})
}

// An errorPage replaces what is written after the header of an error.
type errorPage struct {
	http.ResponseWriter
	replaced bool
}

func (w *errorPage) WriteHeader(status int) {
	if w.replaced = status >= 400; !w.replaced {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.Header().Del("Content-Length")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.ResponseWriter.WriteHeader(status)
	render(w.ResponseWriter, "error", struct {
		Title, Text string
	}{http.StatusText(status), errorTexts[status]})
}

func (w *errorPage) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

var errorTexts = map[int]string{
	http.StatusBadRequest:            "The form is malformed.",
	http.StatusForbidden:             "The form did not come from this site.",
	http.StatusNotFound:              "There is no page at this address.",
	http.StatusMethodNotAllowed:      "A form goes to this address. There is no page.",
	http.StatusRequestEntityTooLarge: "The form is too large.",
	http.StatusServiceUnavailable:    "Something went wrong on our side. Please try again in a moment.",
}

// factorsInWords is how the Member has signed in: "email and SMS".
func factorsInWords(factors []stytchb2b.AuthenticationFactor) string {
	names := map[string]string{"sms": "SMS", "authenticator_app": "an authenticator app", "knowledge": "password"}
	var words []string
	for _, f := range factors {
		word, ok := names[f.DeliveryMethod]
		if !ok {
			word = strings.ReplaceAll(f.DeliveryMethod, "_", " ")
		}
		if word != "" && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
