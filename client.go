package stytchb2b

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// A Client makes calls to Stytch for one project. Make one and share it: it is
// safe for concurrent use and keeps connections open. It needs no closing.
// Package fmt and log/slog never print its secret.
type Client struct {
	// OTPs holds the calls for one-time passcodes.
	OTPs OTPs

	projectID string
	baseURL   string
	http      *http.Client
	timeout   time.Duration
	retry     RetryPolicy
	logger    *slog.Logger // nil: no logging
	guard     Guard        // nil: none

	// connectTimeout is 0 if the transport is not the Client's own.
	connectTimeout time.Duration

	// Only these functions hold the secret, out of reach of what prints a struct
	// by reflection.
	authorize func(http.Header) // adds the credentials to a request
	secrets   func() secrets    // are those that no text may show
}

// NewClient returns a Client for a project, from the project ID and the secret
// that Stytch's dashboard shows under "API keys". It does no I/O.
//
// Requests go to https://test.stytch.com if the project ID begins with
// "project-test-", to https://api.stytch.com if it begins with "project-live-",
// and elsewhere with [WithBaseURL], which any other project ID requires. The
// error is a [*ConfigError].
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
	var own time.Duration
	if cfg.httpClient == nil {
		transport := NewTransport()
		if _, ok := transport.(*http.Transport); ok {
			own = connectTimeout
		}
		cfg.httpClient = &http.Client{Transport: transport}
	}
	httpClient := *cfg.httpClient // A copy: the caller may change theirs later.

	basic := base64.StdEncoding.EncodeToString([]byte(projectID + ":" + secret))
	authorization := []string{"Basic " + basic}
	c := &Client{
		projectID:      projectID,
		baseURL:        strings.TrimSuffix(cfg.baseURL.String(), "/"),
		http:           &httpClient,
		timeout:        cfg.timeout,
		retry:          cfg.retry,
		logger:         cfg.logger,
		guard:          cfg.guard,
		connectTimeout: own,
		authorize:      func(h http.Header) { h["Authorization"] = authorization },
		secrets:        func() secrets { return secrets{secret, basic} },
	}
	post := func(op Op, path string) endpoint {
		u := cfg.baseURL.JoinPath(path)
		return endpoint{op, &http.Request{ // as http.NewRequest makes one
			Method: http.MethodPost,
			URL:    u,
			Host:   u.Host,
			Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{
				"Accept":       {"application/json"},
				"Content-Type": {"application/json"},
				"User-Agent":   {cfg.userAgent},
			},
		}}
	}
	c.OTPs.SMS = SMS{
		client:       c,
		send:         post(OpSMSSend, "/v1/b2b/otps/sms/send"),
		authenticate: post(OpSMSAuthenticate, "/v1/b2b/otps/sms/authenticate"),
	}
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

// checkCredentials finds slips in copied credentials.
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

// withDefaultBaseURL is WithBaseURL for the project's environment. Its error
// does not quote the project ID: it may be a secret in the wrong place.
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

// connectTimeout bounds each step to a connection, and with the Client's own
// transport all of them: a third of DefaultTimeout or less, so that a host or a
// proxy that does not answer leaves time to try again.
const connectTimeout = 3 * time.Second

// NewTransport returns the transport that a Client uses by default, for programs
// that wrap it and pass the result to [WithHTTPClient].
//
// It is a clone of [http.DefaultTransport] that speaks HTTP/1.1, gives up
// connecting after 3 seconds, resumes TLS sessions, and keeps up to 256 idle
// connections to a host (net/http keeps 2) for 45 seconds. The dialer and the
// proxy of http.DefaultTransport are kept. If the program has replaced
// http.DefaultTransport with something other than an [*http.Transport], such as a
// mock, NewTransport returns that.
func NewTransport() http.RoundTripper {
	defaultTransport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t := defaultTransport.Clone()
	t.DialContext = dialWithin(connectTimeout, t.DialContext)
	t.DialTLSContext = dialWithin(connectTimeout, t.DialTLSContext)
	t.TLSHandshakeTimeout = connectTimeout
	// net/http keeps 2 idle connections to a host: with more calls at once than
	// that, nearly every call would open a new connection.
	t.MaxIdleConns = 256
	t.MaxIdleConnsPerHost = 256
	// Less than the 60 s of common load balancers: if the other side is just
	// closing the connection, the outcome of a request on it is unknown.
	t.IdleConnTimeout = 45 * time.Second
	// Over HTTP/2, proxies reset streams that they have processed in a way that
	// asks for another try (https://github.com/haproxy/haproxy/issues/3414), and
	// one broken connection leaves the outcome of many calls unknown.
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = nil
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	if t.TLSClientConfig.ClientSessionCache == nil {
		t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	return t
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialWithin bounds the time of dial, if there is one.
func dialWithin(timeout time.Duration, dial dialFunc) dialFunc {
	if dial == nil {
		return nil
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return dial(ctx, network, addr)
	}
}

// CloseIdleConnections closes the Client's idle connections. It does nothing for
// a Client made with [WithHTTPClient], or if [http.DefaultTransport] was not an
// [*http.Transport]: other code may share those transports.
func (c *Client) CloseIdleConnections() {
	if c != nil && c.connectTimeout > 0 {
		c.http.CloseIdleConnections()
	}
}

// String returns the project ID and the base URL, and not the secret.
func (c Client) String() string {
	return fmt.Sprintf("stytchb2b.Client(%s, %s)", c.projectID, c.baseURL)
}

// GoString is String with the name of the type, for %#v.
func (c Client) GoString() string { return c.String() }
