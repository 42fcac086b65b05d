package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// A primaryAuthentication authenticates the person who sent the request. current is
// the login of their session, if there is one. It calls before, with the Member, right
// before the call that makes Stytch send an SMS. If before returns an error, it makes
// no call and returns that error.
type primaryAuthentication func(r *http.Request, current login, before func(organizationID, memberID string) error) (login, error)

// authenticate is a placeholder for the primary authentication. It trusts everyone.
// Replace it with a call of Stytch's endpoint for a password, a magic link or single
// sign-on, using Stytch's own client. The fields of the form are in r.PostForm. A magic
// link or single sign-on comes back to GET /sign-in, with stytch_token_type and token
// in r.Form. If someone is signed in, pass their session token, so that Stytch does not
// ask for the second factor again.
func authenticate(r *http.Request, _ login, before func(organizationID, memberID string) error) (login, error) {
	var p primaryAnswer
	if err := json.Unmarshal([]byte(r.PostForm.Get("answer")), &p); err != nil {
		return login{}, err
	}
	return p.login(), before(p.OrganizationID, p.MemberID)
}

// A primaryAnswer has the fields that a login needs from Stytch's answer to a primary
// authentication.
type primaryAnswer struct {
	OrganizationID           string           `json:"organization_id"`
	MemberID                 string           `json:"member_id"`
	Member                   stytchb2b.Member `json:"member"`
	IntermediateSessionToken string           `json:"intermediate_session_token"`
	MFARequired              struct {
		SecondaryAuthInitiated string `json:"secondary_auth_initiated"`
	} `json:"mfa_required"`
	SessionToken  string                   `json:"session_token"`
	MemberSession *stytchb2b.MemberSession `json:"member_session"`
}

func (p primaryAnswer) login() login {
	l := login{Login: guard.Login{
		OrganizationID:         p.OrganizationID,
		MemberID:               p.MemberID,
		MFAPhoneNumber:         p.Member.MFAPhoneNumber,
		MFAPhoneNumberVerified: p.Member.MFAPhoneNumberVerified,
		SMSSent:                p.MFARequired.SecondaryAuthInitiated == "sms_otp",
	}, IntermediateSessionToken: p.IntermediateSessionToken}
	if p.MemberSession != nil { // No second factor is needed, or Stytch remembers the device.
		l.SignedIn = newSignedIn(p.SessionToken, p.Member, *p.MemberSession)
	}
	return l
}

// signIn starts a login after the primary authentication.
func (a *app) signIn(ctx context.Context, r *http.Request, l *login) notice {
	started, err := a.authenticate(r, *l, func(organizationID, memberID string) error {
		return a.guard.BeforeLogin(ctx, organizationID, memberID)
	})
	switch next := stytchb2b.AfterSend(err); {
	case next == stytchb2b.NextLocked, next == stytchb2b.NextWait:
		return afterFailure(next, err)
	case err != nil, started.OrganizationID == "", started.MemberID == "", started.IntermediateSessionToken == "" && started.SignedIn == nil:
		a.logger.WarnContext(ctx, "primary authentication", "error", err)
		return notice{Text: "We could not sign you in. Please check what you entered."}
	}
	a.guard.AfterLogin(ctx, started.Login)
	*l = started
	l.ID = rand.Text()
	if l.SMSSent {
		l.sent(a.cooldown, 0)
		return codeSent
	}
	if l.step() == "code" {
		return a.sendCode(ctx, r, l)
	}
	return notice{}
}

// signOut ends the session here. At Stytch, it lasts until it expires: to revoke it,
// use Stytch's own client.
func (a *app) signOut(_ context.Context, _ *http.Request, l *login) notice {
	*l = login{}
	return notice{Text: "You are signed out.", Kind: good}
}

func newSignedIn(token string, m stytchb2b.Member, s stytchb2b.MemberSession) *signedIn {
	return &signedIn{token, cmp.Or(m.Name, m.EmailAddress, m.MemberID), s.ExpiresAt}
}
