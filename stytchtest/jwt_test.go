package stytchtest_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
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
	resp, err := s.HTTPClient().Get(s.URL + "/v1/b2b/sessions/jwks/" + s.ProjectID)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, "public, max-age=900", resp.Header.Get("Cache-Control"))
	var jwks struct {
		Keys []map[string]any `json:"keys"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&jwks))
	require.Len(t, jwks.Keys, 1)
	jwk := jwks.Keys[0]
	assert.Equal(t, []any{"RSA", "sig", "RS256", []any{"verify"}}, []any{jwk["kty"], jwk["use"], jwk["alg"], jwk["key_ops"]})
	number := func(name string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(jwk[name].(string))
		require.NoError(t, err)
		return new(big.Int).SetBytes(b)
	}
	key := &rsa.PublicKey{N: number("n"), E: int(number("e").Int64())}
	der, err := base64.StdEncoding.DecodeString(jwk["x5c"].([]any)[0].(string))
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	assert.True(t, key.Equal(certificate.PublicKey))
	thumbprint := sha256.Sum256(der)
	assert.Equal(t, base64.RawURLEncoding.EncodeToString(thumbprint[:]), jwk["x5tS256"])

	parts := strings.Split(jwt, ".")
	require.Len(t, parts, 3)
	decode := func(part string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		return b
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	require.NoError(t, rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], decode(parts[2])))
	var header map[string]any
	require.NoError(t, json.Unmarshal(decode(parts[0]), &header))
	assert.Equal(t, map[string]any{"alg": "RS256", "typ": "JWT", "kid": jwk["kid"]}, header)
	require.NoError(t, json.Unmarshal(decode(parts[1]), &claims))
	return claims
}

// Anyone can verify a session's JWT with the key.
func TestJWT(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
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
