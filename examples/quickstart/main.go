// Command quickstart makes both calls of a login, to a fake Stytch in its own
// process. It is the first listing of the README.
package main

import (
	"context"
	"fmt"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func main() {
	ctx, stytch := context.Background(), stytchtest.NewServer() // a fake Stytch
	client := stytch.Client()                                   // In production: client, err := stytchb2b.NewClientFromEnv()
	login, _ := stytch.LogIn(stytch.MemberID)                   // your primary login, after which Stytch sends a first code

	_, err := client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{
		OrganizationID: login.OrganizationID, MemberID: login.MemberID,
		IntermediateSessionToken: login.IntermediateSessionToken, // With it, Stytch refuses an expired login.
	})
	fmt.Println(stytchb2b.AfterSend(err)) // continue

	session, err := client.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
		OrganizationID: login.OrganizationID, MemberID: login.MemberID,
		IntermediateSessionToken: login.IntermediateSessionToken,
		Code:                     stytch.SMS()[1].Code, // The user enters it.
	})
	fmt.Println(stytchb2b.AfterAuthenticate(err), session) // continue. The tokens are not printed.
}
