package guard_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func ExampleNew() {
	g, err := guard.New(guard.Recommended("US", "CA", "GB"))
	if err != nil {
		fmt.Println(err)
		return
	}
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	client := stytch.Client(stytchb2b.WithGuard(g))

	for range 2 { // a double click
		_, err := client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
			OrganizationID: stytch.OrganizationID,
			MemberID:       stytch.MemberID,
		})
		var guardErr *stytchb2b.GuardError
		if errors.As(err, &guardErr) && errors.Is(err, guard.ErrCooldown) {
			fmt.Printf("We have just sent you a code. You can ask again in %.0f seconds.\n", guardErr.RetryAfter.Seconds())
		}
	}
	fmt.Println(len(stytch.SMS()), "SMS")
	// Output:
	// We have just sent you a code. You can ask again in 30 seconds.
	// 1 SMS
}

func ExampleNew_client() {
	g, err := guard.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := stytchb2b.NewClientFromEnv(stytchb2b.WithGuard(g))
	fmt.Println(client, err)
}

// A test of "send it again": the guard goes by the fake's clock, so that the test
// need not wait.
func ExampleWithClock() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	g, err := guard.New(guard.WithClock(stytch.Now))
	if err != nil {
		fmt.Println(err)
		return
	}
	client := stytch.Client(stytchb2b.WithGuard(g))
	send := func() error {
		_, err := client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
			OrganizationID: stytch.OrganizationID,
			MemberID:       stytch.MemberID,
		})
		return err
	}

	fmt.Println(send())
	err = send()
	fmt.Println(errors.Is(err, guard.ErrCooldown))
	stytch.Advance(stytchb2b.RetryAfter(err))
	fmt.Println(send())
	// Output:
	// <nil>
	// true
	// <nil>
}
