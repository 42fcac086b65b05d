package stytchb2b

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// An Option changes what [NewClient] makes. A wrong value is an error from
// NewClient, a [*ParamError] that names the option. Of an option given twice,
// the last one counts.
type Option func(*config) error

// config is what the options set.
type config struct {
	baseURL    *url.URL
	httpClient *http.Client
	timeout    time.Duration
	retry      RetryPolicy
	logger     *slog.Logger
	userAgent  string
	guard      Guard
}

// DefaultTimeout bounds a whole call where neither [WithTimeout] nor the
// context has an earlier end.
const DefaultTimeout = 10 * time.Second

// WithBaseURL sends requests to baseURL in place of the address that follows
// from the project ID: to a custom domain of the project's (a CNAME), or to a
// server in a test.
//
// baseURL is an absolute https URL, with a path prefix if need be, and without
// user, query and fragment. Plain http is accepted for a loopback address only,
// because the secret travels with each request.
func WithBaseURL(baseURL string) Option {
	return func(c *config) error {
		u, reason := parseBaseURL(baseURL)
		if reason != "" {
			return &ParamError{"WithBaseURL", reason}
		}
		c.baseURL = u
		return nil
	}
}

// parseBaseURL returns the URL, or the reason why it is none to send to. The
// reason does not quote the URL, which may hold a password.
func parseBaseURL(s string) (u *url.URL, reason string) {
	const expected = "must be an absolute https URL, such as https://login.example.com"
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, expected
	case u.User != nil:
		return nil, expected + ", without a user or a password"
	case strings.ContainsAny(s, "?#"):
		return nil, expected + ", without a query or a fragment"
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		if u.Path == "" {
			u.Path = "/" // Else JoinPath makes a relative path.
		}
		return u, ""
	case u.Scheme == "http":
		return nil, expected + "; plain http is for a loopback address only, because the secret travels with each request"
	}
	return nil, expected
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// WithHTTPClient sends requests through a copy of httpClient, with its
// Transport, Jar and Timeout. A nil Transport means [http.DefaultTransport], as
// it always does; one that wraps [NewTransport] is as fast as the Client's own. The Timeout bounds each attempt; [WithTimeout] bounds the
// whole call. Redirects are never followed, whatever its CheckRedirect says.
//
// httpClient and its Transport are not changed, and the library never closes
// their idle connections, so they can be shared with other code. A Transport of
// your own keeps the promise of [MaybeSent] if it passes the request's context
// on: from the context's [net/http/httptrace] hooks the library learns that a
// connection was never made, and that trying again is safe. Where a Transport
// does not, the outcome of a failed attempt is unknown.
func WithHTTPClient(httpClient *http.Client) Option {
	return func(c *config) error {
		if httpClient == nil {
			return &ParamError{"WithHTTPClient", "must not be nil"}
		}
		c.httpClient = httpClient
		return nil
	}
}

// WithTimeout bounds each whole call, from the first attempt to the end of the
// answer's body, waits between attempts included. An earlier deadline of the
// context counts all the same. The default is [DefaultTimeout].
func WithTimeout(timeout time.Duration) Option {
	return func(c *config) error {
		if timeout <= 0 {
			return &ParamError{"WithTimeout", fmt.Sprintf("must be more than 0, not %v", timeout)}
		}
		c.timeout = timeout
		return nil
	}
}

// WithRetry changes what is tried again, how often and when. Zero fields of
// policy keep their defaults.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) error {
		policy = policy.withDefaults()
		if reason := policy.check(); reason != "" {
			return &ParamError{"WithRetry", reason}
		}
		c.retry = policy
		return nil
	}
}

// WithLogger writes a record to logger, at [slog.LevelDebug], for each attempt
// (method, path, status, request_id, outcome, duration, and the wait before the
// next one) and for each call. No record holds the secret, a token, a phone
// number or a body. Without this option nothing is logged anywhere.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return &ParamError{"WithLogger", "must not be nil"}
		}
		c.logger = logger
		return nil
	}
}

// WithUserAgent puts product, such as "acme-login/1.4", in front of the
// library's own User-Agent.
func WithUserAgent(product string) Option {
	return func(c *config) error {
		if strings.TrimSpace(product) == "" || strings.ContainsFunc(product, notPrintableASCII) {
			return &ParamError{"WithUserAgent", `must be printable ASCII and not empty, such as "acme-login/1.4"`}
		}
		c.userAgent = product + " " + userAgent
		return nil
	}
}

func notPrintableASCII(r rune) bool { return r < ' ' || r > '~' }
