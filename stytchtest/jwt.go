package stytchtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// jwtLifetime is how long a session's JWT is valid.
const jwtLifetime = 5 * time.Minute

// A signingKey signs the JWTs. It has its own certificate.
type signingKey struct {
	id          string
	rsa         *rsa.PrivateKey
	certificate []byte // DER
}

// signing is shared by all servers of the process: one key per server would take most
// of the time of many tests.
var signing = sync.OnceValue(func() signingKey {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
	certificate := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return signingKey{"jwk-test-" + uuid(), key, certificate}
})

// jwks is GET /v1/b2b/sessions/jwks/{project_id}: a JSON Web Key Set (RFC 7517).
func (s *Server) jwks(projectID string) answer {
	if projectID != s.ProjectID {
		return fail(400, "invalid_project_id", "project_id format is invalid.").answer()
	}
	key := signing()
	thumbprint := sha256.Sum256(key.certificate)
	ans := newAnswer(http.StatusOK, object{"keys": []object{{
		"kty":     "RSA",
		"use":     "sig",
		"key_ops": []string{"verify"},
		"alg":     "RS256",
		"kid":     key.id,
		"x5c":     [][]byte{key.certificate},
		"x5tS256": base64URL(thumbprint[:]), // Stytch's name for x5t#S256
		"n":       base64URL(key.rsa.N.Bytes()),
		"e":       base64URL(big.NewInt(int64(key.rsa.E)).Bytes()),
	}}})
	ans.header.Set("Cache-Control", "public, max-age=900")
	return ans
}

// newJWT makes a JWT of a member_session, signed with RS256 (RFC 7518, section 3.3).
func (s *Server) newJWT(session object, now time.Time) string {
	claims := maps.Clone(session["custom_claims"].(object))
	maps.Copy(claims, object{
		"iss": "stytch.com/" + s.ProjectID,
		"aud": []string{s.ProjectID},
		"sub": session["member_id"],
		"iat": now.Unix(),
		"nbf": now.Unix(),
		"exp": now.Add(jwtLifetime).Unix(),
		stytchClaim + "session": object{
			"id":                     session["member_session_id"],
			"started_at":             session["started_at"],
			"last_accessed_at":       session["last_accessed_at"],
			"expires_at":             session["expires_at"],
			"attributes":             object{"ip_address": "", "user_agent": ""},
			"authentication_factors": session["authentication_factors"],
			"roles":                  session["roles"],
		},
		stytchClaim + "organization": object{"organization_id": session["organization_id"], "slug": session["organization_slug"]},
	})
	key := signing()
	signed := jsonPart(object{"alg": "RS256", "kid": key.id, "typ": "JWT"}) + "." + jsonPart(claims)
	digest := sha256.Sum256([]byte(signed))
	return signed + "." + base64URL(must(rsa.SignPKCS1v15(nil, key.rsa, crypto.SHA256, digest[:])))
}

func jsonPart(o object) string {
	text, _ := json.Marshal(o) // JSON, strings and numbers cannot fail.
	return base64URL(text)
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
