package stytchb2b

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// userAgent names the library and its version in each request.
const userAgent = "stytchb2b-go/0.1.0"

// A Client makes calls to Stytch for one project. It is safe for concurrent
// use, and meant to be made once and shared: it keeps connections open. It
// starts no goroutine of its own, and needs no closing.
//
// However a Client is printed, the secret does not show.
type Client struct {
	// OTPs are the calls for one-time passcodes.
	OTPs OTPs

	projectID string
	baseURL   string
	http      *http.Client
	timeout   time.Duration
	retry     RetryPolicy
	logger    *slog.Logger // nil: no logging
	guard     Guard        // nil: none

	// The secret is kept in these functions alone, out of reach of whatever
	// prints a struct by reflection.
	authorize       func(http.Header)   // adds the credentials to a request
	maskCredentials func(string) string // masks them in a text
}

// NewClient makes a Client for a project, from the project ID and the secret
// that Stytch's dashboard shows under "API keys". It does no I/O.
//
// A project ID that begins with "project-test-" leads to
// https://test.stytch.com, and "project-live-" to https://api.stytch.com;
// [WithBaseURL] leads elsewhere. Wrong arguments are a [*ParamError].
func NewClient(projectID, secret string, opts ...Option) (*Client, error) {
	if err := checkCredentials(projectID, secret); err != nil {
		return nil, err
	}
	cfg := config{timeout: DefaultTimeout, retry: RetryPolicy{}.withDefaults(), userAgent: userAgent}
	for _, opt := range opts {
		if opt == nil {
			return nil, &ParamError{"opts", "an Option must not be nil"}
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
	var httpClient http.Client
	if cfg.httpClient != nil {
		httpClient = *cfg.httpClient // What becomes of the caller's later is not ours.
	} else {
		httpClient.Transport = NewTransport()
	}

	basic := base64.StdEncoding.EncodeToString([]byte(projectID + ":" + secret))
	authorization := []string{"Basic " + basic}
	c := &Client{
		projectID:       projectID,
		baseURL:         strings.TrimSuffix(cfg.baseURL.String(), "/"),
		http:            &httpClient,
		timeout:         cfg.timeout,
		retry:           cfg.retry,
		logger:          cfg.logger,
		guard:           cfg.guard,
		authorize:       func(h http.Header) { h["Authorization"] = authorization },
		maskCredentials: func(s string) string { return maskSecret(maskSecret(s, basic), secret) },
	}
	post := func(op Op, path string) endpoint {
		return endpoint{op, &http.Request{
			Method: http.MethodPost,
			URL:    cfg.baseURL.JoinPath(path),
			Host:   cfg.baseURL.Host,
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
			return nil, &ParamError{name, "is not set in the environment"}
		}
	}
	return NewClient(os.Getenv("STYTCH_PROJECT_ID"), os.Getenv("STYTCH_SECRET"), opts...)
}

// checkCredentials finds what a slip of the hand does to credentials.
func checkCredentials(projectID, secret string) error {
	for _, arg := range []struct{ name, value string }{{"projectID", projectID}, {"secret", secret}} {
		if arg.value == "" {
			return &ParamError{arg.name, "must not be empty"}
		}
		if strings.ContainsFunc(arg.value, func(r rune) bool { return r == ' ' || notPrintableASCII(r) }) {
			return &ParamError{arg.name, "must not hold white space, control characters or anything outside ASCII: was a newline pasted with it?"}
		}
	}
	switch {
	case strings.Contains(projectID, ":"):
		return &ParamError{"projectID", "must not hold a colon"} // It ends the user in Basic credentials (RFC 7617).
	case strings.HasPrefix(projectID, "project-live-") && strings.HasPrefix(secret, "secret-test-"):
		return &ParamError{"secret", "is one of the test environment, but the project ID is a live one"}
	case strings.HasPrefix(projectID, "project-test-") && strings.HasPrefix(secret, "secret-live-"):
		return &ParamError{"secret", "is one of the live environment, but the project ID is a test one"}
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
		return &ParamError{"projectID", `must begin with "project-test-" or "project-live-", as Stytch's dashboard shows it; another one needs WithBaseURL`}
	}
}

// NewTransport makes the transport of a Client that is given none, for those who
// wrap or change it before they give it to [WithHTTPClient]: a clone of
// [http.DefaultTransport] with shorter timeouts for making a connection (3 s),
// room for 256 idle connections to one host (net/http keeps 2), which it closes
// after 45 s, and pings that find a dead HTTP/2 connection.
func NewTransport() *http.Transport {
	var t *http.Transport
	if dt, ok := http.DefaultTransport.(*http.Transport); ok {
		t = dt.Clone()
	} else { // The program has put something else there.
		t = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	}
	// A third of DefaultTimeout or less, so that a host that does not answer
	// leaves time to try again.
	const connectTimeout = 3 * time.Second
	t.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = connectTimeout
	// net/http keeps 2 idle connections a host: with more calls at once than
	// that, nearly each call would make a connection of its own.
	t.MaxIdleConns = 256
	t.MaxIdleConnsPerHost = 256
	// Less than the 60 s of common load balancers: a request on a connection
	// that the other side is just closing is one whose outcome is unknown.
	t.IdleConnTimeout = 45 * time.Second
	// An HTTP/2 connection that has gone dead without a word would fail every
	// call until the kernel notices, which takes minutes.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second}
	return t
}

// maxBody is the largest answer that is read, in bytes. Stytch's have 1.5 to 4 KB.
const maxBody = 1 << 20

// begin bounds a call's context, which must be there and not be over. The
// cancel function is never nil.
func (c *Client) begin(ctx context.Context, op Op) (context.Context, context.CancelFunc, error) {
	if c == nil { // of the zero value of a Client or an SMS
		return nil, func() {}, &ParamError{"client", "must be made by NewClient"}
	}
	if ctx == nil {
		return nil, func() {}, &ParamError{"ctx", "must not be nil"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	if err := ctx.Err(); err != nil {
		return ctx, cancel, &TransportError{Op: op, Outcome: OutcomeNotApplied, Err: err}
	}
	return ctx, cancel, nil
}

// An endpoint is one operation of the API.
type endpoint struct {
	op      Op
	request *http.Request // what each of its requests begins with
}

// post is the one request path of every endpoint. It sends in as JSON, decodes
// the answer into out and returns the answer's body. ctx is from begin.
func (c *Client) post(ctx context.Context, e endpoint, in, out any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, &ParamError{"params", "cannot be encoded as JSON: " + err.Error()}
	}
	call := newCall(c, e, body, out)
	start := time.Now()
	answer, err := call.do(ctx)
	call.log(ctx, "stytchb2b: call", start, call.outcome, err, slog.Int("attempts", call.attempts))
	return answer, err
}

// readBody reads a body to its end, so that the connection can be used again,
// or to the limit.
func readBody(resp *http.Response) ([]byte, error) {
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= maxBody {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && b.Len() > maxBody {
		err = errors.New("the body is over 1 MiB")
	}
	return b.Bytes(), err
}

// decodeObject is json.Unmarshal for a body that must be a JSON object.
func decodeObject(body []byte, out any) error {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return errors.New("the body is empty")
	}
	if body[0] != '{' {
		return errors.New("the body is no JSON object")
	}
	return json.Unmarshal(body, out)
}

// String names the project and the address, and never the secret.
func (c Client) String() string {
	return fmt.Sprintf("stytchb2b.Client(%s, %s)", c.projectID, c.baseURL)
}

// GoString is String, for %#v.
func (c Client) GoString() string { return c.String() }
