package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// sendCode sends the Member a code by SMS.
func (a *app) sendCode(ctx context.Context, r *http.Request, l *login) notice {
	params := stytchb2b.SMSSendParams{
		OrganizationID:           l.OrganizationID,
		MemberID:                 l.MemberID,
		IntermediateSessionToken: l.IntermediateSessionToken,
		Locale:                   locale(r.Header.Get("Accept-Language")),
	}
	if l.Entered {
		params.MFAPhoneNumber = l.MFAPhoneNumber
	}
	resp, err := a.stytch.OTPs.SMS.Send(ctx, params)
	if errorType(err) == stytchb2b.ErrorTypeInvalidLocale && !stytchb2b.MaybeSent(err) {
		params.Locale = "" // Stytch no longer has it.
		resp, err = a.stytch.OTPs.SMS.Send(ctx, params)
	}
	if err != nil {
		return a.sendFailed(err, l)
	}
	l.MFAPhoneNumber = cmp.Or(resp.Member.MFAPhoneNumber, l.MFAPhoneNumber)
	l.sent(a.cooldown, 0)
	return codeSent
}

// sent notes that an SMS may have gone out. The wait for the next one is at least as
// long as the guard's, which doubles with each SMS until a code is right.
func (l *login) sent(cooldown, atLeast time.Duration) {
	l.NextCode = time.Now().Add(max(cooldown<<min(l.SMS, 6), atLeast))
	l.SMS++
}

// enterCode verifies the code that the Member entered.
func (a *app) enterCode(ctx context.Context, r *http.Request, l *login) notice {
	typed := r.PostForm.Get("code")
	code := codeIn(typed)
	if code == "" {
		return notice{Text: "Enter the six digits of the code.", Field: true, Typed: typed}
	}
	resp, err := a.stytch.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
		OrganizationID:           l.OrganizationID,
		MemberID:                 l.MemberID,
		Code:                     code,
		IntermediateSessionToken: l.IntermediateSessionToken,
	})
	if err != nil {
		next := stytchb2b.AfterAuthenticate(err)
		n := afterFailure(next, err)
		n.Typed = typed
		if next == stytchb2b.NextSignIn {
			*l = login{}
		}
		return n
	}
	*l = login{
		ID:       rand.Text(),
		Login:    guard.Login{OrganizationID: l.OrganizationID, MemberID: l.MemberID},
		SignedIn: newSignedIn(resp.SessionToken, resp.Member, resp.MemberSession),
	}
	return notice{}
}
