package main

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"time"
)

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("").Funcs(template.FuncMap{"inWords": inWords}).Parse(pagesHTML))

// A page is what the templates show.
type page struct {
	ID      string // goes with its forms
	Step    step
	Notice  notice
	Login   *login
	Wait    int  // seconds until another code can be requested
	NoTries bool // left for the code
	Fake    *fake
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
		errorPage(w, http.StatusServiceUnavailable)
		return
	}
	render(w, "page", page{
		ID:      l.ID + "." + rand.Text(),
		Step:    l.step(),
		Notice:  a.takeNotice(w, r),
		Login:   l,
		Wait:    seconds(time.Until(m.NextCode)),
		NoTries: m.isOutOfTries(),
		Fake:    a.fake,
	})
}

// errorWords are the title and the text of the page for each status.
var errorWords = map[int][2]string{
	http.StatusBadRequest:            {"Something is missing", "Part of the form was lost on its way. Please try again."},
	http.StatusForbidden:             {"Form not accepted", "This form did not come from our site."},
	http.StatusNotFound:              {"Page not found", "There is no page at this address."},
	http.StatusMethodNotAllowed:      {"Page not found", "There is no page at this address."},
	http.StatusRequestEntityTooLarge: {"Form too large", "Please enter less."},
	http.StatusServiceUnavailable:    {"Something went wrong", "We are not sure that this worked. Go back and check before you try again."},
}

func errorPage(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	render(w, "error", errorWords[status])
}

func render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		panic(err) // The templates and what they show are our own.
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}
