package stytchb2b_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func Example() {
	ctx := context.Background()
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	client := stytch.Client() // In production: NewClientFromEnv. Make one client and share it.

	login, err := stytch.LogIn(stytch.MemberID) // your primary login
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{
		OrganizationID:           login.OrganizationID,
		MemberID:                 login.MemberID,
		IntermediateSessionToken: login.IntermediateSessionToken,
	})
	fmt.Println(stytchb2b.AfterSend(err))
	// Output: continue
}

// A handler that sends another code, and tells the user what to do after each error.
func ExampleAfterSend() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	client, organizationID, memberID := stytch.Client(), stytch.OrganizationID, stytch.MemberID

	resend := func(w http.ResponseWriter, r *http.Request) {
		// A closed tab must not cancel the call: it would leave the outcome unknown.
		ctx := context.WithoutCancel(r.Context())
		_, err := client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{
			OrganizationID: organizationID, // from the login's state
			MemberID:       memberID,
		})
		answer := func(status int, text string) {
			w.WriteHeader(status)
			fmt.Fprintln(w, text)
		}
		switch stytchb2b.AfterSend(err) {
		case stytchb2b.NextContinue:
			answer(http.StatusOK, "We have sent you a code.")
		case stytchb2b.NextCheckPhone:
			answer(http.StatusAccepted, "Your code may be on its way. If it does not arrive within a minute, request another one.")
		case stytchb2b.NextWait:
			answer(http.StatusTooManyRequests, fmt.Sprintf("Please try again in %v.", max(time.Minute, stytchb2b.RetryAfter(err))))
		case stytchb2b.NextEnterNumber:
			answer(http.StatusUnprocessableEntity, "We cannot send a code to that number. Enter another one.")
		case stytchb2b.NextSignIn:
			answer(http.StatusUnauthorized, "Your sign-in has expired. Please sign in again.")
		case stytchb2b.NextLocked:
			answer(http.StatusForbidden, "Your account is locked after too many failed attempts. Please try again later.")
		default:
			// Log err, and alert someone.
			answer(http.StatusBadGateway, "Something went wrong. Please try again later.")
		}
	}

	for _, fault := range []stytchtest.Fault{
		{},
		{Processed: true, Reset: true}, // The SMS goes out, and the connection breaks.
		{StatusCode: 429, Header: http.Header{"Retry-After": {"90"}}},
		{StatusCode: 400, ErrorType: stytchb2b.ErrorTypeInvalidPhoneNumber},
		{StatusCode: 404, ErrorType: stytchb2b.ErrorTypeIntermediateSessionNotFound},
		{StatusCode: 429, ErrorType: stytchb2b.ErrorTypeUserLockLimitReached},
		{StatusCode: 401, ErrorType: stytchb2b.ErrorTypeUnauthorizedCredentials},
	} {
		stytch.Fail(fault)
		w := httptest.NewRecorder()
		resend(w, httptest.NewRequest(http.MethodPost, "/resend", nil))
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 We have sent you a code.
	// 202 Your code may be on its way. If it does not arrive within a minute, request another one.
	// 429 Please try again in 1m30s.
	// 422 We cannot send a code to that number. Enter another one.
	// 401 Your sign-in has expired. Please sign in again.
	// 403 Your account is locked after too many failed attempts. Please try again later.
	// 502 Something went wrong. Please try again later.
}

func ExampleRetryAfter() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	client, organizationID, memberID := stytch.Client(), stytch.OrganizationID, stytch.MemberID
	params := stytchb2b.SMSSendParams{OrganizationID: organizationID, MemberID: memberID}

	stytch.Fail(stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"30"}}})
	_, err := client.OTPs.SMS.Send(context.Background(), params)
	fmt.Println(stytchb2b.RetryAfter(err), stytchb2b.MaybeSent(err))

	stytch.Fail(stytchtest.Fault{Processed: true, Reset: true}) // The SMS goes out, and the connection breaks.
	_, err = client.OTPs.SMS.Send(context.Background(), params)
	fmt.Println(stytchb2b.RetryAfter(err), stytchb2b.MaybeSent(err))
	// Output:
	// 30s false
	// 0s true
}

// To mock a call, declare an interface with the one method that you use.
func ExampleSMS_Send_mock() {
	type sender interface {
		Send(context.Context, stytchb2b.SMSSendParams) (*stytchb2b.SMSSendResponse, error)
	}
	resend := func(s sender) string {
		_, err := s.Send(context.Background(), stytchb2b.SMSSendParams{OrganizationID: "o", MemberID: "m"})
		return fmt.Sprint(stytchb2b.MaybeSent(err))
	}
	// In production: resend(client.OTPs.SMS).
	fmt.Println(resend(mock{&stytchb2b.APIError{StatusCode: 400, ErrorType: stytchb2b.ErrorTypeInvalidPhoneNumber}}))
	fmt.Println(resend(mock{&stytchb2b.TransportError{Err: context.DeadlineExceeded}}))
	// Output:
	// false
	// true
}

// To rotate the secret at run time, make a new Client with the same http.Client. Its
// connections stay open, and the old Client finishes its calls.
func ExampleNewClient_rotation() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	httpClient := &http.Client{Transport: stytchb2b.NewBase()}
	defer httpClient.CloseIdleConnections()

	var current atomic.Pointer[stytchb2b.Client] // A handler calls current.Load().OTPs.SMS.Send.
	for _, secret := range []string{"secret-test-old", stytch.Secret} {
		client, err := stytchb2b.NewClient(stytch.ProjectID, secret,
			stytchb2b.WithBaseURL(stytch.URL), stytchb2b.WithHTTPClient(httpClient))
		if err != nil {
			fmt.Println(err)
			return
		}
		current.Store(client)
		_, err = current.Load().OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
			OrganizationID: stytch.OrganizationID,
			MemberID:       stytch.MemberID,
		})
		var apiErr *stytchb2b.APIError
		fmt.Println(errors.As(err, &apiErr) && apiErr.ErrorType == stytchb2b.ErrorTypeUnauthorizedCredentials)
	}
	// Output:
	// true
	// false
}

// A private certificate authority and a proxy. NewBase returns an *http.Transport,
// unless the program has replaced http.DefaultTransport with another type.
func ExampleNewBase() {
	stytch := stytchtest.NewTLSServer()
	defer stytch.Close()
	roots := x509.NewCertPool()
	roots.AddCert(stytch.Certificate()) // in a program: roots.AppendCertsFromPEM(pem)

	base := stytchb2b.NewBase().(*http.Transport)
	base.TLSClientConfig.RootCAs = roots
	base.Proxy = http.ProxyFromEnvironment // or http.ProxyURL(u)
	client, err := stytchb2b.NewClient(stytch.ProjectID, stytch.Secret, stytchb2b.WithBaseURL(stytch.URL),
		stytchb2b.WithHTTPClient(&http.Client{Transport: base}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer base.CloseIdleConnections()
	_, err = client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID: stytch.OrganizationID,
		MemberID:       stytch.MemberID,
	})
	fmt.Println(err)
	// Output: <nil>
}

// To add a header, here for an egress proxy, wrap NewBase in a transport that sets it.
func ExampleWithHTTPClient_header() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	transport := addHeader{stytchb2b.NewBase()}
	client, err := stytchb2b.NewClient(stytch.ProjectID, stytch.Secret, stytchb2b.WithBaseURL(stytch.URL),
		stytchb2b.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID: stytch.OrganizationID,
		MemberID:       stytch.MemberID,
	})
	fmt.Println(stytch.Requests()[0].Header.Get("X-Egress-Zone"), err)
	// Output: eu-1 <nil>
}

type addHeader struct{ next http.RoundTripper }

func (t addHeader) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context()) // A RoundTripper must not change the request.
	req.Header.Set("X-Egress-Zone", "eu-1")
	return t.next.RoundTrip(req)
}

type mock struct{ err error }

func (m mock) Send(context.Context, stytchb2b.SMSSendParams) (*stytchb2b.SMSSendResponse, error) {
	return nil, m.err
}

// The user enters an incorrect code, and then the right one.
func ExampleSMS_Authenticate() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	client, ctx := stytch.Client(), context.Background()

	login, err := stytch.LogIn(stytch.MemberID) // primary authentication, after which Stytch sends an SMS automatically
	if err != nil {
		fmt.Println(err)
		return
	}
	params := stytchb2b.SMSAuthenticateParams{
		OrganizationID:           login.OrganizationID,
		MemberID:                 login.MemberID,
		IntermediateSessionToken: login.IntermediateSessionToken,
	}
	for _, params.Code = range []string{"000000", stytch.SMS()[0].Code} {
		resp, err := client.OTPs.SMS.Authenticate(ctx, params)
		switch stytchb2b.AfterAuthenticate(err) {
		case stytchb2b.NextContinue:
			for _, factor := range resp.MemberSession.AuthenticationFactors {
				fmt.Println("authenticated:", factor.Type, "by", factor.DeliveryMethod)
			}
		case stytchb2b.NextEnterCode:
			fmt.Println("That code is incorrect.")
		default: // See Next for the others.
			fmt.Println(err)
		}
	}
	// Output:
	// That code is incorrect.
	// authenticated: magic_link by email
	// authenticated: otp by sms
}

// RawJSON has the nested objects that this package has no types for, such as a
// Member's SSO registrations. Decode it into your own types, or into those of
// Stytch's own client (github.com/stytchauth/stytch-go).
func ExampleSMSSendResponse_rawJSON() {
	type Member struct { // in a program: organizations.Member
		EmailAddress     string `json:"email_address"`
		SSORegistrations []struct {
			ConnectionID string `json:"connection_id"`
		} `json:"sso_registrations"`
	}

	stytch := stytchtest.NewServer()
	defer stytch.Close()
	stytch.Fail(stytchtest.Fault{StatusCode: 200, Body: `{
		"status_code": 200,
		"request_id": "request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141",
		"member": {
			"email_address": "ada@example.com",
			"sso_registrations": [{"connection_id": "saml-connection-test-1"}]
		}
	}`})
	resp, err := stytch.Client().OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID: stytch.OrganizationID,
		MemberID:       stytch.MemberID,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var answer struct {
		Member Member `json:"member"`
	}
	if err := json.Unmarshal(resp.RawJSON, &answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Member.EmailAddress, answer.Member.SSORegistrations[0].ConnectionID)
	// Output: ada@example.com saml-connection-test-1
}

func ExampleAPIError() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	member, _ := stytch.AddMember(stytchtest.Member{}) // has no number yet

	_, err := stytch.Client().OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID: stytch.OrganizationID,
		MemberID:       member.MemberID,
		MFAPhoneNumber: "+18765550123", // in Jamaica
	})
	var apiErr *stytchb2b.APIError
	if errors.As(err, &apiErr) && apiErr.ErrorType == stytchb2b.ErrorTypeInvalidPhoneNumberCountryCode {
		fmt.Println("We cannot send codes to that country.", apiErr.StatusCode)
	}
	// Output: We cannot send codes to that country. 400
}

func ExampleWithRetry() {
	_, err := stytchb2b.NewClient("project-test-1", "secret-test-1",
		stytchb2b.WithTimeout(5*time.Second),
		stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxAttempts: 2, MaxWait: time.Second}))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleSMSSendParams() {
	params := stytchb2b.SMSSendParams{
		OrganizationID: "organization-test-1",
		MemberID:       "member-test-1",
		MFAPhoneNumber: "+12025550123",
		SessionToken:   "a secret token",
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	logger.Info("resend", "params", params)
	// Output: level=INFO msg=resend params.organization_id=organization-test-1 params.member_id=member-test-1 params.mfa_phone_number=***0123 params.session_token=[redacted]
}

func ExampleNewClientFromEnv() {
	client, err := stytchb2b.NewClientFromEnv() // STYTCH_PROJECT_ID and STYTCH_SECRET; or NewClient(projectID, secret)
	if err != nil {
		fmt.Println(err) // names the variable that is not set
		return
	}
	fmt.Println(client) // never shows the secret
}

// With Stytch's own client on an atmostonce.Transport, atmostonce.MaybeSent covers
// requests without an answer, and stytchb2b.MaybeSent covers answers.
func ExampleMaybeSent_stytchGo() {
	// In a program: stytcherror.Error of github.com/stytchauth/stytch-go.
	var stytchErr stytchGoError
	var err error = stytchGoError{StatusCode: http.StatusBadRequest, ErrorType: "invalid_phone_number"}

	maybeSent := atmostonce.MaybeSent(err)
	if errors.As(err, &stytchErr) {
		maybeSent = stytchb2b.MaybeSent(&stytchb2b.APIError{StatusCode: stytchErr.StatusCode, ErrorType: stytchb2b.ErrorType(stytchErr.ErrorType)})
	}
	fmt.Println(maybeSent)
	// Output: false
}

type stytchGoError struct {
	StatusCode int
	ErrorType  string
}

func (e stytchGoError) Error() string { return e.ErrorType }
