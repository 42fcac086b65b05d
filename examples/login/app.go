package main

import (
	"embed"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

//go:embed static
var static embed.FS

type config struct {
	fake      *fake // instead of Stytch; nil for the real one
	store     store
	cooldown  time.Duration // between two codes for a Member
	plainHTTP bool          // cookies go over plain http, too
	logger    *slog.Logger
}

// An app is the web application. A browser sees it at one address, "/", where
// its login's next step is; the forms go elsewhere and come back.
type app struct {
	config
	stytch   *stytchb2b.Client
	guard    *guard.Guard
	sessions *scs.SessionManager
}

func newApp(c config) (*app, error) {
	a := &app{config: c, sessions: newSessions(c.store, c.plainHTTP)}
	secret := os.Getenv("STYTCH_SECRET")
	if c.fake != nil {
		secret = c.fake.Secret
	}
	var err error
	if a.guard, err = newGuard(c, secret); err != nil {
		return nil, err
	}
	opts := []stytchb2b.Option{stytchb2b.WithGuard(a.guard), stytchb2b.WithLogger(c.logger)}
	if c.fake != nil {
		a.stytch = c.fake.Client(opts...)
		return a, nil
	}
	a.stytch, err = stytchb2b.NewClientFromEnv(opts...)
	return a, err
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/{file}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, static, "static/"+r.PathValue("file"))
	})
	mux.HandleFunc("GET /{$}", a.show)
	mux.HandleFunc("POST /sign-in", a.form("", a.signIn))
	mux.HandleFunc("POST /number", a.form(stepNumber, a.enterNumber))
	mux.HandleFunc("POST /resend", a.form(stepCode, a.sendCode))
	mux.HandleFunc("POST /code", a.form(stepCode, a.enterCode))
	mux.HandleFunc("POST /sign-out", a.form("", a.signOut))
	if a.fake != nil {
		mux.HandleFunc("POST /fault", a.form("", a.failNext))
	}
	return a.secureHeaders(errorPages(http.NewCrossOriginProtection().Handler(mux)))
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
		if !a.plainHTTP { // A browser heeds it if it came over https.
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}
		next.ServeHTTP(w, r)
	})
}
