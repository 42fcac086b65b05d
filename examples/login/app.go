package main

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

type config struct {
	newClient    func(...stytchb2b.Option) (*stytchb2b.Client, error)
	authenticate primaryAuthentication
	stytchAPI    stytchAPI
	redis        *redis.Client // nil: a single process keeps everything in memory
	guardKey     string        // keys the guard's hashes in Redis
	cooldown     time.Duration // between two codes for a Member
	plainHTTP    bool          // allow cookies over plain http
	logger       *slog.Logger
}

//go:embed static
var static embed.FS

//go:embed pages.html
var pagesHTML string

// An app is the web application. "/" shows the next step of the browser's login. Forms
// go to other paths, which redirect back to "/".
type app struct {
	config
	stytch   *stytchb2b.Client
	guard    *guard.Guard // against toll fraud and guessed codes
	sessions *scs.SessionManager
	pages    *template.Template
	mux      *http.ServeMux
}

func newApp(_ context.Context, c config) (*app, error) {
	guard, err := newGuard(c)
	if err != nil {
		return nil, err
	}
	stytch, err := c.newClient(stytchb2b.WithGuard(guard), stytchb2b.WithLogger(c.logger))
	if err != nil {
		return nil, err
	}
	pages := template.Must(template.New("").Funcs(template.FuncMap{"inWords": inWords}).Parse(pagesHTML))
	a := &app{c, stytch, guard, newSessions(c), pages, http.NewServeMux()}
	a.mux.HandleFunc("GET /{$}", a.show)
	a.mux.Handle("GET /static/{file}", http.FileServerFS(static))
	a.form("/sign-in", "", a.signIn)
	a.form("/number", "number", a.enterNumber)
	a.form("/other-number", "code", a.changeNumber)
	a.form("/resend", "code", a.sendCode)
	a.form("/code", "code", a.enterCode)
	a.form("/sign-out", "", a.signOut)
	return a, nil
}

// countries are the countries of the Members' phones. A number without a country code
// belongs to the first.
var countries = []string{"US", "CA"}

// newGuard makes the guard against toll fraud and guessed codes. It stores its counts
// where the sessions are.
func newGuard(c config) (*guard.Guard, error) {
	opts := []guard.Option{guard.Recommended(countries...), guard.Cooldown(c.cooldown), guard.WithLogger(c.logger)}
	if c.redis == nil {
		return guard.New(append(opts, guard.SingleProcess())...)
	}
	store, err := redisstore.New(c.redis, "login:guard", []byte(c.guardKey))
	if err != nil {
		return nil, fmt.Errorf("GUARD_KEY, a secret of 16 bytes or more that stays the same: %w", err)
	}
	return guard.New(append(opts, guard.WithStore(store))...)
}

const contentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// handler rejects forms from other sites, and forbids caching and foreign scripts.
func (a *app) handler() http.Handler {
	sameOrigin := http.NewCrossOriginProtection().Handler(a.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Strict-Transport-Security", "max-age=63072000") // Browsers ignore it over plain http.
		sameOrigin.ServeHTTP(w, r)
	})
}
