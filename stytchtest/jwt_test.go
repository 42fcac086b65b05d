package stytchtest_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// verified returns the claims of a JWT that the key in the JWKS has signed.
func verified(t *testing.T, s *stytchtest.Server, jwt string) (claims map[string]any) {
	t.Helper()
	var jwks struct{ Keys []map[string]any }
	header := request(t, s, http.MethodGet, "/v1/b2b/sessions/jwks/"+s.ProjectID, nil, &jwks).Header
	assert.Equal(t, "public, max-age=900", header.Get("Cache-Control"))
	require.Len(t, jwks.Keys, 1)
	jwk := jwks.Keys[0]
	assert.Equal(t, []any{"RSA", "sig", "RS256", []any{"verify"}}, []any{jwk["kty"], jwk["use"], jwk["alg"], jwk["key_ops"]})
	der, err := base64.StdEncoding.DecodeString(jwk["x5c"].([]any)[0].(string))
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	key, thumbprint := certificate.PublicKey.(*rsa.PublicKey), sha256.Sum256(der)
	base64URL := base64.RawURLEncoding.EncodeToString
	assert.Equal(t, []any{base64URL(key.N.Bytes()), "AQAB", base64URL(thumbprint[:])}, []any{jwk["n"], jwk["e"], jwk["x5tS256"]})

	parts := strings.Split(jwt, ".")
	require.Len(t, parts, 3)
	decode := func(part string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		return b
	}
	require.NoError(t, certificate.CheckSignature(x509.SHA256WithRSA, []byte(parts[0]+"."+parts[1]), decode(parts[2])))
	assert.JSONEq(t, fmt.Sprintf(`{"alg":"RS256","typ":"JWT","kid":%q}`, jwk["kid"]), string(decode(parts[0])))
	require.NoError(t, json.Unmarshal(decode(parts[1]), &claims))
	return claims
}

// Anyone can verify a session's JWT with the key.
func TestJWT(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	login := session(t, s)
	claims := verified(t, s, login.SessionJWT)
	assert.Equal(t, "stytch.com/"+s.ProjectID, claims["iss"])
	assert.Equal(t, []any{s.ProjectID}, claims["aud"])
	assert.Equal(t, login.MemberID, claims["sub"])
	assert.EqualValues(t, now.Unix(), claims["iat"])
	assert.EqualValues(t, now.Unix(), claims["nbf"])
	assert.EqualValues(t, now.Add(5*time.Minute).Unix(), claims["exp"])
	assert.Equal(t, map[string]any{"organization_id": s.OrganizationID, "slug": s.OrganizationID}, claims["https://stytch.com/organization"])
	session := claims["https://stytch.com/session"].(map[string]any)
	assert.Contains(t, session["id"], "member-session-test-")
	assert.Equal(t, now.Format(time.RFC3339), session["started_at"])
	assert.Equal(t, now.Add(time.Hour).Format(time.RFC3339), session["expires_at"])
	assert.Equal(t, "magic_link", session["authentication_factors"].([]any)[0].(map[string]any)["type"])

	// A JWT of the same second is the same one.
	assert.Equal(t, login.SessionJWT, postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken}).SessionJWT)

	// The zero time returns to real time, in which clients verify.
	s.SetTime(time.Time{})
	assert.WithinDuration(t, time.Now(), s.Now(), time.Minute)
}
