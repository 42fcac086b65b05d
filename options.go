package stytchb2b

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// An Option configures a [Client]. [NewClient] returns a [*ConfigError] for an
// invalid value. If an option is given twice, the last one takes effect.
type Option func(*config) error

// config is what the options set.
type config struct {
	baseURL    *url.URL
	httpClient http.Client
	timeout    time.Duration
	retry      RetryPolicy
	logger     *slog.Logger
	userAgent  string
	guard      Guard
}

// DefaultTimeout limits a call, unless [WithTimeout] changes it.
const DefaultTimeout = 10 * time.Second

// WithBaseURL sends requests to the project's custom domain (a CNAME) or to a test
// server, instead of the address that [NewClient] derives from the project ID. If
// baseURL is empty, as from an unset variable, that address is used.
//
// baseURL is an absolute https URL without user, query or fragment. It may have a
// path prefix. Plain http is allowed for a loopback address only, because each
// request carries the secret. For a fake in another container, see
// https://github.com/eb715825/stytchb2b/tree/main/stytchtest.
func WithBaseURL(baseURL string) Option {
	return func(c *config) error {
		if baseURL == "" {
			c.baseURL = nil
			return nil
		}
		u, reason := parseBaseURL(baseURL)
		if reason != "" {
			return &ConfigError{"WithBaseURL", reason}
		}
		c.baseURL = u
		return nil
	}
}

// parseBaseURL returns the URL, or the reason why it is refused. The reason does not
// quote the URL, which may contain a password.
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

// WithHTTPClient sends requests through httpClient's Transport and uses its Jar. Its
// Timeout, if any, limits each attempt. If the Transport is nil, the Client uses its
// own. Redirects are never followed. Other code can share httpClient.
//
// The Transport should not retry: if it tries to send the request a second time in
// one attempt, the outcome is unknown (see [atmostonce.Transport]). A
// [*retryablehttp.RoundTripper] is refused: it would also hide Stytch's 429s.
func WithHTTPClient(httpClient *http.Client) Option {
	return func(c *config) error {
		if httpClient == nil {
			return &ConfigError{"WithHTTPClient", "must not be nil"}
		}
		if _, ok := httpClient.Transport.(*retryablehttp.RoundTripper); ok {
			return &ConfigError{"WithHTTPClient", "must not have a *retryablehttp.RoundTripper as its Transport: it would try to send an SMS more than once. WithRetry sets what is retried"}
		}
		c.httpClient = *httpClient // A copy: the caller may change the original later.
		return nil
	}
}

// WithTimeout limits each call, including all attempts and waits. The default is
// [DefaultTimeout]. An earlier deadline of the context applies as well. Stytch may
// work on a request for up to 30 seconds
// (https://github.com/stytchauth/stytch-ruby/issues/209), so an SMS may go out after
// the timeout. [MaybeSent] is then true.
func WithTimeout(timeout time.Duration) Option {
	return func(c *config) error {
		if timeout <= 0 {
			return &ConfigError{"WithTimeout", fmt.Sprintf("must be more than 0: %v", timeout)}
		}
		c.timeout = timeout
		return nil
	}
}

// WithRetry changes what is retried, how often and when.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) error {
		policy = policy.withDefaults()
		if reason := policy.check(); reason != "" {
			return &ConfigError{"WithRetry", reason}
		}
		c.retry = policy
		return nil
	}
}

// WithLogger logs each call, at [slog.LevelWarn] if it failed and at
// [slog.LevelDebug] otherwise, and each attempt, at LevelDebug. The attributes include
// op, status, request_id, outcome, duration and error. No record contains a secret, a
// token or a full phone number.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return &ConfigError{"WithLogger", "must not be nil"}
		}
		c.logger = logger
		return nil
	}
}

// WithUserAgent puts product, such as "acme-login/1.4", before the library's own
// User-Agent.
func WithUserAgent(product string) Option {
	return func(c *config) error {
		if strings.TrimSpace(product) == "" || strings.ContainsFunc(product, notPrintableASCII) {
			return &ConfigError{"WithUserAgent", `must be printable ASCII and not empty, such as "acme-login/1.4"`}
		}
		c.userAgent = product + " " + userAgent
		return nil
	}
}

func notPrintableASCII(r rune) bool { return r < ' ' || r > '~' }
