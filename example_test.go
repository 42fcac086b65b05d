package stytchb2b_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func Example() {
	// A Stytch to test against, in the place of the real one.
	stytch := stytchtest.NewServer()
	defer stytch.Close()

	client, err := stytchb2b.NewClient(stytch.ProjectID, stytch.Secret, stytchb2b.WithBaseURL(stytch.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID: stytch.OrganizationID,
		MemberID:       stytch.MemberID,
		Locale:         stytchb2b.LocaleEs,
	})
	if err != nil {
		fmt.Println(err, "may have been sent:", stytchb2b.MaybeSent(err))
		return
	}
	number := resp.Member.MFAPhoneNumber
	fmt.Println(resp.StatusCode, "code sent to ••••", number[max(0, len(number)-4):])
	// Output: 200 code sent to •••• 0106
}

// A login handler tells what a person can do about each error.
func ExampleMaybeSent() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	client, organizationID, memberID := stytch.Client(), stytch.OrganizationID, stytch.MemberID

	resend := func(w http.ResponseWriter, r *http.Request) {
		resp, err := client.OTPs.SMS.Send(r.Context(), stytchb2b.SMSSendParams{
			OrganizationID: organizationID, // from the login's state
			MemberID:       memberID,
		})
		var apiErr *stytchb2b.APIError
		switch {
		case err == nil:
			number := resp.Member.MFAPhoneNumber
			fmt.Fprintf(w, "We have sent a code to •••• %s.\n", number[max(0, len(number)-4):])
		case stytchb2b.MaybeSent(err):
			fmt.Fprintln(w, "The code may be on its way. If it does not come in a minute, ask again.")
		case errors.As(err, &apiErr) && apiErr.RetryAfter > 0:
			fmt.Fprintf(w, "Too many codes. Try again in %v.\n", apiErr.RetryAfter)
		default:
			fmt.Fprintln(w, "We could not send the code. Please try again.")
		}
	}

	page := &page{}
	request, _ := http.NewRequest(http.MethodPost, "/resend", nil)
	resend(page, request)
	stytch.Fail(stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"30"}}})
	resend(page, request)
	stytch.Fail(stytchtest.Fault{Processed: true, Reset: true}) // The SMS goes out, and the connection breaks.
	resend(page, request)
	// Output:
	// We have sent a code to •••• 0106.
	// Too many codes. Try again in 30s.
	// The code may be on its way. If it does not come in a minute, ask again.
}

// A code is sent, and entered wrong and right.
func ExampleSMS_Authenticate() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	client, ctx := stytch.Client(), context.Background()

	_, err := client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{OrganizationID: stytch.OrganizationID, MemberID: stytch.MemberID})
	if err != nil {
		fmt.Println(err)
		return
	}
	params := stytchb2b.SMSAuthenticateParams{
		OrganizationID:           stytch.OrganizationID,
		MemberID:                 stytch.MemberID,
		IntermediateSessionToken: stytch.IntermediateSessionToken(stytch.MemberID), // from primary authentication
	}
	for _, params.Code = range []string{"0123456", stytch.SMS()[0].Code} {
		resp, err := client.OTPs.SMS.Authenticate(ctx, params)
		var apiErr *stytchb2b.APIError
		switch {
		case err == nil:
			for _, factor := range resp.MemberSession.AuthenticationFactors {
				fmt.Println("shown:", factor.Type, "by", factor.DeliveryMethod)
			}
		case stytchb2b.MaybeUsed(err):
			fmt.Println("The code may be used up. Please log in again.")
		case errors.As(err, &apiErr) && apiErr.ErrorType == stytchb2b.ErrorTypeOTPCodeNotFound:
			fmt.Println("That is not the code.")
		default:
			fmt.Println("We could not check the code. Please enter it again.")
		}
	}
	// Output:
	// That is not the code.
	// shown: magic_link by email
	// shown: otp by sms
}

// page is a response that shows itself.
type page struct{ http.ResponseWriter }

func (*page) Write(b []byte) (int, error) { return os.Stdout.Write(b) }

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
