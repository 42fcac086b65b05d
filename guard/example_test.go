package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func ExampleNew() {
	g, err := guard.New(guard.Recommended("US", "CA", "GB"), guard.SingleProcess())
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

// First see what the guard would refuse, then let it refuse.
func ExampleObserveOnly() {
	g, err := guard.New(
		guard.Recommended("US"),
		guard.SingleProcess(),
		guard.ObserveOnly(),
		guard.OnDecision(func(_ context.Context, d guard.Decision) {
			if d.Refusal != nil {
				fmt.Println("would refuse:", d.Refusal) // Count it, by d.Refusal.Err.
			}
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	client := stytch.Client(stytchb2b.WithGuard(g))
	for range 2 {
		_, err := client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
			OrganizationID: stytch.OrganizationID,
			MemberID:       stytch.MemberID,
		})
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// would refuse: the Member was sent a code a moment ago
	// <nil>
}

type networkKey struct{}

// withNetwork puts the client's network into the context: one household or office
// has a /24 of IPv4, or a /64 of IPv6.
//
// Behind a proxy of your own, RemoteAddr is the proxy's address. Take the last
// address of X-Forwarded-For then, the one that your proxy has added; those
// before it anybody can make up.
func withNetwork(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			addr, bits := from.Addr().Unmap(), 64
			if addr.Is4() {
				bits = 24
			}
			if network, err := addr.WithZone("").Prefix(bits); err == nil {
				r = r.WithContext(context.WithValue(r.Context(), networkKey{}, network.String()))
			}
		}
		next.ServeHTTP(w, r)
	})
}

// A limit by the client's IP address.
func ExampleLimitBy() {
	byNetwork := func(ctx context.Context, _ stytchb2b.SMSSendParams) string {
		network, _ := ctx.Value(networkKey{}).(string)
		return network
	}
	g, err := guard.New(guard.Recommended("US"), guard.SingleProcess(), guard.LimitBy("network", 30, time.Hour, byNetwork))
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := stytchb2b.NewClient("project-test-1", "secret-test-1", stytchb2b.WithGuard(g))
	if err != nil {
		fmt.Println(err)
		return
	}
	resend := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = client.OTPs.SMS.Send(r.Context(), stytchb2b.SMSSendParams{OrganizationID: "…", MemberID: "…"})
	})
	http.Handle("POST /resend", withNetwork(resend))
}

// A primary login asks the guard first, and tells it what Stytch has answered.
func ExampleGuard_AfterLogin() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	g, err := guard.New(guard.Recommended("US"), guard.SingleProcess())
	if err != nil {
		fmt.Println(err)
		return
	}
	client := stytch.Client(stytchb2b.WithGuard(g))
	ctx := context.Background()

	if err := g.BeforeLogin(ctx, stytch.OrganizationID, stytch.MemberID); err != nil {
		fmt.Println("Please wait", stytchb2b.RetryAfter(err))
		return
	}
	login, err := stytch.LogIn(stytch.MemberID) // Your login calls Stytch for this.
	if err != nil {
		fmt.Println(err)
		return
	}
	g.AfterLogin(ctx, guard.Login{
		OrganizationID:         stytch.OrganizationID,
		MemberID:               stytch.MemberID,
		MFAPhoneNumber:         login.Member.MFAPhoneNumber,
		MFAPhoneNumberVerified: login.Member.MFAPhoneNumberVerified,
		SMSSent:                login.MFARequired != nil && login.MFARequired.SecondaryAuthInitiated == "sms_otp",
	})

	_, err = client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{ // an impatient click
		OrganizationID:           stytch.OrganizationID,
		MemberID:                 stytch.MemberID,
		IntermediateSessionToken: login.IntermediateSessionToken,
	})
	fmt.Println(errors.Is(err, guard.ErrCooldown), len(stytch.SMS()), "SMS")
	// Output:
	// true 1 SMS
}

// A test of "send it again": the guard goes by the fake's clock, so that the test
// need not wait.
func ExampleWithClock() {
	stytch := stytchtest.NewServer()
	defer stytch.Close()
	g, err := guard.New(guard.SingleProcess(), guard.WithClock(stytch.Now))
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
