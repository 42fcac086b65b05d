package main

import (
	"context"
	"flag"
	"html/template"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// This file is the demonstration: a fake Stytch in this process, Members to sign in as,
// the phone that receives the SMS, and faults. No other file depends on it.
func init() {
	builder = func(flags *flag.FlagSet) func(context.Context, config) (*app, error) {
		demo := flags.Bool("demo", false, "show a demonstration: Stytch is a fake in this process, and everyone can sign in")
		return func(ctx context.Context, c config) (*app, error) {
			if *demo {
				return newDemo(ctx, c)
			}
			return newApp(ctx, c)
		}
	}
}

type demo struct {
	*stytchtest.Server
	memberIDs []string
}

// newDemo makes the application with a fake Stytch.
func newDemo(ctx context.Context, c config) (*app, error) {
	d := &demo{Server: stytchtest.NewServer()}
	context.AfterFunc(ctx, d.Close)
	d.memberIDs = []string{d.MemberID} // This Member has a phone number.
	for _, m := range []stytchtest.Member{
		{Name: "Grace Hopper", EmailAddress: "grace@example.com", MFAEnrolled: true},
		{Name: "Alan Turing", EmailAddress: "alan@example.com"},
	} {
		m, err := d.AddMember(m)
		if err != nil {
			return nil, err
		}
		d.memberIDs = append(d.memberIDs, m.MemberID)
	}
	c.newClient = func(opts ...stytchb2b.Option) (*stytchb2b.Client, error) { return d.Client(opts...), nil }
	c.authenticate = d.authenticate
	c.stytchAPI = stytchAPI{d.URL, d.ProjectID, d.Secret}
	c.plainHTTP = true // for Safari
	a, err := newApp(ctx, c)
	if err != nil {
		return nil, err
	}
	a.mux.HandleFunc("GET /demo.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		_, _ = io.WriteString(w, demoCSS)
	})
	a.form("/fault", "", d.failNext)
	for _, name := range []string{"head", "main"} {
		template.Must(a.pages.AddParseTree(name+" without demo", a.pages.Lookup(name).Tree))
	}
	template.Must(a.pages.Funcs(template.FuncMap{"members": d.members, "phone": d.phone, "faults": d.faults}).Parse(demoHTML))
	c.logger.Warn("This is a demonstration. Stytch is a fake in this process, and everyone can sign in. No real SMS is sent.")
	return a, nil
}

// authenticate is the primary authentication. It trusts everyone.
func (d *demo) authenticate(r *http.Request, current login, before func(organizationID, memberID string) error) (l login, err error) {
	memberID := r.PostForm.Get("member_id")
	if current.SignedIn != nil && current.MemberID == memberID {
		return current, nil // as Stytch does, given the session token
	}
	if err := before(d.OrganizationID, memberID); err != nil {
		return l, err
	}
	p, err := d.LogIn(memberID)
	if err != nil {
		return l, err
	}
	r.PostForm.Set("answer", p.RawJSON())
	return authenticate(r, current, func(string, string) error { return nil })
}

// members returns the current Members: one may have added a phone number.
func (d *demo) members() (members []stytchtest.Member) {
	for _, id := range d.memberIDs {
		if m, ok := d.Member(id); ok {
			members = append(members, m)
		}
	}
	return members
}

// phone returns what the Member's phone shows: the latest messages, newest first.
func (d *demo) phone(memberID string) []stytchtest.SMS {
	sms := d.SMSTo(memberID)
	slices.Reverse(sms)
	return sms[:min(len(sms), 3)]
}

// A namedFault is a fault to choose on the page.
type namedFault struct {
	ID, Name string
	fault    stytchtest.Fault
}

func (d *demo) faults() []namedFault {
	return []namedFault{
		{"lost", "Done, but no answer", stytchtest.Fault{Processed: true, Reset: true}},
		{"down", "Stytch is down (503)", stytchtest.Fault{StatusCode: http.StatusServiceUnavailable}},
		{"late", "An answer too late", stytchtest.Fault{Delay: time.Minute}},
		{"busy", "Busy for 20 s (429)", stytchtest.Fault{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"20"}}}},
		{"refused", "Refused (400)", stytchtest.Fault{StatusCode: http.StatusBadRequest, ErrorType: "billing_not_verified"}},
	}
}

// failNext makes the Member's next request to Stytch fail.
func (d *demo) failNext(_ context.Context, r *http.Request, l *login) notice {
	for _, f := range d.faults() {
		if l.MemberID != "" && f.ID == r.PostForm.Get("fault") {
			f.fault.MemberID = l.MemberID
			d.Fail(f.fault)
			return notice{Text: "The next request to Stytch: " + f.Name + ".", Kind: good}
		}
	}
	return notice{}
}

const demoHTML = `
{{define "head"}}{{template "head without demo"}}
<link rel="stylesheet" href="/demo.css">{{end}}

{{define "sign-in"}}
<p class="stub">This page stands in for your own sign-in – a password, a magic link, single sign-on – and lets anyone in.</p>
<form method="post" action="/sign-in">
<input type="hidden" name="login" value="{{.Login.ID}}">
<fieldset>
<legend>Sign in as</legend>
{{range $i, $m := members}}
<label class="choice"><input type="radio" name="member_id" value="{{$m.MemberID}}" required{{if eq $i 0}} checked{{end}}>
<span><strong dir="auto">{{$m.Name}}</strong><br><small>{{if $m.MFAPhoneNumber}}has a phone number{{else if $m.MFAEnrolled}}has no phone number yet{{else}}needs no code{{end}}</small></span></label>
{{end}}
</fieldset>
<button class="primary">Sign in</button>
</form>
{{end}}

{{define "main"}}{{template "main without demo" .}}
{{if or (eq .Step "number") (eq .Step "code")}}
<aside aria-labelledby="phone">
<h2 id="phone">Your phone</h2>
<p class="help">Stytch is a fake in this process. It sends no real SMS; they arrive here.</p>
<ol class="screen">
{{range phone .Login.MemberID}}<li><span lang="en" dir="auto">{{.Text}}</span><br><small>to {{.To}}</small></li>
{{else}}<li class="empty">No messages</li>
{{end}}</ol>
<form method="post" action="/fault">
<input type="hidden" name="login" value="{{.Login.ID}}">
<label for="fault">What happens to the next request to Stytch</label>
<select id="fault" name="fault">
{{range faults}}<option value="{{.ID}}">{{.Name}}</option>
{{end}}</select>
<button>Make it happen</button>
</form>
</aside>
{{end}}{{end}}`

const demoCSS = `
.choice { display: flex; gap: .75rem; align-items: center; margin-bottom: .5rem; padding: .6rem .75rem; font-weight: 400; border: 1px solid var(--field); border-radius: .5rem; cursor: pointer; }
.choice span { min-width: 0; }
.choice input { flex: none; width: 1.15rem; height: 1.15rem; margin: 0; accent-color: var(--accent); }
aside { width: 100%; max-width: 25rem; padding: 1.75rem; border: 1px dashed var(--line); border-radius: .75rem; }
@media (min-width: 50rem) { aside { max-width: 20rem; } }
@media (max-width: 25rem) { aside { padding: 1rem; } }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
small { color: var(--muted); font-size: .875rem; }
fieldset { margin: 0 0 1rem; padding: 0; border: 0; }
legend { margin-bottom: .35rem; padding: 0; font-weight: 600; }
strong { overflow-wrap: anywhere; }
select { width: 100%; min-height: 2.75rem; margin-bottom: 1rem; padding: .5rem .75rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--field); border-radius: .5rem; }
.screen { margin: 0 0 1.25rem; padding: 0; list-style: none; }
.screen li { margin-bottom: .5rem; padding: .6rem .9rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem 1rem 1rem .25rem; overflow-wrap: anywhere; }
.screen .empty { color: var(--muted); background: none; border-style: dashed; }
`
