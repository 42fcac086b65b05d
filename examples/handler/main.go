// Command handler is the SMS step of a login in two handlers: one sends another code,
// and the other verifies the code that the user enters. Stytch is a fake in this
// process, which sends the first code automatically.
//
//	go run ./examples/handler
//	curl -b session=ada -X POST http://127.0.0.1:8080/resend
//	curl -b session=ada -d code=123456 http://127.0.0.1:8080/code
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func main() {
	stytch := stytchtest.NewServer()
	primary, err := stytch.LogIn(stytch.MemberID) // In production: your own primary login, such as a password.
	if err != nil {
		log.Fatal(err)
	}
	sessions := map[string]member{"ada": {primary.OrganizationID, primary.MemberID, primary.IntermediateSessionToken}}
	s := &smsStep{
		client: stytch.Client(), // In production: stytchb2b.NewClientFromEnv, with a guard.
		member: func(r *http.Request) (member, bool) { // In production: read your session.
			cookie, err := r.Cookie("session")
			if err != nil {
				return member{}, false
			}
			m, ok := sessions[cookie.Value]
			return m, ok
		},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /resend", s.resend)
	mux.HandleFunc("POST /code", s.code)
	go func() { log.Fatal(http.ListenAndServe("127.0.0.1:8080", http.NewCrossOriginProtection().Handler(mux))) }()
	fmt.Println("Listening on http://127.0.0.1:8080")
	for {
		sms, err := stytch.NextSMS(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s received: %s\n", sms.To, sms.Text)
	}
}

// A member is what the primary login stored in the browser's session.
type member struct{ OrganizationID, MemberID, IntermediateSessionToken string }

// An smsStep has the handlers.
type smsStep struct {
	client *stytchb2b.Client
	member func(*http.Request) (member, bool) // from the request's session
}

// resend sends another code. A Member without a phone number enters one.
func (s *smsStep) resend(w http.ResponseWriter, r *http.Request) {
	m, ok := s.member(r)
	if !ok {
		answer(w, stytchb2b.NextSignIn, nil)
		return
	}
	// A closed tab does not cancel the call. If the token has expired, Stytch sends nothing.
	_, err := s.client.OTPs.SMS.Send(context.WithoutCancel(r.Context()), stytchb2b.SMSSendParams{
		OrganizationID: m.OrganizationID, MemberID: m.MemberID, IntermediateSessionToken: m.IntermediateSessionToken,
		MFAPhoneNumber: digits.Replace(r.PostFormValue("phone")), // +1 202 555 0123
	})
	answer(w, stytchb2b.AfterSend(err), err)
}

// code verifies the code that the user enters.
func (s *smsStep) code(w http.ResponseWriter, r *http.Request) {
	m, ok := s.member(r)
	if !ok {
		answer(w, stytchb2b.NextSignIn, nil)
		return
	}
	resp, err := s.client.OTPs.SMS.Authenticate(context.WithoutCancel(r.Context()), stytchb2b.SMSAuthenticateParams{
		OrganizationID: m.OrganizationID, MemberID: m.MemberID, IntermediateSessionToken: m.IntermediateSessionToken,
		Code: digits.Replace(r.PostFormValue("code")),
	})
	if err == nil {
		// Put resp.SessionToken or resp.SessionJWT into a new session here.
		fmt.Fprintf(w, "Signed in until %s.\n", resp.MemberSession.ExpiresAt.Format(time.RFC3339))
		return
	}
	answer(w, stytchb2b.AfterAuthenticate(err), err)
}

// digits removes spaces and hyphens, as in "123 456", and converts full-width digits.
var digits = strings.NewReplacer(" ", "", "\u00a0", "", "\u3000", "", "-", "",
	"０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5", "６", "6", "７", "7", "８", "8", "９", "9")

type reply struct {
	status int
	text   string
}

var replies = map[stytchb2b.Next]reply{
	stytchb2b.NextContinue:    {200, "We have sent you a code."},
	stytchb2b.NextCheckPhone:  {202, "Your code may be on its way. If it does not arrive within a minute, request another one."},
	stytchb2b.NextWait:        {429, "Please wait a moment, then try again."},
	stytchb2b.NextEnterNumber: {422, "We cannot send a code to that number. Enter another one."},
	stytchb2b.NextEnterCode:   {422, "That code is incorrect. Enter the code from the newest message, or request another one."},
	stytchb2b.NextRequestCode: {422, "That code has expired. Request a new one."},
	stytchb2b.NextSignIn:      {401, "Your sign-in has expired. Please sign in again."},
	stytchb2b.NextLocked:      {403, "Your account is locked after too many failed attempts. Please try again later."},
	stytchb2b.NextFail:        {502, "Something went wrong. Please try again later."},
}

// answer tells the user what to do next.
func answer(w http.ResponseWriter, next stytchb2b.Next, err error) {
	if next == stytchb2b.NextFail {
		log.Print(err) // The text has no secrets.
	}
	if wait := stytchb2b.RetryAfter(err); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(math.Ceil(wait.Seconds())))
	}
	w.WriteHeader(replies[next].status)
	fmt.Fprintln(w, replies[next].text)
}
