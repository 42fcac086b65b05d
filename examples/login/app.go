package main

import (
	"crypto/sha256"
	"embed"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

// countries are those of the Members' phones. A number without a country code is
// of the first one.
var countries = []string{"US", "CA"}

type config struct {
	fake      *fake // instead of Stytch; nil for the real one
	store     store
	cooldown  time.Duration // between two codes for a Member
	plainHTTP bool          // cookies go over plain http, too
	logger    *slog.Logger
}

// An app is the web application. Browsers see one address, "/", with the next
// step of their login. Forms go to other addresses, and lead back there.
type app struct {
	config
	stytch   *stytchb2b.Client
	guard    *guard.Guard // against toll fraud
	sessions *scs.SessionManager
}

func newApp(c config) (*app, error) {
	a := &app{config: c, sessions: newSessions(c.store, c.plainHTTP)}
	secret := os.Getenv("STYTCH_SECRET")
	if c.fake != nil {
		secret = c.fake.Secret
	}
	guardOpts := []guard.Option{guard.Recommended(countries...), guard.Cooldown(c.cooldown), guard.WithLogger(c.logger)}
	if redis, ok := c.store.(*redisStore); ok { // It counts there, too.
		key := sha256.Sum256([]byte("guard:" + secret))
		shared, err := redisstore.New(redis.client, "login:guard", key[:])
		if err != nil {
			return nil, err
		}
		guardOpts = append(guardOpts, guard.WithStore(shared))
	}
	var err error
	if a.guard, err = guard.New(guardOpts...); err != nil {
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

//go:embed static
var static embed.FS

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	route := func(method, path string, handler http.Handler) {
		mux.Handle(method+" "+path, handler)
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", strings.Replace(method, "GET", "GET, HEAD", 1))
			errorPage(w, http.StatusMethodNotAllowed)
		})
	}
	route("GET", "/{$}", http.HandlerFunc(a.show))
	route("GET", "/static/login.js", http.FileServerFS(static))
	route("GET", "/static/style.css", http.FileServerFS(static))
	route("POST", "/sign-in", a.form("", a.signIn))
	route("POST", "/number", a.form(stepNumber, a.enterNumber))
	route("POST", "/resend", a.form(stepCode, a.sendCode))
	route("POST", "/code", a.form(stepCode, a.enterCode))
	route("POST", "/sign-out", a.form("", a.signOut))
	if a.fake != nil {
		route("POST", "/fault", a.form("", a.failNext))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { errorPage(w, http.StatusNotFound) })

	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { errorPage(w, http.StatusForbidden) }))
	return a.secureHeaders(sameOrigin.Handler(mux))
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
