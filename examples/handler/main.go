// Command handler is the SMS step of a login in two handlers: one sends another
// code, and one verifies the code that the user enters. Stytch is a fake in this
// process, and has sent the first code by itself.
//
//	go run ./examples/handler
//	curl -X POST http://127.0.0.1:8080/resend
//	curl -d code=123456 http://127.0.0.1:8080/code
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func main() {
	stytch := stytchtest.NewServer()
	primary, err := stytch.LogIn(stytch.MemberID) // Your users log in with a password or the like.
	if err != nil {
		log.Fatal(err)
	}
	l := &login{client: stytch.Client(), organizationID: primary.OrganizationID, memberID: primary.MemberID, token: primary.IntermediateSessionToken}
	http.HandleFunc("POST /resend", l.resend)
	http.HandleFunc("POST /code", l.code)
	go func() { log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil)) }()
	fmt.Println("Listening on http://127.0.0.1:8080")
	for {
		sms, err := stytch.NextSMS(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s received: %s\n", sms.To, sms.Text)
	}
}

// A login is one Member's. In your program it belongs to a browser's session.
type login struct {
	client                          *stytchb2b.Client // stytchb2b.NewClientFromEnv()
	organizationID, memberID, token string

	mu         sync.Mutex // one call at a time
	wrongCodes int        // of the Member, since the last SMS
}

func (l *login) resend(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// If the browser goes away, the call goes on. Otherwise nobody would know
	// whether an SMS went out.
	ctx := context.WithoutCancel(r.Context())
	_, err := l.client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{OrganizationID: l.organizationID, MemberID: l.memberID})
	if stytchb2b.MaybeSent(err) {
		l.wrongCodes = 0 // There may be a new code to enter.
	}
	switch wait := stytchb2b.RetryAfter(err); {
	case err == nil:
		fmt.Fprintln(w, "We have sent you a code.")
	case stytchb2b.MaybeSent(err):
		http.Error(w, "Your code may be on its way. If it does not arrive within a minute, request another one.", http.StatusBadGateway)
	case wait > 0:
		w.Header().Set("Retry-After", fmt.Sprint(math.Ceil(wait.Seconds())))
		http.Error(w, "Too many codes. Please try again later.", http.StatusTooManyRequests)
	default:
		log.Print(err) // It says what was wrong, without secrets.
		http.Error(w, "We could not send the code. Please try again later.", http.StatusBadGateway)
	}
}

func (l *login) code(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrongCodes >= 5 {
		http.Error(w, "Too many incorrect codes. Request a new one.", http.StatusTooManyRequests)
		return
	}
	resp, err := l.client.OTPs.SMS.Authenticate(context.WithoutCancel(r.Context()), stytchb2b.SMSAuthenticateParams{
		OrganizationID: l.organizationID, MemberID: l.memberID, IntermediateSessionToken: l.token,
		Code: r.PostFormValue("code"),
	})
	var apiErr *stytchb2b.APIError
	switch {
	case err == nil:
		// Set a cookie here, from resp.SessionToken or resp.SessionJWT.
		fmt.Fprintf(w, "Signed in until %s.\n", resp.MemberSession.ExpiresAt.Format(time.RFC3339))
	case errors.As(err, &apiErr) && apiErr.ErrorType == stytchb2b.ErrorTypeOTPCodeNotFound:
		l.wrongCodes++
		http.Error(w, "That code is incorrect.", http.StatusUnprocessableEntity)
	case stytchb2b.MaybeUsed(err):
		log.Print(err)
		http.Error(w, "We lost track of your code. Please sign in again.", http.StatusBadGateway)
	default:
		log.Print(err)
		http.Error(w, "We could not check the code. Enter it again, or request a new one.", http.StatusBadGateway)
	}
}
