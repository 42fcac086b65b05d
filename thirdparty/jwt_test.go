package thirdparty_test

import (
	"context"
	"testing"
	"time"

	"github.com/MicahParks/keyfunc/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// TestJWT checks a JWT of the fake's as Stytch's own Go client does, as of version
// 18.1.0 (https://github.com/stytchauth/stytch-go): with the same two libraries, the
// same options, and the claims that it reads.
func TestJWT(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	s := stytchtest.NewTLSServer()
	keys, err := keyfunc.Get(s.URL+"/v1/b2b/sessions/jwks/"+s.ProjectID, keyfunc.Options{
		Client:            s.HTTPClient(),
		Ctx:               ctx,
		RefreshInterval:   time.Hour,
		RefreshRateLimit:  5 * time.Minute,
		RefreshTimeout:    10 * time.Second,
		RefreshUnknownKID: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { cancel(); keys.EndBackground(); s.Close() })

	login, err := s.LogIn(s.MemberID)
	require.NoError(t, err)
	session, err := s.Client().OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
		OrganizationID: s.OrganizationID, MemberID: s.MemberID, Code: s.SMS()[0].Code, IntermediateSessionToken: login.IntermediateSessionToken,
	})
	require.NoError(t, err)
	var claims struct {
		Session struct {
			ID                    string           `json:"id"`
			StartedAt             time.Time        `json:"started_at"`
			LastAccessedAt        time.Time        `json:"last_accessed_at"`
			ExpiresAt             time.Time        `json:"expires_at"`
			AuthenticationFactors []map[string]any `json:"authentication_factors"`
			Roles                 []string         `json:"roles"`
		} `json:"https://stytch.com/session"`
		Organization struct {
			ID string `json:"organization_id"`
		} `json:"https://stytch.com/organization"`
		jwt.RegisteredClaims
	}
	_, err = jwt.ParseWithClaims(session.SessionJWT, &claims, keys.Keyfunc, jwt.WithAudience(s.ProjectID), jwt.WithIssuer("stytch.com/"+s.ProjectID))
	require.NoError(t, err)
	assert.Equal(t, s.MemberID, claims.Subject)
	assert.Equal(t, s.OrganizationID, claims.Organization.ID)
	assert.Equal(t, session.MemberSession.MemberSessionID, claims.Session.ID)
	assert.Equal(t, session.MemberSession.ExpiresAt, claims.Session.ExpiresAt)
	assert.Len(t, claims.Session.AuthenticationFactors, 2)
	assert.Equal(t, []string{"stytch_member"}, claims.Session.Roles)
}
