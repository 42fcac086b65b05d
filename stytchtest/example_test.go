package stytchtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// A login is a small application under test: it sends a code to the Member of
// the login's state.
type login struct {
	client                   *stytchb2b.Client
	organizationID, memberID string
}

func (l login) resend(w http.ResponseWriter, r *http.Request) {
	_, err := l.client.OTPs.SMS.Send(r.Context(), stytchb2b.SMSSendParams{
		OrganizationID: l.organizationID,
		MemberID:       l.memberID,
	})
	switch {
	case err == nil:
		fmt.Fprint(w, "We have sent you a code.")
	case stytchb2b.MaybeSent(err):
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "It may be on its way. If it does not come in a minute, ask again.")
	default:
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "We could not send it.")
	}
}

// A test of a handler: press the button, and look at the phone.
func ExampleServer() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	app := login{stytch.Client(), stytch.OrganizationID, stytch.MemberID}

	w := httptest.NewRecorder()
	app.resend(w, httptest.NewRequest(http.MethodPost, "/resend", nil))
	sms, err := stytch.NextSMS(context.Background())
	fmt.Println(w.Code, w.Body)
	fmt.Println(sms.To, len(sms.Code), err)
	// Output:
	// 200 We have sent you a code.
	// +12025550106 6 <nil>
}

// A test of what the page says when the connection breaks: Stytch has sent the
// SMS, and the application cannot know.
func ExampleServer_Fail() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	app := login{stytch.Client(), stytch.OrganizationID, stytch.MemberID}

	for _, fault := range []stytchtest.Fault{
		{Processed: true, Reset: true},
		{StatusCode: 503, Body: "<html>"},
		{StatusCode: 400, ErrorType: stytchb2b.ErrorTypeUnsubscribedPhoneNumber},
	} {
		stytch.Fail(fault)
		w := httptest.NewRecorder()
		app.resend(w, httptest.NewRequest(http.MethodPost, "/resend", nil))
		fmt.Println(w.Code, w.Body, len(stytch.SMS()))
	}
	// Output:
	// 502 It may be on its way. If it does not come in a minute, ask again. 1
	// 502 It may be on its way. If it does not come in a minute, ask again. 1
	// 502 We could not send it. 1
}

// A test of time: two SMS a minute to a number, by a clock that stands still.
func ExampleServer_SetTime() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	stytch.SetTime(time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC))
	stytch.SetRateLimit(stytchtest.RateLimit{Window: time.Minute, PerNumber: 2, RetryAfter: true})
	client := stytch.Client()

	for range 4 {
		_, err := client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
			OrganizationID: stytch.OrganizationID,
			MemberID:       stytch.MemberID,
		})
		var apiErr *stytchb2b.APIError
		if errors.As(err, &apiErr) {
			fmt.Println("try again in", apiErr.RetryAfter)
			stytch.Advance(apiErr.RetryAfter)
			continue
		}
		fmt.Println("sent", err)
	}
	for _, sms := range stytch.SMS() {
		fmt.Println(sms.At.Format(time.TimeOnly))
	}
	// Output:
	// sent <nil>
	// sent <nil>
	// try again in 1m0s
	// sent <nil>
	// 12:00:00
	// 12:00:00
	// 12:01:00
}

// A test over TLS and HTTP/2, by a client that is not of package stytchb2b.
func ExampleNewTLSServer() {
	stytch := stytchtest.NewTLSServer()
	defer stytch.Close()

	resp, err := stytch.HTTPClient().Get(stytch.URL + "/v1/b2b/otps/sms/send")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	fmt.Println(resp.Proto, resp.StatusCode)
	// Output: HTTP/2.0 401
}
