package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/eb715825/stytchb2b"
)

// enterNumber sends a code to the number that a Member without one entered. Stytch
// links it to the Member.
func (a *app) enterNumber(ctx context.Context, r *http.Request, l *login) notice {
	typed := r.PostForm.Get("mfa_phone_number")
	number, ok := e164(typed)
	if !ok {
		return notice{Text: badNumber, Field: true, Typed: typed}
	}
	l.MFAPhoneNumber, l.Entered = number, true
	n := a.sendCode(ctx, r, l)
	if l.Entered && l.SMS == 0 {
		l.MFAPhoneNumber, l.Entered, n.Typed = "", false, typed
	}
	return n
}

// changeNumber lets a Member replace a mistyped number.
func (a *app) changeNumber(ctx context.Context, _ *http.Request, l *login) notice {
	if !l.Entered {
		return notice{}
	}
	if err := a.stytchAPI.forgetNumber(ctx, l.OrganizationID, l.MemberID); err != nil {
		a.logger.ErrorContext(ctx, "forget a phone number", "error", err)
		return notices[stytchb2b.NextFail]
	}
	l.MFAPhoneNumber, l.Entered, l.SMS = "", false, 0
	return notice{}
}

// A stytchAPI is Stytch's API for Members. Use Stytch's own client for it if your
// program has one.
type stytchAPI struct{ baseURL, projectID, secret string }

// forgetNumber removes a Member's phone number at Stytch, so that it accepts another.
// It refuses to if a code from that phone was ever entered: otherwise, the password
// would be enough to replace the second factor.
func (s stytchAPI) forgetNumber(ctx context.Context, organizationID, memberID string) error {
	organization := s.baseURL + "/v1/b2b/organizations/" + url.PathEscape(organizationID)
	client := http.Client{Timeout: stytchb2b.DefaultTimeout}
	for _, call := range [][2]string{
		{http.MethodGet, organization + "/member?" + url.Values{"member_id": {memberID}}.Encode()},
		{http.MethodDelete, organization + "/members/mfa_phone_numbers/" + url.PathEscape(memberID)},
	} {
		req, err := http.NewRequestWithContext(ctx, call[0], call[1], nil)
		if err != nil {
			return err
		}
		req.SetBasicAuth(s.projectID, s.secret)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var answer struct{ Member stytchb2b.Member }
		err = json.NewDecoder(resp.Body).Decode(&answer)
		if err != nil || resp.StatusCode != http.StatusOK || answer.Member.MFAPhoneNumberVerified {
			return fmt.Errorf("%s of a Member: %s, verified %t, %v", call[0], resp.Status, answer.Member.MFAPhoneNumberVerified, err)
		}
	}
	return nil
}
