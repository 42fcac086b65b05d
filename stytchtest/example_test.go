package stytchtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// An app is the application under test: the SMS step of its login.
type app struct {
	client *stytchb2b.Client
	login  stytchtest.PrimaryAuthentication // what primary authentication gave
}

// resend is behind the button "Send it again".
func (a app) resend() string {
	_, err := a.client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID: a.login.OrganizationID,
		MemberID:       a.login.MemberID,
	})
	var apiErr *stytchb2b.APIError
	switch {
	case err == nil:
		return "We have sent you a code."
	case stytchb2b.MaybeSent(err):
		return "Your code may be on its way. If it does not arrive within a minute, ask again."
	case stytchb2b.RetryAfter(err) > 0:
		return fmt.Sprintf("Too many codes. Try again in %v.", stytchb2b.RetryAfter(err))
	case errors.As(err, &apiErr) && apiErr.StatusCode == http.StatusTooManyRequests:
		return "Too many codes. Try again later."
	}
	return "We could not send the code."
}

// verify is behind the field for the code.
func (a app) verify(code string) string {
	resp, err := a.client.OTPs.SMS.Authenticate(context.Background(), stytchb2b.SMSAuthenticateParams{
		OrganizationID:           a.login.OrganizationID,
		MemberID:                 a.login.MemberID,
		Code:                     code,
		IntermediateSessionToken: a.login.IntermediateSessionToken,
	})
	var apiErr *stytchb2b.APIError
	switch {
	case err == nil:
		return "Welcome, " + resp.Member.Name + "."
	case stytchb2b.MaybeUsed(err):
		return "We lost track of your code. Please sign in again."
	case errors.As(err, &apiErr) && apiErr.ErrorType == stytchb2b.ErrorTypeOTPCodeNotFound:
		return "That code is incorrect."
	case errors.As(err, &apiErr) && apiErr.ErrorType == stytchb2b.ErrorTypeUnableToAuthOTPCode:
		return "That code has expired. Ask for a new one."
	}
	return "We could not check the code."
}

// The right code.
func Example_rightCode() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID) // Stytch sends the first SMS by itself.
	app := app{stytch.Client(), login}

	sms, _ := stytch.NextSMS(context.Background())
	fmt.Println(app.verify(sms.Code))
	// Output: Welcome, Ada Lovelace.
}

// A wrong code: none is 000000.
func Example_wrongCode() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID)
	app := app{stytch.Client(), login}

	fmt.Println(app.verify("000000"))
	// Output: That code is incorrect.
}

// Too many codes for one number.
func Example_limited() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	stytch.SetRateLimit(stytchtest.RateLimit{PerNumber: 2})
	login, _ := stytch.LogIn(stytch.MemberID)
	// The test does not wait and try again, as a Client does by default.
	app := app{stytch.Client(stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxWait: -1})), login}

	fmt.Println(app.resend())
	fmt.Println(app.resend())
	// Output:
	// We have sent you a code.
	// Too many codes. Try again later.
}

// The SMS goes out, and the connection breaks before the answer.
func Example_lostAnswer() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID)
	app := app{stytch.Client(), login}

	stytch.Fail(stytchtest.Fault{Processed: true, Reset: true})
	fmt.Println(app.resend())
	sms := stytch.SMSTo(stytch.MemberID)
	fmt.Println(app.verify(sms[len(sms)-1].Code))
	// Output:
	// Your code may be on its way. If it does not arrive within a minute, ask again.
	// Welcome, Ada Lovelace.
}

// A code is entered after its two minutes.
func Example_expired() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID)
	app := app{stytch.Client(), login}

	sms, _ := stytch.NextSMS(context.Background())
	stytch.Advance(2 * time.Minute)
	fmt.Println(app.verify(sms.Code))
	// Output: That code has expired. Ask for a new one.
}

// Stytch is down until it recovers.
func ExampleServer_FailAlways() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID)
	app := app{stytch.Client(), login}

	stytch.FailAlways(stytchtest.GatewayHTML(http.StatusBadGateway))
	fmt.Println(app.resend())
	fmt.Println(app.resend())
	stytch.Recover()
	fmt.Println(app.resend())
	// Output:
	// Your code may be on its way. If it does not arrive within a minute, ask again.
	// Your code may be on its way. If it does not arrive within a minute, ask again.
	// We have sent you a code.
}

// Over TLS and HTTP/2, with a client that is not one of package stytchb2b.
func ExampleNewTLSServer() {
	stytch := stytchtest.NewTLSServer()
	defer stytch.Close()

	resp, err := stytch.HTTPClient().Get(stytch.URL + "/v1/b2b/sessions/jwks/" + stytch.ProjectID)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	fmt.Println(resp.Proto, resp.StatusCode)
	// Output: HTTP/2.0 200
}
