// Command send sends one SMS one-time passcode.
//
// Without credentials in the environment, it sends to a fake Stytch in its own process,
// and prints the SMS that the fake phone receives:
//
//	go run ./examples/send
//
// With STYTCH_PROJECT_ID and STYTCH_SECRET, it sends through Stytch:
//
//	go run ./examples/send -organization organization-test-... -member member-test-...
//
// The exit status is 0 for a success, 1 if certainly no SMS was sent, 2 for wrong
// usage, and 3 if an SMS may have been sent.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0 for a success, 1 if certainly no SMS was sent, 2
// for wrong usage, 3 if an SMS may have been sent.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("send", flag.ContinueOnError)
	flags.SetOutput(stderr)
	organization := flags.String("organization", "", "the Organization's `ID`, slug or external ID")
	member := flags.String("member", "", "the Member's `ID` or external ID")
	phone := flags.String("phone", "", "the phone `number`, in E.164 form, for a Member who has none")
	locale := flags.String("locale", "", "the `language` of the message, such as es")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	usage := func(message any) int {
		fmt.Fprintln(stderr, message)
		flags.Usage()
		return 2
	}
	if flags.NArg() > 0 {
		return usage(fmt.Sprintf("unexpected argument %q", flags.Arg(0)))
	}
	params := stytchb2b.SMSSendParams{
		OrganizationID: *organization,
		MemberID:       *member,
		MFAPhoneNumber: *phone,
		Locale:         stytchb2b.Locale(*locale),
	}

	var client *stytchb2b.Client
	var fake *stytchtest.Server
	if os.Getenv("STYTCH_PROJECT_ID") == "" && os.Getenv("STYTCH_SECRET") == "" {
		fake = stytchtest.NewServer()
		defer fake.Close()
		client = fake.Client()
		params.OrganizationID = cmp.Or(params.OrganizationID, fake.OrganizationID)
		params.MemberID = cmp.Or(params.MemberID, fake.MemberID)
		fmt.Fprintln(stdout, "STYTCH_PROJECT_ID and STYTCH_SECRET are not set: sending to a fake Stytch in this process. No real SMS is sent.")
	} else {
		var err error
		if client, err = stytchb2b.NewClientFromEnv(); err != nil {
			return usage(err)
		}
	}

	resp, err := client.OTPs.SMS.Send(ctx, params)
	if wrong := (*stytchb2b.ParamError)(nil); errors.As(err, &wrong) {
		return usage(err)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		if stytchb2b.MaybeSent(err) {
			return 3
		}
		return 1
	}
	fmt.Fprintf(stdout, "request_id:  %s\nstatus_code: %d\n", resp.RequestID, resp.StatusCode)
	if fake != nil {
		for _, sms := range fake.SMS() {
			fmt.Fprintf(stdout, "The fake phone %s received: %s\nThe code is %s.\n", sms.To, sms.Text, sms.Code)
		}
	}
	return 0
}
