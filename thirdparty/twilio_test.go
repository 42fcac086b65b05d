package thirdparty_test

import (
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	twilio "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestTwilio sends messages with Twilio's Go client on an atmostonce.Transport, to a
// server that counts them. The API has no idempotency key.
func TestTwilio(t *testing.T) {
	t.Parallel()
	breakOff := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	unavailable := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	for _, tt := range []struct {
		fault    string
		network  faults.Network            // of the first request
		answer   func(http.ResponseWriter) // to it
		messages int
		well     bool
	}{
		{fault: "none", network: faults.Plain, messages: 1, well: true},
		{fault: "refused dial", network: faults.RefusedDial, messages: 1, well: true},
		{fault: "unknown authority", network: faults.UnknownAuthority},
		{fault: "reset", network: faults.Plain, answer: breakOff, messages: 1},
		{fault: "503", network: faults.Plain, answer: unavailable, messages: 1},
	} {
		for _, proto := range []faults.Protocol{faults.HTTPS1, faults.HTTPS2} {
			t.Run(tt.fault+"/"+string(proto), func(t *testing.T) {
				t.Parallel()
				var messages atomic.Int64
				s := faults.Serve(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.PostForm.Get("To") != "+12025550106" {
						w.WriteHeader(http.StatusBadRequest)
						return
					}
					if messages.Add(1) == 1 && tt.answer != nil {
						tt.answer(w)
						return
					}
					w.WriteHeader(http.StatusCreated)
					_, _ = io.WriteString(w, `{"sid":"SM0123456789abcdef"}`)
				}))
				network := toServer(s, tt.network(s), faults.Plain(s))
				err := sendMessage(&http.Client{Transport: &atmostonce.Transport{Base: network}})
				assert.EqualValues(t, tt.messages, messages.Load(), "%v", err)
				assert.Equal(t, tt.well, err == nil, "%v", err)
				assert.Equal(t, tt.messages > 0, atmostonce.MaybeSent(err), "%v", err)
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

// toServer leads the first request to a server over one network, and the others over
// another.
func toServer(s *faults.Server, first, next http.RoundTripper) http.RoundTripper {
	var began atomic.Bool
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.URL, _ = url.Parse(s.URL + req.URL.RequestURI())
		if began.CompareAndSwap(false, true) {
			return first.RoundTrip(req)
		}
		return next.RoundTrip(req)
	})
}
