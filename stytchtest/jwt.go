package stytchtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"sync"
	"time"
)

// A signingKey signs the JWTs of a server.
type signingKey struct {
	id  string
	rsa *rsa.PrivateKey
}

// signingKeys are those of servers that were closed. To make one takes a
// twentieth of a second, which would be most of the time of many tests.
var signingKeys = sync.Pool{New: func() any {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("stytchtest: " + err.Error())
	}
	return &signingKey{"jwk-test-" + uuid(), private}
}}

// key returns the server's signing key, which no other open server has. s.mu is
// held.
func (s *Server) key() *signingKey {
	if s.signing == nil {
		s.signing = signingKeys.Get().(*signingKey)
	}
	return s.signing
}

// spareKey leaves the key to a later server.
func (s *Server) spareKey() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.signing != nil {
		signingKeys.Put(s.signing)
		s.signing = nil
	}
}

// jwks is GET /v1/b2b/sessions/jwks/{project_id}. s.mu is held.
func (s *Server) jwks(projectID, requestID string) (any, *apiError) {
	if projectID != s.ProjectID {
		return nil, fail(400, "invalid_project_id", "project_id format is invalid.")
	}
	key := s.key()
	return jwksObject{
		StatusCode: 200,
		RequestID:  requestID,
		Keys: []jwkObject{{
			KeyType:       "RSA",
			Use:           "sig",
			KeyOperations: []string{"verify"},
			Algorithm:     "RS256",
			KeyID:         key.id,
			Modulus:       base64URL(key.rsa.N.Bytes()),
			Exponent:      base64URL(big.NewInt(int64(key.rsa.E)).Bytes()),
		}},
	}, nil
}

// newJWT makes a JWT for a session, signed with RS256 (RFC 7518, section 3.3).
func (s *Server) newJWT(sess *session, org *Organization, member *Member) string {
	object := newMemberSessionObject(sess, org, member)
	claims := maps.Clone(sess.claims)
	maps.Copy(claims, map[string]any{
		"iss": "stytch.com/" + s.ProjectID,
		"aud": []string{s.ProjectID},
		"sub": member.MemberID,
		"iat": sess.accessed.Unix(),
		"nbf": sess.accessed.Unix(),
		"exp": sess.accessed.Add(jwtLifetime).Unix(),
		stytchClaim + "session": map[string]any{
			"id":                     object.MemberSessionID,
			"started_at":             object.StartedAt,
			"last_accessed_at":       object.LastAccessedAt,
			"expires_at":             object.ExpiresAt,
			"attributes":             map[string]string{"ip_address": "", "user_agent": ""},
			"authentication_factors": object.AuthenticationFactors,
			"roles":                  object.Roles,
		},
		stytchClaim + "organization": map[string]string{"organization_id": org.OrganizationID, "slug": org.Slug},
	})
	key := s.key()
	signed := jsonPart(map[string]string{"alg": "RS256", "kid": key.id, "typ": "JWT"}) + "." + jsonPart(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key.rsa, crypto.SHA256, digest[:])
	if err != nil {
		panic("stytchtest: " + err.Error())
	}
	return signed + "." + base64URL(signature)
}

func jsonPart(v any) string {
	text, _ := json.Marshal(v) // What was JSON, strings and numbers do not fail.
	return base64URL(text)
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

const jwtLifetime = 5 * time.Minute
