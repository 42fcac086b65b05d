package main

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
)

// A primary is what is needed of Stytch's answer to a primary authentication.
type primary struct {
	OrganizationID, MemberID string

	SignedIn *signedIn // if member_authenticated: no second factor is required

	// Otherwise, of mfa_required:
	IntermediateSessionToken string
	LastFour                 string // of member_options.mfa_phone_number
	NeedsNumber              bool   // that is empty
	Sent                     bool   // secondary_auth_initiated is "sms_otp"
}

// authenticate stands for the primary authentication, and believes everyone. A
// program of yours calls Stytch's endpoint for a password, a magic link or single
// sign-on here, with a client of Stytch's own, and returns its answer. It passes the session
// token of a login that is there, so that Stytch asks for no second factor twice.
func (a *app) authenticate(r *http.Request, l *login) (primary, error) {
	if a.fake != nil {
		return a.fake.authenticate(r.PostForm.Get("member_id"), l)
	}
	return primary{
		OrganizationID:           strings.TrimSpace(r.PostForm.Get("organization_id")),
		MemberID:                 strings.TrimSpace(r.PostForm.Get("member_id")),
		IntermediateSessionToken: strings.TrimSpace(r.PostForm.Get("intermediate_session_token")),
		Sent:                     r.PostForm.Get("secondary_auth_initiated") == "sms_otp",
	}, nil
}

// signIn begins a login, and takes it from where Stytch is: it has sent the first
// code by itself to a Member who has a number.
func (a *app) signIn(ctx context.Context, r *http.Request, l *login) (notice, error) {
	p, err := a.authenticate(r, l)
	switch {
	case errorType(err) == stytchb2b.ErrorTypeUserLockLimitReached:
		return locked, nil
	case err != nil, p.OrganizationID == "", p.MemberID == "", p.IntermediateSessionToken == "" && p.SignedIn == nil:
		return notice{Text: "We could not sign you in. Please check what you entered.", For: stepSignIn}, nil
	}
	*l = login{
		ID:                       newID(),
		OrganizationID:           p.OrganizationID,
		MemberID:                 p.MemberID,
		IntermediateSessionToken: p.IntermediateSessionToken,
		NeedsNumber:              p.NeedsNumber,
		LastFour:                 p.LastFour,
		Sent:                     p.Sent,
		SignedIn:                 p.SignedIn,
	}
	switch {
	case p.SignedIn != nil || p.NeedsNumber:
		return notice{}, nil
	case !p.Sent:
		return a.sendCode(ctx, r, l)
	}
	return a.withMember(ctx, l, func(m *member) notice {
		m.WrongCodes, m.NextCode = 0, time.Now().Add(a.cooldown)
		return codeSent
	})
}

// signOut ends the session here. At Stytch it goes on until it expires: to revoke
// it is a call that this library does not have.
func (a *app) signOut(_ context.Context, _ *http.Request, l *login) (notice, error) {
	if l.step() == stepSignIn {
		return notice{}, nil
	}
	*l = login{}
	return notice{Text: "You are signed out.", Kind: good}, nil
}

func newSignedIn(token string, m stytchb2b.Member, o stytchb2b.Organization, s stytchb2b.MemberSession) *signedIn {
	return &signedIn{
		SessionToken: token,
		Name:         cmp.Or(m.Name, m.EmailAddress, m.MemberID),
		Organization: o.OrganizationName,
		Factors:      factorsInWords(s.AuthenticationFactors),
		ExpiresAt:    s.ExpiresAt,
	}
}
