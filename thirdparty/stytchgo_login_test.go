package thirdparty_test

import (
	"context"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

type fields = map[string]any

// start returns a fake, over TLS, and a client of it.
func startStytchGo(t *testing.T) (*stytchtest.Server, *stytchGo) {
	s := stytchtest.NewTLSServer()
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(t.Context()) // It ends the refreshing of the keys.
	c, err := newStytchGo(ctx, s.ProjectID, s.Secret, s.URL, s.HTTPClient())
	require.NoError(t, err)
	t.Cleanup(func() { cancel(); c.keys.EndBackground() })
	return s, c
}

// The whole login, with the session's JWT verified here and the session there.
func TestStytchGoLogin(t *testing.T) {
	t.Parallel()
	s, c := startStytchGo(t)
	m, _ := s.Member(s.MemberID)
	var login struct {
		IntermediateSessionToken string `json:"intermediate_session_token"`
		MemberAuthenticated      bool   `json:"member_authenticated"`
		MemberSession            *struct{}
		MFARequired              *struct {
			MemberOptions *struct {
				MFAPhoneNumber string `json:"mfa_phone_number"`
			} `json:"member_options"`
			SecondaryAuthInitiated string `json:"secondary_auth_initiated"`
		} `json:"mfa_required"`
	}
	err := c.post(t.Context(), "/v1/b2b/passwords/authenticate", fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": m.Password}, &login)
	require.NoError(t, err)
	require.NotNil(t, login.MFARequired)
	require.NotNil(t, login.MFARequired.MemberOptions)
	assert.Equal(t, "sms_otp", login.MFARequired.SecondaryAuthInitiated)
	assert.False(t, login.MemberAuthenticated)

	member := fields{"organization_id": s.OrganizationID, "member_id": s.MemberID}
	var sent struct {
		StatusCode int    `json:"status_code"`
		MemberID   string `json:"member_id"`
	}
	require.NoError(t, c.post(t.Context(), "/v1/b2b/otps/sms/send", member, &sent))
	assert.Equal(t, 200, sent.StatusCode)
	sms := s.SMSTo(s.MemberID)
	require.Len(t, sms, 2)
	assert.True(t, sms[0].Automatic)

	member["intermediate_session_token"], member["code"] = login.IntermediateSessionToken, sms[0].Code
	var done struct {
		SessionToken string `json:"session_token"`
		SessionJWT   string `json:"session_jwt"`
	}
	var refusal apiError
	require.ErrorAs(t, c.post(t.Context(), "/v1/b2b/otps/sms/authenticate", member, &done), &refusal)
	assert.Equal(t, "otp_code_not_found", refusal.ErrorType, "the newer code has replaced it")
	member["code"] = sms[1].Code
	require.NoError(t, c.post(t.Context(), "/v1/b2b/otps/sms/authenticate", member, &done))

	read, err := c.verify(done.SessionJWT, 3*time.Minute)
	require.NoError(t, err)
	assert.Equal(t, s.MemberID, read.Subject)
	assert.Equal(t, s.OrganizationID, read.Organization.ID)
	assert.Len(t, read.Session.AuthenticationFactors, 2)
	assert.Equal(t, []string{"stytch_member"}, read.Session.Roles)
	var session struct {
		MemberSession struct {
			ID string `json:"member_session_id"`
		} `json:"member_session"`
	}
	require.NoError(t, c.post(t.Context(), "/v1/b2b/sessions/authenticate", fields{"session_jwt": done.SessionJWT}, &session))
	assert.Equal(t, read.Session.ID, session.MemberSession.ID)
}

// A JWT that is not to be believed is not.
func TestStytchGoVerifyRefuses(t *testing.T) {
	t.Parallel()
	s, c := startStytchGo(t)
	fresh := s.NewSession(s.MemberID, false).JWT
	_, err := c.verify(fresh, time.Minute)
	require.NoError(t, err)
	_, err = c.verify(fresh[:len(fresh)-8]+"AAAAAAAA", time.Minute)
	assert.ErrorIs(t, err, jwt.ErrTokenSignatureInvalid)

	s.Advance(-2 * time.Minute)
	_, err = c.verify(s.NewSession(s.MemberID, false).JWT, time.Minute)
	assert.ErrorContains(t, err, "older than 1m")
	s.Advance(-4 * time.Minute)
	_, err = c.verify(s.NewSession(s.MemberID, false).JWT, time.Hour)
	assert.ErrorIs(t, err, jwt.ErrTokenExpired)

	other, _ := startStytchGo(t)
	_, err = c.verify(other.NewSession(other.MemberID, false).JWT, time.Hour)
	assert.Error(t, err)
}
