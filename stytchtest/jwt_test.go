package stytchtest_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// get makes a request without credentials.
func get(t *testing.T, s *stytchtest.Server, path string) (status int, object map[string]any) {
	t.Helper()
	resp, err := s.HTTPClient().Get(s.URL + path)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&object))
	return resp.StatusCode, object
}

// verified returns the claims of a JWT whose signature is of the key in the JWKS.
func verified(t *testing.T, s *stytchtest.Server, jwt string) (claims map[string]any) {
	t.Helper()
	status, jwks := get(t, s, "/v1/b2b/sessions/jwks/"+s.ProjectID)
	require.Equal(t, 200, status)
	require.Len(t, jwks["keys"], 1)
	jwk := jwks["keys"].([]any)[0].(map[string]any)
	assert.Equal(t, "RSA sig RS256", jwk["kty"].(string)+" "+jwk["use"].(string)+" "+jwk["alg"].(string))
	number := func(name string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(jwk[name].(string))
		require.NoError(t, err)
		return new(big.Int).SetBytes(b)
	}
	key := &rsa.PublicKey{N: number("n"), E: int(number("e").Int64())}

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

// A session's JWT can be verified by whoever asks for the key.
func TestJWT(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	sess := s.NewSession(s.MemberID, false)
	claims := verified(t, s, sess.JWT)
	assert.Equal(t, "stytch.com/"+s.ProjectID, claims["iss"])
	assert.Equal(t, []any{s.ProjectID}, claims["aud"])
	assert.Equal(t, s.MemberID, claims["sub"])
	assert.EqualValues(t, now.Unix(), claims["iat"])
	assert.EqualValues(t, now.Unix(), claims["nbf"])
	assert.EqualValues(t, now.Add(5*time.Minute).Unix(), claims["exp"])
	assert.Equal(t, map[string]any{"organization_id": s.OrganizationID, "slug": s.OrganizationID}, claims["https://stytch.com/organization"])
	session := claims["https://stytch.com/session"].(map[string]any)
	assert.Contains(t, session["id"], "member-session-test-")
	assert.Equal(t, now.Format(time.RFC3339), session["started_at"])
	assert.Equal(t, now.Add(time.Hour).Format(time.RFC3339), session["expires_at"])
	assert.Equal(t, "magic_link", session["authentication_factors"].([]any)[0].(map[string]any)["type"])

	// A JWT of the same second is the same one, and each server has its own key.
	a := postAny(t, s, sessionPath, fields{"session_token": sess.Token})
	assert.Equal(t, sess.JWT, a["session_jwt"])
	other := stytchtest.NewServer()
	defer other.Close()
	_, mine := get(t, s, "/v1/b2b/sessions/jwks/"+s.ProjectID)
	_, others := get(t, other, "/v1/b2b/sessions/jwks/"+other.ProjectID)
	assert.NotEqual(t, mine["keys"], others["keys"])

	status, object := get(t, s, "/v1/b2b/sessions/jwks/"+other.ProjectID)
	assert.Equal(t, 400, status)
	assert.Equal(t, "invalid_project_id", object["error_type"])
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/b2b/sessions/jwks/"+s.ProjectID, nil)
	require.NoError(t, err)
	assert.Equal(t, 401, do(t, s, req).HTTPStatus)
}
