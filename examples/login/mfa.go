package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
)

// signIn stands for primary authentication: a password, a magic link, SSO. A
// real one would find out what is taken from the form here.
func (a *app) signIn(r *http.Request, l *login) {
	a.logins.renew(l)
	l.state = state{
		organizationID:           strings.TrimSpace(r.PostForm.Get("organization_id")),
		memberID:                 strings.TrimSpace(r.PostForm.Get("member_id")),
		intermediateSessionToken: strings.TrimSpace(r.PostForm.Get("intermediate_session_token")),
	}
	if a.fake != nil {
		a.fake.authenticate(&l.state)
	}
	if l.organizationID == "" || l.memberID == "" || l.intermediateSessionToken == "" {
		l.state = state{notice: notice{Text: "Fill in all fields to sign in."}}
		return
	}
	// Stytch's own primary authentication of a Member enrolled in MFA sends the
	// first code by itself. After one, leave this out.
	a.sendCode(r, l)
}

func (a *app) enterNumber(r *http.Request, l *login) {
	if l.step() == stepNumber {
		l.number = e164(r.PostForm.Get("mfa_phone_number"))
		a.sendCode(r, l)
	}
}

func (a *app) resend(r *http.Request, l *login) {
	if l.step() != stepCode {
		return
	}
	if wait := time.Until(l.resendAt); wait > 0 { // It was not the button that sent the form.
		l.notice = notice{Text: askAgainIn(wait)}
		return
	}
	a.sendCode(r, l)
}

// sendCode sends the Member a code by SMS, and notes what to tell them.
func (a *app) sendCode(r *http.Request, l *login) {
	// A browser that goes away must not leave it unknown whether an SMS went out.
	ctx, end := a.calls.begin(context.WithoutCancel(r.Context()), stytchb2b.OpSMSSend)
	resp, err := a.stytch.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{
		OrganizationID:           l.organizationID,
		MemberID:                 l.memberID,
		MFAPhoneNumber:           l.number, // only for a Member who has none yet
		Locale:                   locale(r.Header.Get("Accept-Language")),
		IntermediateSessionToken: l.intermediateSessionToken,
	})
	end(err)
	if stytchb2b.MaybeSent(err) { // There may be another code to enter.
		a.tries.forget(l.member())
	}
	if err != nil {
		a.noteFailure(l, sendFailure(err))
		return
	}
	number := resp.Member.MFAPhoneNumber
	l.lastFour = number[max(0, len(number)-4):]
	l.sent, l.needsNumber = true, false
	l.resendAt = time.Now().Add(a.cooldown)
	l.notice = notice{Text: "We have sent you a code.", Good: true}
}

// enterCode verifies the code that the Member has entered.
func (a *app) enterCode(r *http.Request, l *login) {
	if l.step() != stepCode {
		return // The right code was entered twice, by a double click, say.
	}
	if !a.tries.take(l.member()) {
		l.notice = notice{Text: "That was not the code too often. Ask for a new one."}
		return
	}
	// A browser that goes away must not leave a session that nobody has.
	ctx, end := a.calls.begin(context.WithoutCancel(r.Context()), stytchb2b.OpSMSAuthenticate)
	resp, err := a.stytch.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
		OrganizationID:           l.organizationID,
		MemberID:                 l.memberID,
		Code:                     digits(r.PostForm.Get("code")),
		IntermediateSessionToken: l.intermediateSessionToken,
	})
	end(err)
	if err != nil {
		a.noteFailure(l, authenticateFailure(err))
		return
	}
	a.tries.forget(l.member())
	a.logins.renew(l)
	l.state = state{session: resp}
}

// noteFailure changes the login as the notice has it.
func (a *app) noteFailure(l *login, n notice) {
	if n.Restart {
		a.logins.renew(l)
		l.state = state{notice: n}
		return
	}
	l.notice = n
	if n.NeedsNumber {
		l.needsNumber = true
	}
	if n.HasNumber {
		l.needsNumber, l.number = false, ""
	}
	if n.CodeOut {
		l.sent, l.needsNumber = true, false
	}
	if n.Wait > 0 {
		l.resendAt = time.Now().Add(n.Wait)
	}
}

// signOut ends the login here. The session at Stytch goes on until it expires:
// to revoke it is another call of the API, which this library does not have.
func (a *app) signOut(_ *http.Request, l *login) {
	if l.step() != stepSignIn {
		a.logins.renew(l)
		l.state = state{notice: notice{Text: "You are signed out.", Good: true}}
	}
}
