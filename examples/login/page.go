package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"

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

// WaitInWords is Wait, as people say it.
func (p page) WaitInWords() string { return inWords(p.Wait) }

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
