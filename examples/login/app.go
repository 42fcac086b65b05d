package main

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/stytchtest"
)

//go:embed static
var static embed.FS

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("").Parse(pagesHTML))

type config struct {
	fake      *fake         // instead of Stytch; nil for the real one
	cooldown  time.Duration // between two codes for a Member
	logger    *slog.Logger
	providers providers
}

// An app is the web application. A browser sees it at one address, "/", where
// its login's next step is; the forms go elsewhere and come back.
type app struct {
	config
	stytch *stytchb2b.Client
	logins logins
	tries  tries
	calls  calls
}

func newApp(c config) (*app, error) {
	g, err := guard.New(
		guard.AllowCountries("US", "CA"),
		guard.Cooldown(c.cooldown),
		guard.Limit(guard.PerPhoneNumber, 10, time.Hour),
		guard.WithLogger(c.logger))
	if err != nil {
		return nil, err
	}
	telemetry := c.providers.http()
	// Each attempt to reach Stytch becomes a span, and is measured.
	transport := otelhttp.NewTransport(stytchb2b.NewTransport(), telemetry...)
	httpClient := &http.Client{Transport: transport}
	opts := []stytchb2b.Option{
		stytchb2b.WithHTTPClient(httpClient), stytchb2b.WithGuard(g), stytchb2b.WithLogger(c.logger),
	}

	a := &app{config: c}
	if c.fake != nil {
		a.stytch = c.fake.Client(opts...)
	} else if a.stytch, err = stytchb2b.NewClientFromEnv(opts...); err != nil {
		return nil, err
	}
	a.calls, err = newCalls(c.providers, c.logger)
	return a, err
}

// maxForm is the largest form that is read, in bytes.
const maxForm = 8 << 10

func (a *app) handler() http.Handler {
	assets, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // It is embedded.
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(assets)))
	mux.HandleFunc("GET /{$}", a.show)
	mux.HandleFunc("POST /sign-in", a.form(a.signIn))
	mux.HandleFunc("POST /number", a.form(a.enterNumber))
	mux.HandleFunc("POST /resend", a.form(a.resend))
	mux.HandleFunc("POST /code", a.form(a.enterCode))
	mux.HandleFunc("POST /sign-out", a.form(a.signOut))
	if a.fake != nil {
		mux.HandleFunc("POST /fault", a.form(a.failNext))
	}
	h := http.NewCrossOriginProtection().Handler(mux)
	h = secureHeaders(h)
	h = logRequests(a.logger, h)
	return otelhttp.NewHandler(h, "login", a.providers.http()...)
}

// secureHeaders keeps other sites, caches and injected scripts out.
func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "+
			"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		if !strings.HasPrefix(r.URL.Path, "/static/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// form is the handler of a form. Whatever came of it, the browser is sent back
// to "/": a reload there sends no second SMS.
func (a *app) form(handle func(*http.Request, *login)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			status := http.StatusBadRequest
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, "The form is malformed or too large.", status)
			return
		}
		l := a.logins.of(r)
		l.Lock() // One form of a browser at a time.
		defer l.Unlock()
		handle(r, l)
		a.logins.save(w, r, l)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// A page is what the templates show.
type page struct {
	Step     step
	Notice   notice
	LastFour string
	Sent     bool // a code may be on its way
	Wait     int  // seconds until another code can be asked for
	Session  *stytchb2b.SMSAuthenticateResponse

	// With the fake Stytch only.
	Fake    bool
	Members []stytchtest.Member
	Phone   []stytchtest.SMS // what the Member's phone received, the newest first
	Faults  []namedFault
}

// show is the page of the login's next step.
func (a *app) show(w http.ResponseWriter, r *http.Request) {
	l := a.logins.of(r)
	l.Lock()
	defer l.Unlock()
	p := page{
		Step:     l.step(),
		Notice:   l.notice,
		LastFour: l.lastFour,
		Sent:     l.sent,
		Wait:     seconds(time.Until(l.resendAt)),
		Session:  l.session,
	}
	if a.fake != nil {
		p.Fake, p.Members, p.Phone, p.Faults = true, a.fake.members(), a.fake.phone(l.memberID), faults
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "page", p); err != nil {
		a.logger.ErrorContext(r.Context(), "page", "error", err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	l.notice = notice{} // It is shown once.
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}
