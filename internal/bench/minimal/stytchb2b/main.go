// Command stytchb2b is a minimal program with the library.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/eb715825/stytchb2b"
)

func main() {
	client, err := stytchb2b.NewClientFromEnv()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
		OrganizationID: os.Args[1],
		MemberID:       os.Args[2],
	}))
}
