package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// A fake is a Stytch in this process, with Members to sign in as.
type fake struct {
	*stytchtest.Server
	memberIDs []string
}

func newFake() *fake {
	f := &fake{Server: stytchtest.NewServer()}
	f.memberIDs = []string{f.MemberID} // who has a phone number
	for _, m := range []stytchtest.Member{
		{Name: "Grace Hopper", EmailAddress: "grace@example.com", MFAEnrolled: true},
		{Name: "Alan Turing", EmailAddress: "alan@example.com"},
	} {
		m, err := f.AddMember(m)
		if err != nil {
			panic(err) // These values are good.
		}
		f.memberIDs = append(f.memberIDs, m.MemberID)
	}
	return f
}

// Members are the Members as they are now: one may have got a phone number.
func (f *fake) Members() (members []stytchtest.Member) {
	for _, id := range f.memberIDs {
		if m, ok := f.Member(id); ok {
			members = append(members, m)
		}
	}
	return members
}

// Phone is what the Member's phone shows: the last messages, the newest first.
func (f *fake) Phone(memberID string) []stytchtest.SMS {
	sms := f.SMSTo(memberID)
	slices.Reverse(sms)
	return sms[:min(len(sms), 3)]
}

// authenticate is the primary authentication of a Member, whoever asks for it.
func (f *fake) authenticate(memberID string, current *login) (login, error) {
	if current.SignedIn != nil && current.MemberID == memberID {
		return *current, nil // as Stytch has it with the session token
	}
	p, err := f.LogIn(memberID)
	if err != nil {
		return login{}, err
	}
	l := login{OrganizationID: p.OrganizationID, MemberID: p.MemberID, IntermediateSessionToken: p.IntermediateSessionToken}
	if p.MemberAuthenticated {
		l.SignedIn = newSignedIn(p.SessionToken, p.Member, p.Organization, *p.MemberSession)
		return l, nil
	}
	number := p.MFARequired.MemberOptions.MFAPhoneNumber
	l.LastFour, l.NeedsNumber = lastFour(number), number == ""
	l.Sent = p.MFARequired.SecondaryAuthInitiated == "sms_otp"
	return l, nil
}

// A namedFault is something that can be made to go wrong.
type namedFault struct {
	ID, Name string
	fault    stytchtest.Fault
}

// Faults are those to choose from.
func (f *fake) Faults() []namedFault {
	return []namedFault{
		{"lost", "Done, but no answer", stytchtest.Fault{Processed: true, Reset: true}},
		{"down", "Stytch is down (503)", stytchtest.Fault{StatusCode: http.StatusServiceUnavailable}},
		{"late", "An answer too late", stytchtest.Fault{Delay: time.Minute}},
		{"busy", "Busy for 20 s (429)", stytchtest.Fault{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"20"}}}},
		{"refused", "Refused (400)", stytchtest.Fault{StatusCode: http.StatusBadRequest, ErrorType: "billing_not_verified"}},
	}
}

// failNext makes the Member's next request to Stytch fail.
func (a *app) failNext(_ context.Context, r *http.Request, l *login) (notice, error) {
	for _, f := range a.fake.Faults() {
		if l.MemberID != "" && f.ID == r.PostForm.Get("fault") {
			f.fault.MemberID = l.MemberID
			a.fake.Fail(f.fault)
			return notice{Text: "The next request to Stytch: " + f.Name + ".", Kind: good}, nil
		}
	}
	return notice{}, nil
}
