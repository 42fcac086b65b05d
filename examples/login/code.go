package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/eb715825/stytchb2b"
)

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
		l.LastFour = lastFour(resp.Member.MFAPhoneNumber)
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
	if len(code) != 6 {
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

var (
	noDigits  = regexp.MustCompile(`[^0-9]`)
	sixDigits = regexp.MustCompile(`(?:^|[^0-9])([0-9]{3})[^0-9]?([0-9]{3})(?:[^0-9]|$)`)
)

// codeIn returns the code in what was typed or pasted, a whole SMS perhaps, in
// digits of any script.
func codeIn(typed string) string {
	text := asciiDigits(typed)
	digits := noDigits.ReplaceAllString(text, "")
	if found := sixDigits.FindStringSubmatch(text); found != nil && len(digits) != 6 {
		return found[1] + found[2]
	}
	return digits
}

// asciiDigits replaces the digits of all scripts, and drops what cannot be seen,
// such as marks of the direction of writing.
func asciiDigits(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case !unicode.IsDigit(r):
			return r
		}
		zero := r // Unicode has the digits of a script in order, ten after ten.
		for unicode.IsDigit(zero - 1) {
			zero--
		}
		return '0' + (r-zero)%10
	}, text)
}
