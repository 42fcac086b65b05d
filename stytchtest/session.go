package stytchtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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

// find returns a session that lasts, by a token of the kind that is asked for.
func (s *sessions) find(token string, intermediate bool, now time.Time) *session {
	sess := s.byToken[token]
	if sess == nil || sess.intermediate != intermediate || !now.Before(sess.expires) {
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
	sess := s.state.newSession(memberID, time.Hour)
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
		text, _ := json.Marshal(v) // Strings and numbers do not fail.
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." +
		part(map[string]any{
			"iss": "stytchtest",
			"sub": sess.memberID,
			"sid": sess.id,
			"iat": sess.accessed.Unix(),
			"exp": sess.expires.Unix(),
			"jti": uuid(),
		}) + "." + token()[:43]
}
