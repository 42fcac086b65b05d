// Command backend is a Go backend in a separate container. It makes a Client from its
// environment, and one Send.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/eb715825/stytchb2b"
)

func main() {
	client, err := stytchb2b.NewClientFromEnv(stytchb2b.WithBaseURL(os.Getenv("STYTCH_BASE_URL")))
	if err == nil {
		_, err = client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
			OrganizationID: os.Getenv("ORGANIZATION_ID"),
			MemberID:       os.Getenv("MEMBER_ID"),
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
