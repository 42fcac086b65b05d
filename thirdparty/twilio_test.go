package thirdparty_test

import (
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	twilio "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestTwilio sends messages with Twilio's Go client to a server that counts them.
// The client makes one request for each message, and the API has no idempotency key.
// The result depends on the http.Client below it.
func TestTwilio(t *testing.T) {
	t.Parallel()
	plain := func(network http.RoundTripper) *http.Client { return &http.Client{Transport: network} }
	// Its default policy repeats a POST after any connection error, and after any
	// status of 500 or above except 501.
	retryable := func(network http.RoundTripper) *http.Client {
		c := retryablehttp.NewClient()
		c.Logger, c.RetryMax, c.RetryWaitMin, c.HTTPClient.Transport = nil, 1, time.Millisecond, network
		return c.StandardClient()
	}
	atMostOnce := func(network http.RoundTripper) *http.Client {
		return &http.Client{Transport: &atmostonce.Transport{Base: network}}
	}
	breakOff := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	unavailable := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	for _, tt := range []struct {
		fault   string
		network faults.Network            // of the first request
		answer  func(http.ResponseWriter) // to it
		// how many messages go out
		plain, retryable, atMostOnce int
		// how the call ends with atmostonce
		well, maybeSent bool
	}{
		{fault: "none", network: faults.Plain, plain: 1, retryable: 1, atMostOnce: 1, well: true},
		{fault: "refused dial", network: faults.RefusedDial, plain: 0, retryable: 1, atMostOnce: 1, well: true},
		{fault: "unknown authority", network: faults.UnknownAuthority, plain: 0, retryable: 0, atMostOnce: 0, maybeSent: false},
		{fault: "reset", network: faults.Plain, answer: breakOff, plain: 1, retryable: 2, atMostOnce: 1, maybeSent: true},
		{fault: "503", network: faults.Plain, answer: unavailable, plain: 1, retryable: 2, atMostOnce: 1, maybeSent: true},
	} {
		for _, proto := range []faults.Protocol{faults.HTTPS1, faults.HTTPS2} {
			t.Run(tt.fault+"/"+string(proto), func(t *testing.T) {
				t.Parallel()
				send := func(under func(http.RoundTripper) *http.Client) (messages int64, err error) {
					var n atomic.Int64
					s := faults.Serve(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.PostForm.Get("To") != "+12025550106" {
							w.WriteHeader(http.StatusBadRequest)
							return
						}
						if n.Add(1) == 1 && tt.answer != nil {
							tt.answer(w)
							return
						}
						w.WriteHeader(http.StatusCreated)
						_, _ = io.WriteString(w, `{"sid":"SM0123456789abcdef"}`)
					}))
					err = sendMessage(under(toServer(s, first(tt.network(s), faults.Plain(s)))))
					return n.Load(), err
				}
				n, err := send(plain)
				assert.EqualValues(t, tt.plain, n, "net/http: %v", err)
				n, err = send(retryable)
				assert.EqualValues(t, tt.retryable, n, "go-retryablehttp: %v", err)
				n, err = send(atMostOnce)
				assert.EqualValues(t, tt.atMostOnce, n, "atmostonce: %v", err)
				if tt.well {
					assert.NoError(t, err)
				} else {
					require.Error(t, err)
					assert.Equal(t, tt.maybeSent, atmostonce.MaybeSent(err), "%v", err)
				}
			})
		}
	}
}

// sendMessage sends a message. It uses only that part of Twilio's client: all of it
// takes most of a minute to compile.
func sendMessage(httpClient *http.Client) error {
	service := api.NewApiServiceWithClient(&twilio.Client{
		Credentials: twilio.NewCredentials("AC0123456789abcdef", "secret"),
		HTTPClient:  httpClient,
	})
	params := &api.CreateMessageParams{}
	params.SetPathAccountSid("AC0123456789abcdef")
	params.SetTo("+12025550106")
	params.SetFrom("+12025550107")
	params.SetBody("Your code is 123456.")
	_, err := service.CreateMessage(params)
	return err
}

// toServer leads requests to a server.
func toServer(s *faults.Server, next http.RoundTripper) http.RoundTripper {
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.URL, _ = url.Parse(s.URL + req.URL.RequestURI())
		return next.RoundTrip(req)
	})
}
