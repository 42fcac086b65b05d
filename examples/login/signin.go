package main

import (
	"context"
	"net/http"
	"strings"
)

// signIn stands for the sign-in of your own: it believes everybody.
func (a *app) signIn(ctx context.Context, r *http.Request, l *login) (notice, error) {
	next := login{
		ID:                       newID(),
		OrganizationID:           strings.TrimSpace(r.PostForm.Get("organization_id")),
		MemberID:                 strings.TrimSpace(r.PostForm.Get("member_id")),
		IntermediateSessionToken: strings.TrimSpace(r.PostForm.Get("intermediate_session_token")),
	}
	if a.fake != nil {
		a.fake.authenticate(&next)
	}
	if next.OrganizationID == "" || next.MemberID == "" || next.IntermediateSessionToken == "" {
		return notice{Text: "Fill in all fields to sign in.", For: stepSignIn}, nil
	}
	*l = next
	return a.sendCode(ctx, r, l)
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
