package main

import (
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

type config struct {
	newClient    func(...stytchb2b.Option) (*stytchb2b.Client, error)
	authenticate func(*http.Request, *login) (login, error) // as authenticate does
	store        store
	cooldown     time.Duration // between two codes for a Member
	plainHTTP    bool          // cookies go over plain http, too
	logger       *slog.Logger
}

// An app is the web application. Browsers see one address, "/", with the next
// step of their login. Forms go to other addresses, and lead back there.
type app struct {
	config
	stytch   *stytchb2b.Client
	guard    *guard.Guard // against toll fraud
	sessions *scs.SessionManager
	pages    *template.Template
	mux      *http.ServeMux
}

// application makes what the program serves until ctx ends.
var application = func(_ context.Context, c config) (*app, error) { return newApp(c) }

func newApp(c config) (*app, error) {
	a := &app{config: c, sessions: newSessions(c.store, c.plainHTTP), pages: newPages(), mux: http.NewServeMux()}
	var err error
	if a.guard, err = newGuard(c); err != nil {
		return nil, err
	}
	if a.stytch, err = c.newClient(stytchb2b.WithGuard(a.guard), stytchb2b.WithLogger(c.logger)); err != nil {
		return nil, err
	}
	a.mux.HandleFunc("GET /{$}", a.show)
	a.mux.Handle("GET /static/login.js", http.FileServerFS(static))
	a.mux.Handle("GET /static/style.css", http.FileServerFS(static))
	a.form("/sign-in", "", a.signIn)
	a.form("/number", stepNumber, a.enterNumber)
	a.form("/resend", stepCode, a.sendCode)
	a.form("/code", stepCode, a.enterCode)
	a.form("/sign-out", "", a.signOut)
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { a.errorPage(w, http.StatusNotFound) })
	return a, nil
}

//go:embed static
var static embed.FS

func (a *app) handler() http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { a.errorPage(w, http.StatusForbidden) }))
	return a.secureHeaders(sameOrigin.Handler(a.mux))
}

// secureHeaders keeps other sites, caches and injected scripts out.
func (a *app) secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "+
			"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		if !strings.HasPrefix(r.URL.Path, "/static/") {
			h.Set("Cache-Control", "no-store")
		}
		if !a.plainHTTP { // Browsers heed it over https only.
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}
		next.ServeHTTP(w, r)
	})
}
