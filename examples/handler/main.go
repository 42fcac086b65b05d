// Command handler is the SMS step of a login in two handlers: one sends another
// code, and one verifies the code that the user enters. Stytch is a fake in this
// process, and has sent the first code by itself.
//
//	go run ./examples/handler
//	curl -b session=ada -X POST http://127.0.0.1:8080/resend
//	curl -b session=ada -d code=123456 http://127.0.0.1:8080/code
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
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
	sessions := map[string]member{"ada": {primary.OrganizationID, primary.MemberID, primary.IntermediateSessionToken}}
	s := &smsStep{
		client: stytch.Client(), // Yours is of stytchb2b.NewClientFromEnv.
		member: func(r *http.Request) (member, bool) { // Yours asks your sessions.
			cookie, err := r.Cookie("session")
			if err != nil {
				return member{}, false
			}
			m, ok := sessions[cookie.Value]
			return m, ok
		},
	}
	http.HandleFunc("POST /resend", s.resend)
	http.HandleFunc("POST /code", s.code)
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

// A member is what the primary login has put into the session of the browser.
type member struct {
	OrganizationID, MemberID, IntermediateSessionToken string
}

// An smsStep has the handlers.
type smsStep struct {
	client *stytchb2b.Client
	member func(*http.Request) (member, bool) // of the request's session
	tries  sync.Map                           // by Member ID, an *atomic.Int32: codes entered since the last SMS
}

const maxTries = 5

func (s *smsStep) resend(w http.ResponseWriter, r *http.Request) {
	m, ok := s.member(r)
	if !ok {
		http.Error(w, "Please sign in again.", http.StatusUnauthorized)
		return
	}
	// If the browser goes away, the call goes on. Otherwise nobody would know
	// whether an SMS went out.
	ctx := context.WithoutCancel(r.Context())
	_, err := s.client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{OrganizationID: m.OrganizationID, MemberID: m.MemberID})
	if stytchb2b.MaybeSent(err) {
		s.tries.Delete(m.MemberID) // There may be a new code to enter.
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

func (s *smsStep) code(w http.ResponseWriter, r *http.Request) {
	m, ok := s.member(r)
	if !ok {
		http.Error(w, "Please sign in again.", http.StatusUnauthorized)
		return
	}
	// Counted before Stytch is asked, so that of many at once none is missed; over all
	// browsers of the Member. For several processes, count in Redis.
	tries, _ := s.tries.LoadOrStore(m.MemberID, new(atomic.Int32))
	if tries.(*atomic.Int32).Add(1) > maxTries {
		http.Error(w, "Too many incorrect codes. Request a new one.", http.StatusTooManyRequests)
		return
	}
	resp, err := s.client.OTPs.SMS.Authenticate(context.WithoutCancel(r.Context()), stytchb2b.SMSAuthenticateParams{
		OrganizationID: m.OrganizationID, MemberID: m.MemberID, IntermediateSessionToken: m.IntermediateSessionToken,
		Code: r.PostFormValue("code"),
	})
	var apiErr *stytchb2b.APIError
	switch {
	case err == nil:
		s.tries.Delete(m.MemberID)
		// Put resp.SessionToken or resp.SessionJWT into a new session here.
		fmt.Fprintf(w, "Signed in until %s.\n", resp.MemberSession.ExpiresAt.Format(time.RFC3339))
	case errors.As(err, &apiErr) && apiErr.ErrorType == stytchb2b.ErrorTypeOTPCodeNotFound:
		http.Error(w, "That code is incorrect.", http.StatusUnprocessableEntity)
	case stytchb2b.MaybeUsed(err):
		log.Print(err)
		http.Error(w, "We lost track of your code. Please sign in again.", http.StatusBadGateway)
	default:
		log.Print(err)
		http.Error(w, "We could not check the code. Enter it again, or request a new one.", http.StatusBadGateway)
	}
}
