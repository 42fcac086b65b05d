package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// control is the API under /_fakestytch/, with which tests in any language do
// what those in Go do with a stytchtest.Server.
type control struct {
	*stytchtest.Server
	config *startLine // once ready is closed
	ready  <-chan struct{}
}

func (c control) handler(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*http.Request) (any, error){
		"GET /_fakestytch/config":      c.getConfig,
		"POST /_fakestytch/seed":       c.seed,
		"POST /_fakestytch/login":      c.login,
		"POST /_fakestytch/session":    c.session,
		"GET /_fakestytch/sms":         c.sms,
		"GET /_fakestytch/clock":       c.clock,
		"POST /_fakestytch/clock":      c.setClock,
		"POST /_fakestytch/faults":     c.fail,
		"DELETE /_fakestytch/faults":   c.recover,
		"POST /_fakestytch/rate_limit": c.setRateLimit,
		"POST /_fakestytch/countries":  c.setCountries,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
			answer, err := handle(r)
			var apiErr *stytchb2b.APIError
			switch {
			case err == nil:
				write(w, http.StatusOK, answer)
			case errors.As(err, &apiErr):
				write(w, apiErr.StatusCode, map[string]string{"error": err.Error()})
			default:
				write(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			}
		})
	}
	mux.HandleFunc("/_fakestytch/", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusNotFound, map[string]string{"error": "there is no " + r.Method + " " + r.URL.Path})
	})
	mux.Handle("/", next)
	return mux
}

func write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	_ = out.Encode(answer)
}

// done is the answer where there is nothing to say.
type done struct{}

func (c control) getConfig(*http.Request) (any, error) {
	<-c.ready
	return c.config, nil
}

func (c control) seed(r *http.Request) (any, error) { return done{}, c.Load(r.Body) }

func (c control) login(r *http.Request) (any, error) {
	p := struct {
		MemberID string `json:"member_id"`
	}{c.MemberID}
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	login, err := c.LogIn(p.MemberID)
	return json.RawMessage(login.RawJSON()), err
}

func (c control) session(r *http.Request) (any, error) {
	p := struct {
		MemberID string `json:"member_id"`
		TOTP     bool   `json:"totp"`
	}{MemberID: c.MemberID}
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	if _, ok := c.Member(p.MemberID); !ok {
		return nil, fmt.Errorf("there is no Member %q", p.MemberID)
	}
	session := c.NewSession(p.MemberID, p.TOTP)
	return map[string]string{"session_token": session.Token, "session_jwt": session.JWT}, nil
}

func (c control) sms(r *http.Request) (any, error) {
	sms := c.SMS()
	if id := r.URL.Query().Get("member_id"); id != "" {
		sms = c.SMSTo(id)
	}
	return map[string]any{"sms": append([]stytchtest.SMS{}, sms...)}, nil
}

func (c control) clock(*http.Request) (any, error) { return map[string]time.Time{"now": c.Now()}, nil }

func (c control) setClock(r *http.Request) (any, error) {
	var p struct {
		Advance duration  `json:"advance"`
		Time    time.Time `json:"time"`
	}
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	if !p.Time.IsZero() {
		c.SetTime(p.Time)
	}
	c.Advance(time.Duration(p.Advance))
	return c.clock(r)
}

func (c control) fail(r *http.Request) (any, error) {
	var p struct {
		stytchtest.Fault
		Header    map[string]string `json:"header"`
		Delay     duration          `json:"delay"`
		BodyDelay duration          `json:"body_delay"`
		Times     int               `json:"times"`
		Always    bool              `json:"always"`
	}
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	if p.StatusCode != 0 && (p.StatusCode < 200 || p.StatusCode > 599) {
		return nil, errors.New("status_code must be 200 to 599")
	}
	fault := p.Fault
	fault.Delay, fault.BodyDelay, fault.Header = time.Duration(p.Delay), time.Duration(p.BodyDelay), http.Header{}
	for name, value := range p.Header {
		fault.Header.Set(name, value)
	}
	if p.Always {
		c.FailAlways(fault)
		return done{}, nil
	}
	for range max(1, p.Times) {
		c.Fail(fault)
	}
	return done{}, nil
}

func (c control) recover(*http.Request) (any, error) {
	c.Recover()
	return done{}, nil
}

func (c control) setRateLimit(r *http.Request) (any, error) {
	var p struct {
		stytchtest.RateLimit
		Window duration `json:"window"`
	}
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	p.RateLimit.Window = time.Duration(p.Window)
	c.SetRateLimit(p.RateLimit)
	return done{}, nil
}

func (c control) setCountries(r *http.Request) (any, error) {
	var p struct {
		Countries []string `json:"countries"`
	}
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	return done{}, c.AllowCountries(p.Countries...)
}

// decode reads a request's JSON object, if it has a body.
func decode(r *http.Request, params any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(params); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// A duration is such as "90s" or "2m".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err == nil && parsed < 0 {
		err = fmt.Errorf("%s is negative", text)
	}
	*d = duration(parsed)
	return err
}
