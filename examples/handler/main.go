// Command handler is a minimal login with an SMS step: one handler resends the
// code, and another verifies the code that the user enters. It
// runs against a fake Stytch in this process, whose SMS it prints.
//
//	go run ./examples/handler
//	curl -X POST http://127.0.0.1:8080/resend
//	curl -X POST http://127.0.0.1:8080/code -d code=123456
//
// Use the code that it prints. After signing in, restart it for another login.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func main() {
	stytch := stytchtest.NewServer()
	a := &app{
		client:                   stytch.Client(), // for Stytch itself: stytchb2b.NewClientFromEnv()
		organizationID:           stytch.OrganizationID,
		memberID:                 stytch.MemberID,
		intermediateSessionToken: stytch.IntermediateSessionToken(stytch.MemberID),
	}
	go func() {
		for {
			sms, err := stytch.NextSMS(context.Background())
			if err != nil {
				return
			}
			fmt.Printf("%s received: %s\n", sms.To, sms.Text)
		}
	}()
	// A WriteTimeout of less than a call's timeout would cut answers off.
	server := &http.Server{Handler: a.routes(), WriteTimeout: stytchb2b.DefaultTimeout + 5*time.Second}
	listener, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Listening on http://" + listener.Addr().String())
	log.Fatal(server.Serve(listener))
}

// An app is one login that waits for its second factor. In a program of yours, the
// IDs and the token are from the browser's session, and primary authentication has
// put them there.
type app struct {
	client                   *stytchb2b.Client
	organizationID, memberID string
	intermediateSessionToken string

	mu    sync.Mutex
	tries int // wrong codes of this Member since the last SMS
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /resend", a.resend)
	mux.HandleFunc("POST /code", a.code)
	return mux
}

// resend sends the Member a new code.
func (a *app) resend(w http.ResponseWriter, r *http.Request) {
	// If the browser goes away, the Send goes on. Otherwise nobody would know
	// whether an SMS went out.
	ctx := context.WithoutCancel(r.Context())
	resp, err := a.client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{
		OrganizationID: a.organizationID,
		MemberID:       a.memberID,
	})
	if stytchb2b.MaybeSent(err) {
		a.countTries(0) // There may be a new code to enter.
	}
	var apiErr *stytchb2b.APIError
	switch {
	case err == nil:
		number := resp.Member.MFAPhoneNumber
		fmt.Fprintf(w, "We sent a code to •••• %s.\n", number[max(0, len(number)-4):])
	case stytchb2b.MaybeSent(err):
		http.Error(w, "Your code may be on its way. If it does not come in a minute, ask again.", http.StatusBadGateway)
	case stytchb2b.RetryAfter(err) > 0, errors.As(err, &apiErr) && apiErr.StatusCode == http.StatusTooManyRequests:
		if wait := stytchb2b.RetryAfter(err); wait > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(math.Ceil(wait.Seconds())))
		}
		http.Error(w, "Too many codes. Try again later.", http.StatusTooManyRequests)
	default:
		log.Print(err) // It says what was wrong, without secrets.
		http.Error(w, "We could not send the code. Please try again.", http.StatusBadGateway)
	}
}

// code verifies the code that the user has entered.
func (a *app) code(w http.ResponseWriter, r *http.Request) {
	if a.countTries(+1) > 5 {
		http.Error(w, "Too many incorrect codes. Request a new one.", http.StatusTooManyRequests)
		return
	}
	ctx := context.WithoutCancel(r.Context())
	resp, err := a.client.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
		OrganizationID:           a.organizationID,
		MemberID:                 a.memberID,
		Code:                     r.PostFormValue("code"),
		IntermediateSessionToken: a.intermediateSessionToken,
	})
	var apiErr *stytchb2b.APIError
	var paramErr *stytchb2b.ParamError
	isWrong := errors.As(err, &apiErr) &&
		(apiErr.ErrorType == stytchb2b.ErrorTypeOTPCodeNotFound || apiErr.ErrorType == stytchb2b.ErrorTypeInvalidCode)
	if !isWrong {
		a.countTries(-1) // Only a wrong code counts.
	}
	switch {
	case err == nil:
		// Set a cookie from resp.SessionToken or resp.SessionJWT here.
		fmt.Fprintf(w, "Signed in until %s.\n", resp.MemberSession.ExpiresAt.Format(time.RFC3339))
	case isWrong:
		http.Error(w, "That code is incorrect.", http.StatusUnprocessableEntity)
	case errors.As(err, &paramErr) && paramErr.Field == "code":
		http.Error(w, "Enter the code.", http.StatusUnprocessableEntity)
	case stytchb2b.MaybeUsed(err):
		log.Print(err)
		http.Error(w, "We lost track of your code. Please sign in again.", http.StatusBadGateway)
	default:
		log.Print(err)
		http.Error(w, "We could not check the code. Request a new one, or sign in again.", http.StatusBadGateway)
	}
}

// countTries adds to the Member's tries, or resets them with 0, and returns them.
func (a *app) countTries(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n == 0 {
		a.tries = 0
	}
	a.tries += n
	return a.tries
}
