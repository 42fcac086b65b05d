package stytchtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// A session is what a token stands for: that a Member has shown some factors.
type session struct {
	id           string
	memberID     string
	intermediate bool
	factors      []factor
	claims       map[string]any
	started      time.Time
	accessed     time.Time
	expires      time.Time
	token, jwt   string
}

// A factor is one way in which the Member has shown who they are.
type factor struct {
	kind, delivery string // as in an authentication_factor
	at             time.Time
}

var (
	primaryFactor = factor{kind: "magic_link", delivery: "email"}
	smsFactor     = factor{kind: "otp", delivery: "sms"}
	totpFactor    = factor{kind: "totp", delivery: "authenticator_app"}
)

// sessions finds sessions by each of their tokens. The oldest are forgotten
// when there are many.
type sessions struct {
	byToken map[string]*session
	order   []string // of byToken's keys
}

func (s *sessions) add(token string, sess *session) {
	s.byToken[token] = sess
	s.order = append(s.order, token)
	if len(s.order) > maxRecords {
		delete(s.byToken, s.order[0])
		s.order = s.order[1:]
	}
}

// find returns the session that a request names and that lasts, or nil. Each kind
// of token has its parameter. A JWT names its session when it has expired, too.
func (s *sessions) find(p sessionParams, now time.Time) *session {
	named := p.IntermediateSessionToken + p.SessionToken + p.SessionJWT // Not more than one is given.
	sess := s.byToken[named]
	if sess == nil || !now.Before(sess.expires) ||
		sess.intermediate != (p.IntermediateSessionToken != "") ||
		(sess.token != named) != (p.SessionJWT != "") {
		return nil
	}
	return sess
}

// IntermediateSessionToken returns a token such as a primary authentication
// (an email magic link here) of the Member gives where MFA is required. It
// lasts ten minutes, and authenticate uses it up. It panics if there is no such
// Member.
func (s *Server) IntermediateSessionToken(memberID string) string {
	s.mustHaveMember(memberID)
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.state.newSession(memberID, intermediateSessionLifetime)
	sess.intermediate = true
	sess.token = token()
	s.state.sessions.add(sess.token, sess)
	return sess.token
}

// A Session is the two tokens of a Member's session; a request carries one.
type Session struct{ Token, JWT string }

// NewSession returns a Member's session of an hour that holds a primary factor,
// and withTOTP the factor of an authenticator app too. It panics if there is no
// such Member.
func (s *Server) NewSession(memberID string, withTOTP bool) Session {
	s.mustHaveMember(memberID)
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.state.newSession(memberID, sessionLifetime)
	if withTOTP {
		sess.addFactor(totpFactor, sess.started)
	}
	s.state.issueTokens(sess)
	return Session{sess.token, sess.jwt}
}

func (s *Server) mustHaveMember(memberID string) {
	if _, ok := s.Member(memberID); !ok {
		panic(fmt.Sprintf("stytchtest: there is no Member %q", memberID))
	}
}

func (s *state) newSession(memberID string, lifetime time.Duration) *session {
	now := s.now()
	sess := &session{
		id:       "member-session-test-" + uuid(),
		memberID: memberID,
		claims:   map[string]any{},
		started:  now,
		accessed: now,
		expires:  now.Add(lifetime),
	}
	sess.addFactor(primaryFactor, now)
	return sess
}

// addFactor notes that a factor was shown, at first or again.
func (sess *session) addFactor(f factor, now time.Time) {
	f.at = now
	for i := range sess.factors {
		if sess.factors[i].kind == f.kind {
			sess.factors[i] = f
			return
		}
	}
	sess.factors = append(sess.factors, f)
}

func (sess *session) has(f factor) bool {
	for _, g := range sess.factors {
		if g.kind == f.kind {
			return true
		}
	}
	return false
}

// maxClaims is how large a session's custom claims may be in all, in bytes of JSON.
const maxClaims = 4 << 10

// claimsWith returns the session's custom claims as a request changes them.
func (sess *session) claimsWith(change map[string]any) (map[string]any, error) {
	for _, reserved := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"} {
		delete(change, reserved)
	}
	claims := merge(sess.claims, change)
	text, _ := json.Marshal(claims) // It was JSON before.
	if len(text) > maxClaims {
		return nil, fail(400, "custom_claims_too_large", "The custom claims are larger than 4 KB.")
	}
	return claims, nil
}

// merge is JSON Merge Patch (RFC 7396): null deletes, and an object changes the
// one that is there.
func merge(target, patch map[string]any) map[string]any {
	merged := maps.Clone(target)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(merged, name)
		case map[string]any:
			inner, _ := merged[name].(map[string]any)
			merged[name] = merge(inner, value)
		default:
			merged[name] = value
		}
	}
	return merged
}

// issueTokens gives the session a token, which it keeps, and a new JWT.
func (s *state) issueTokens(sess *session) {
	if sess.token == "" {
		sess.token = token()
		s.sessions.add(sess.token, sess)
	}
	sess.jwt = newJWT(sess)
	s.sessions.add(sess.jwt, sess)
}

// newJWT makes a string of the shape of a JWT. No key signs it.
func newJWT(sess *session) string {
	part := func(v any) string {
		text, _ := json.Marshal(v) // What was JSON, strings and numbers do not fail.
		return base64.RawURLEncoding.EncodeToString(text)
	}
	claims := maps.Clone(sess.claims)
	maps.Copy(claims, map[string]any{
		"iss": "stytchtest",
		"sub": sess.memberID,
		"iat": sess.accessed.Unix(),
		"exp": sess.accessed.Add(jwtLifetime).Unix(),
		"jti": uuid(),
		// Where Stytch's have it, and out of the way of custom claims.
		"https://stytch.com/session": map[string]string{"id": sess.id},
	})
	return part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(claims) + "." + token()[:43]
}
