package stytchb2b

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b/atmostonce"
)

// A Client makes calls for one project. Make one and share it: it is safe for
// concurrent use and keeps connections open.
type Client struct {
	// OTPs holds the calls for one-time passcodes.
	OTPs OTPs

	projectID string
	baseURL   string
	http      http.Client // its Jar and Timeout
	transport *atmostonce.Transport
	timeout   time.Duration
	retry     RetryPolicy
	logger    *slog.Logger // nil: no logging
	guard     Guard        // nil: none

	// Only these functions hold the secret, so printing by reflection cannot show it.
	header  func() http.Header // returns a new request header, with the credentials
	secrets func() secrets     // returns what must be masked in every text
}

// NewClient returns a Client for a project. Stytch's dashboard shows the project ID
// and the secret under "API keys". NewClient does no I/O. The error is a
// [*ConfigError].
//
// Requests go to https://test.stytch.com if the project ID begins with
// "project-test-", and to https://api.stytch.com if it begins with "project-live-".
// Any other project ID requires [WithBaseURL].
func NewClient(projectID, secret string, opts ...Option) (*Client, error) {
	if err := checkCredentials(projectID, secret); err != nil {
		return nil, err
	}
	cfg := config{timeout: DefaultTimeout, retry: RetryPolicy{}.withDefaults(), userAgent: userAgent}
	for _, opt := range opts {
		if opt == nil {
			return nil, &ConfigError{"opts", "must not contain nil"}
		}
		if err := opt(&cfg); err != nil {
			return nil, err
		}
	}
	if cfg.baseURL == nil {
		if err := withDefaultBaseURL(projectID)(&cfg); err != nil {
			return nil, err
		}
	}
	basic := base64.StdEncoding.EncodeToString([]byte(projectID + ":" + secret))
	header := http.Header{
		"Accept":        {"application/json"},
		"Authorization": {"Basic " + basic},
		"Content-Type":  {"application/json"},
		"User-Agent":    {cfg.userAgent},
	}
	c := &Client{
		projectID: projectID,
		baseURL:   strings.TrimRight(cfg.baseURL.String(), "/"),
		http:      cfg.httpClient,
		transport: &atmostonce.Transport{Base: cfg.httpClient.Transport},
		timeout:   cfg.timeout,
		retry:     cfg.retry,
		logger:    cfg.logger,
		guard:     cfg.guard,
		header:    func() http.Header { return maps.Clone(header) },
		secrets:   func() secrets { return secrets{secret, basic} },
	}
	c.OTPs.SMS.client = c
	return c, nil
}

// NewClientFromEnv is [NewClient] with the project ID and the secret from the
// environment variables STYTCH_PROJECT_ID and STYTCH_SECRET.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	for _, name := range []string{"STYTCH_PROJECT_ID", "STYTCH_SECRET"} {
		if os.Getenv(name) == "" {
			return nil, &ConfigError{name, "is not set in the environment"}
		}
	}
	return NewClient(os.Getenv("STYTCH_PROJECT_ID"), os.Getenv("STYTCH_SECRET"), opts...)
}

// checkCredentials finds common mistakes in copied credentials.
func checkCredentials(projectID, secret string) error {
	for _, arg := range []struct{ name, value string }{{"projectID", projectID}, {"secret", secret}} {
		if arg.value == "" {
			return &ConfigError{arg.name, "must not be empty"}
		}
		if strings.ContainsFunc(arg.value, func(r rune) bool { return r == ' ' || notPrintableASCII(r) }) {
			return &ConfigError{arg.name, "must be printable ASCII without spaces: was a newline pasted with it?"}
		}
	}
	switch {
	case strings.Contains(projectID, ":"):
		return &ConfigError{"projectID", "must not contain a colon"} // It would end the user-id of Basic credentials (RFC 7617, section 2).
	case strings.HasPrefix(projectID, "project-live-") && strings.HasPrefix(secret, "secret-test-"):
		return &ConfigError{"secret", "is for the test environment, but the project ID is for the live one"}
	case strings.HasPrefix(projectID, "project-test-") && strings.HasPrefix(secret, "secret-live-"):
		return &ConfigError{"secret", "is for the live environment, but the project ID is for the test one"}
	}
	return nil
}

// withDefaultBaseURL is WithBaseURL for the project's environment. Its error does
// not quote the project ID: someone may have passed the secret in its place.
func withDefaultBaseURL(projectID string) Option {
	switch {
	case strings.HasPrefix(projectID, "project-test-"):
		return WithBaseURL("https://test.stytch.com")
	case strings.HasPrefix(projectID, "project-live-"):
		return WithBaseURL("https://api.stytch.com")
	}
	return func(*config) error {
		return &ConfigError{"projectID", `must begin with "project-test-" or "project-live-", as in Stytch's dashboard; any other needs WithBaseURL`}
	}
}

// NewBase is [atmostonce.NewBase]: a transport like a Client's own. Change or wrap it,
// and pass the result to [WithHTTPClient]. It is an [*http.Transport], unless
// [http.DefaultTransport] is of another type.
func NewBase() http.RoundTripper { return atmostonce.NewBase() }

// CloseIdleConnections closes idle connections, unless [WithHTTPClient] set a
// Transport: other code may share that.
func (c *Client) CloseIdleConnections() {
	if c != nil && c.transport != nil && c.transport.Base == nil {
		c.transport.CloseIdleConnections()
	}
}

// String returns the project ID and the base URL, without the secret.
func (c Client) String() string {
	return fmt.Sprintf("stytchb2b.Client(%s, %s)", c.projectID, c.baseURL)
}

// GoString is String for %#v, with the name of the type.
func (c Client) GoString() string { return c.String() }
