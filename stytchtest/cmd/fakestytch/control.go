package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// control is the API under /_fakestytch/. It lets tests in any language do what Go
// tests do with a stytchtest.Server.
type control struct {
	*stytchtest.Server
	config startLine
}

// done is the answer of a request that asks for no data.
type done struct{}

func (c control) handler(stytch http.Handler) http.Handler {
	mux := http.NewServeMux()
	handle(mux, "GET config", func(*http.Request, done) (any, error) { return c.config, nil })
	handle(mux, "GET sms", c.sms)
	handle(mux, "GET clock", c.clock)
	handle(mux, "POST clock", c.setClock)
	handle(mux, "DELETE clock", func(*http.Request, done) (any, error) { c.SetTime(time.Time{}); return done{}, nil })
	handle(mux, "POST login", c.login)
	handle(mux, "POST faults", c.fail)
	handle(mux, "DELETE faults", func(*http.Request, done) (any, error) { c.Recover(); return done{}, nil })
	handle(mux, "POST countries", c.setCountries)
	mux.HandleFunc("POST /_fakestytch/seed", func(w http.ResponseWriter, r *http.Request) { answer(w, done{}, c.Load(r.Body)) })
	mux.HandleFunc("/_fakestytch/", func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusNotFound, map[string]string{"error": "there is no " + r.Method + " " + r.URL.Path})
	})
	mux.Handle("/", stytch)
	return mux
}

// handle registers a function that takes the JSON object in the request body. The body
// may be empty.
func handle[P any](mux *http.ServeMux, name string, f func(*http.Request, P) (any, error)) {
	method, path, _ := strings.Cut(name, " ")
	mux.HandleFunc(method+" /_fakestytch/"+path, func(w http.ResponseWriter, r *http.Request) {
		var params P
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
		d.DisallowUnknownFields()
		if err := d.Decode(&params); err != nil && err != io.EOF {
			answer(w, nil, err)
			return
		}
		result, err := f(r, params)
		answer(w, result, err)
	})
}

func answer(w http.ResponseWriter, result any, err error) {
	var apiErr *stytchb2b.APIError
	switch {
	case err == nil:
		write(w, http.StatusOK, result)
	case errors.As(err, &apiErr):
		write(w, apiErr.StatusCode, map[string]string{"error": err.Error()})
	default:
		write(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
}

func write(w http.ResponseWriter, status int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object)
}

func (c control) sms(r *http.Request, _ done) (any, error) {
	sms := c.SMS()
	if id := r.URL.Query().Get("member_id"); id != "" {
		sms = c.SMSTo(id)
	}
	return map[string]any{"sms": append([]stytchtest.SMS{}, sms...)}, nil
}

func (c control) clock(*http.Request, done) (any, error) {
	return map[string]time.Time{"now": c.Now()}, nil
}

func (c control) setClock(r *http.Request, p struct {
	Advance duration  `json:"advance"`
	Time    time.Time `json:"time"`
}) (any, error) {
	if !p.Time.IsZero() {
		c.SetTime(p.Time)
	}
	c.Advance(time.Duration(p.Advance))
	return c.clock(r, done{})
}

func (c control) login(_ *http.Request, p struct {
	MemberID string `json:"member_id"`
}) (any, error) {
	login, err := c.LogIn(cmp.Or(p.MemberID, c.MemberID))
	return json.RawMessage(login.RawJSON()), err
}

func (c control) fail(_ *http.Request, p struct {
	stytchtest.Fault
	Header    map[string]string `json:"header"`
	Delay     duration          `json:"delay"`
	BodyDelay duration          `json:"body_delay"`
	Times     int               `json:"times"`
	Always    bool              `json:"always"`
}) (any, error) {
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

func (c control) setCountries(_ *http.Request, p struct {
	Countries []string `json:"countries"`
}) (any, error) {
	return done{}, c.AllowCountries(p.Countries...)
}

// A duration is a string such as "90s" or "-2m" in JSON.
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}
