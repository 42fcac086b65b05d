package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
)

// enterNumber sends a code to the number that a Member without one has entered.
// Stytch links the number to the Member.
func (a *app) enterNumber(ctx context.Context, r *http.Request, l *login) (notice, error) {
	typed := r.PostForm.Get("mfa_phone_number")
	if strings.TrimSpace(typed) == "" {
		return notice{Text: "Enter your mobile phone number.", Field: true}, nil
	}
	number, ok := e164(typed)
	if !ok {
		return notice{Text: badNumber, Field: true, Typed: typed}, nil
	}
	l.Number = number
	n, err := a.sendCode(ctx, r, l)
	if l.NeedsNumber {
		l.Number, n.Typed = "", typed
	}
	return n, err
}

// sendCode sends the Member a code by SMS.
func (a *app) sendCode(ctx context.Context, r *http.Request, l *login) (notice, error) {
	return a.withMember(ctx, l, func(m *member) notice {
		if m.NextCode.After(time.Now()) { // The button of another page sent the form.
			l.Sent = l.Sent || m.SMS > 0
			return waitForCode(m.NextCode)
		}
		resp, err := a.send(ctx, stytchb2b.SMSSendParams{
			OrganizationID:           l.OrganizationID,
			MemberID:                 l.MemberID,
			MFAPhoneNumber:           l.Number, // only for a Member who has none yet
			Locale:                   locale(r.Header.Get("Accept-Language")),
			IntermediateSessionToken: l.IntermediateSessionToken,
		})
		if stytchb2b.MaybeSent(err) { // There may be another code to enter.
			m.sent(a.cooldown)
		}
		if err != nil {
			return sendFailure(err, l, m)
		}
		if number := cmp.Or(resp.Member.MFAPhoneNumber, l.Number); number != "" { // The answer may have no Member.
			l.LastFour = lastFour(number)
		}
		l.Sent, l.NeedsNumber, l.Number = true, false, ""
		return codeSent
	})
}

// send is Send, and once more without a language that Stytch does not know.
func (a *app) send(ctx context.Context, params stytchb2b.SMSSendParams) (*stytchb2b.SMSSendResponse, error) {
	resp, err := a.stytch.OTPs.SMS.Send(ctx, params)
	if errorType(err) == stytchb2b.ErrorTypeInvalidLocale && !stytchb2b.MaybeSent(err) {
		params.Locale = ""
		return a.stytch.OTPs.SMS.Send(ctx, params)
	}
	return resp, err
}

func lastFour(number string) string { return number[max(0, len(number)-4):] }

// enterCode verifies the code that the Member has entered.
func (a *app) enterCode(ctx context.Context, r *http.Request, l *login) (notice, error) {
	typed := r.PostForm.Get("code")
	code := codeIn(typed)
	if code == "" {
		return notice{Text: "Enter the six digits of the code.", Field: true, Typed: typed}, nil
	}
	return a.withMember(ctx, l, func(m *member) notice {
		if m.isOutOfTries() {
			return tooManyWrong
		}
		resp, err := a.stytch.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
			OrganizationID:           l.OrganizationID,
			MemberID:                 l.MemberID,
			Code:                     code,
			IntermediateSessionToken: l.IntermediateSessionToken,
		})
		if err != nil {
			n := authenticateFailure(err, l, m)
			n.Typed = typed
			return n
		}
		*m = member{}
		*l = login{
			ID:             rand.Text(),
			OrganizationID: l.OrganizationID,
			MemberID:       l.MemberID,
			SignedIn:       newSignedIn(resp.SessionToken, resp.Member, resp.Organization, resp.MemberSession),
		}
		return notice{}
	})
}
