package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// authenticate stands in for the primary authentication, and believes everyone.
// Here your program calls Stytch's endpoint for a password, a magic link or single
// sign-on, with Stytch's own client. If somebody is signed in, it passes their
// session token, and Stytch does not ask for the second factor again. From the
// answer it needs
//
//   - organization_id and member_id;
//   - if member_authenticated, the session: the Member needs no second factor, or
//     Stytch remembers the device;
//   - otherwise intermediate_session_token, and in mfa_required the phone number
//     of member_options, and whether secondary_auth_initiated is "sms_otp": then
//     Stytch has sent the first code by itself.
//
// The fields of the form are in r.Form, and the query of a magic link or of single
// sign-on that comes back to GET /sign-in, too: stytch_token_type and token.
func authenticate(r *http.Request, _ *login) (login, error) {
	return login{
		OrganizationID:           strings.TrimSpace(r.Form.Get("organization_id")),
		MemberID:                 strings.TrimSpace(r.Form.Get("member_id")),
		IntermediateSessionToken: strings.TrimSpace(r.Form.Get("intermediate_session_token")),
		Sent:                     r.Form.Get("secondary_auth_initiated") == "sms_otp",
	}, nil
}

// signIn begins a login where the primary authentication has left it.
func (a *app) signIn(ctx context.Context, r *http.Request, l *login) (notice, error) {
	next, err := a.authenticate(r, l)
	switch {
	case errorType(err) == stytchb2b.ErrorTypeUserLockLimitReached:
		return locked, nil
	case err != nil, next.OrganizationID == "", next.MemberID == "", next.IntermediateSessionToken == "" && next.SignedIn == nil:
		a.logger.WarnContext(ctx, "primary authentication", "error", err)
		return notice{Text: "We could not sign you in. Please check what you entered."}, nil
	}
	next.ID = rand.Text()
	*l = next
	switch {
	case l.step() != stepCode:
		return notice{}, nil
	case !l.Sent:
		return a.sendCode(ctx, r, l)
	}
	return a.withMember(ctx, l, func(m *member) notice {
		a.guard.AfterLogin(ctx, guard.Login{OrganizationID: l.OrganizationID, MemberID: l.MemberID, SMSSent: true})
		m.sent(a.cooldown)
		return codeSent
	})
}

// signOut ends the session here. At Stytch it lasts until it expires: Stytch's own
// client has the call that revokes it.
func (a *app) signOut(_ context.Context, _ *http.Request, l *login) (notice, error) {
	var n notice
	if l.SignedIn != nil {
		n = notice{Text: "You are signed out.", Kind: good}
	}
	*l = login{}
	return n, nil
}

func newSignedIn(token string, m stytchb2b.Member, o stytchb2b.Organization, s stytchb2b.MemberSession) *signedIn {
	return &signedIn{
		SessionToken: token,
		Name:         cmp.Or(m.Name, m.EmailAddress, m.MemberID),
		Organization: o.OrganizationName,
		ExpiresAt:    s.ExpiresAt,
	}
}
