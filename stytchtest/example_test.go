package stytchtest_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// An app is the application under test: the SMS step of its login.
type app struct {
	client *stytchb2b.Client
	login  stytchtest.PrimaryAuthentication // the answer to the primary authentication
}

// resend is what the button "Send another code" does.
func (a app) resend() string {
	_, err := a.client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID: a.login.OrganizationID,
		MemberID:       a.login.MemberID,
	})
	switch stytchb2b.AfterSend(err) {
	case stytchb2b.NextContinue:
		return "We have sent you a code."
	case stytchb2b.NextCheckPhone:
		return "Your code may be on its way. If it does not arrive within a minute, request another one."
	case stytchb2b.NextWait:
		return "Please wait a moment, then try again."
	}
	return "We could not send the code."
}

// verify is what the form for the code does.
func (a app) verify(code string) string {
	resp, err := a.client.OTPs.SMS.Authenticate(context.Background(), stytchb2b.SMSAuthenticateParams{
		OrganizationID:           a.login.OrganizationID,
		MemberID:                 a.login.MemberID,
		Code:                     code,
		IntermediateSessionToken: a.login.IntermediateSessionToken,
	})
	switch stytchb2b.AfterAuthenticate(err) {
	case stytchb2b.NextContinue:
		return "Welcome, " + resp.Member.Name + "."
	case stytchb2b.NextEnterCode:
		return "That code is incorrect."
	case stytchb2b.NextRequestCode:
		return "That code has expired. Request a new one."
	}
	return "Please sign in again."
}

// The right code.
func Example_rightCode() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID) // Stytch sends the first SMS automatically.
	app := app{stytch.Client(), login}

	fmt.Println(app.verify(stytch.SMS()[0].Code))
	// Output: Welcome, Ada Lovelace.
}

// A wrong code: the fake never sends 000000.
func Example_wrongCode() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID)
	app := app{stytch.Client(), login}

	fmt.Println(app.verify("000000"))
	// Output: That code is incorrect.
}

// Too many codes.
func Example_limited() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID)
	// MaxWait: -1 keeps the test fast: the client does not wait and retry.
	app := app{stytch.Client(stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxWait: -1})), login}

	stytch.Fail(stytchtest.Fault{StatusCode: http.StatusTooManyRequests})
	fmt.Println(app.resend())
	// Output: Please wait a moment, then try again.
}

// The SMS goes out, and the connection breaks before the answer.
func Example_lostAnswer() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID)
	app := app{stytch.Client(), login}

	stytch.Fail(stytchtest.Fault{Processed: true, Reset: true})
	fmt.Println(app.resend())
	fmt.Println(app.verify(stytch.SMS()[1].Code)) // of the second SMS
	// Output:
	// Your code may be on its way. If it does not arrive within a minute, request another one.
	// Welcome, Ada Lovelace.
}

// A code is entered after its two minutes.
func Example_expired() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	login, _ := stytch.LogIn(stytch.MemberID)
	app := app{stytch.Client(), login}

	stytch.Advance(2 * time.Minute)
	fmt.Println(app.verify(stytch.SMS()[0].Code))
	// Output: That code has expired. Request a new one.
}
