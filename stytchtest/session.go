package stytchtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A session is what a token stands for: that a Member has shown some factors.
type session struct {
	id           string
	memberID     string
	email        string // the Member's when it began
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
	created, at    time.Time
}

var (
	linkFactor     = factor{kind: "magic_link", delivery: "email"}
	passwordFactor = factor{kind: "password", delivery: "knowledge"}
	smsFactor      = factor{kind: "otp", delivery: "sms"}
	totpFactor     = factor{kind: "totp", delivery: "authenticator_app"}
)

// sessions finds sessions by each of their tokens. The oldest are forgotten
// when there are many.
type sessions struct {
	byToken map[string]*session
	order   []string // of byToken's keys
}

func (s *sessions) add(token string, sess *session) {
	if s.byToken[token] != nil {
		return // a JWT of the same second
	}
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

// IntermediateSessionToken returns only the token that a primary authentication of
// the Member (here an email magic link) gives if MFA is required. Unlike
// [Server.LogIn], it sends no SMS. The token lasts ten minutes, and authenticate
// uses it up. It panics if there is no such Member.
func (s *Server) IntermediateSessionToken(memberID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.state.newIntermediateSession(s.mustHaveMember(memberID))
	sess.addFactor(linkFactor, sess.started)
	return sess.token
}

// A Session is the two tokens of a Member's session; a request carries one.
type Session struct{ Token, JWT string }

// NewSession returns a Member's session of an hour that holds a primary factor,
// and withTOTP the factor of an authenticator app too. It panics if there is no
// such Member.
func (s *Server) NewSession(memberID string, withTOTP bool) Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	member := s.mustHaveMember(memberID)
	sess := s.state.newSession(member, sessionLifetime)
	sess.addFactor(linkFactor, sess.started)
	if withTOTP {
		sess.addFactor(totpFactor, sess.started)
	}
	s.issueTokens(sess, s.state.organization(member.OrganizationID), member)
	return Session{sess.token, sess.jwt}
}

func (s *Server) mustHaveMember(memberID string) *Member {
	m := s.state.memberByID(memberID)
	if m == nil {
		panic(fmt.Sprintf("stytchtest: there is no Member %q", memberID))
	}
	return m
}

func (s *state) newSession(m *Member, lifetime time.Duration) *session {
	now := s.now()
	return &session{
		id:       "member-session-test-" + uuid(),
		memberID: m.MemberID,
		email:    m.EmailAddress,
		claims:   map[string]any{},
		started:  now,
		accessed: now,
		expires:  now.Add(lifetime),
	}
}

func (s *state) newIntermediateSession(m *Member) *session {
	sess := s.newSession(m, intermediateSessionLifetime)
	sess.intermediate = true
	sess.token = token()
	s.sessions.add(sess.token, sess)
	return sess
}

// begin returns the session that a complete login gives the Member: the one that
// the request names, or a new one, which has the factors of the intermediate one
// that is named. The claims are as the request changes them. A session begins
// with claims only if the request gives its duration.
func (s *state) begin(named *session, m *Member, o sessionOptions) (*session, *apiError) {
	sess := named
	if named == nil || named.intermediate {
		sess = s.newSession(m, sessionLifetime)
		if o.SessionDurationMinutes == nil {
			o.SessionCustomClaims = nil
		}
	}
	claims, err := sess.claimsWith(o.SessionCustomClaims)
	if err != nil {
		return nil, err
	}
	if sess.claims = claims; named != nil && named.intermediate {
		sess.factors = named.factors
		delete(s.sessions.byToken, named.token) // It is used up.
	}
	return sess, nil
}

// belongsTo reports whether the session is one of the Member. An intermediate one
// is also good for who else has the email address, unless it holds a password:
// that is the Member's own.
func (sess *session) belongsTo(m *Member) bool {
	return sess.memberID == m.MemberID ||
		sess.intermediate && strings.EqualFold(sess.email, m.EmailAddress) && !sess.has(passwordFactor)
}

// addFactor notes that a factor was shown, at first or again.
func (sess *session) addFactor(f factor, now time.Time) {
	for i := range sess.factors {
		if sess.factors[i].kind == f.kind {
			sess.factors[i].at = now
			return
		}
	}
	f.created, f.at = now, now
	sess.factors = append(sess.factors, f)
}

func (sess *session) has(f factor) bool {
	return slices.ContainsFunc(sess.factors, func(g factor) bool { return g.kind == f.kind })
}

// sessionParams are the three ways to name a session.
type sessionParams struct {
	IntermediateSessionToken string `json:"intermediate_session_token"`
	SessionToken             string `json:"session_token"`
	SessionJWT               string `json:"session_jwt"`
}

// named counts the sessions that a request names.
func (p sessionParams) named() (n int) {
	for _, t := range []string{p.IntermediateSessionToken, p.SessionToken, p.SessionJWT} {
		if t != "" {
			n++
		}
	}
	return n
}

// findSession returns the session that a request names; nil where it names none.
func (s *state) findSession(p sessionParams, org *Organization, m *Member) (*session, *apiError) {
	switch p.named() {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, fail(400, "too_many_session_arguments", "Only one session argument may be provided.")
	}
	sess := s.sessions.find(p, s.now())
	switch {
	case sess == nil && p.IntermediateSessionToken != "":
		return nil, fail(404, "intermediate_session_not_found", "Intermediate session could not be found.")
	case sess == nil:
		return nil, fail(404, "session_not_found", "Session could not be found.")
	case sess.belongsTo(m):
		return sess, nil
	case sess.intermediate && s.memberByID(sess.memberID).OrganizationID != org.OrganizationID:
		return nil, fail(400, "invalid_intermediate_session_token_for_organization", "The intermediate session token is not valid for the Organization.")
	}
	return nil, fail(400, "member_session_member_id_mismatch", "The session belongs to another Member.")
}

// sessionOptions are how a request would have the session.
type sessionOptions struct {
	SessionDurationMinutes *int           `json:"session_duration_minutes"`
	SessionCustomClaims    map[string]any `json:"session_custom_claims"`
}

func (o sessionOptions) check() *apiError {
	if m := o.SessionDurationMinutes; m != nil && (*m < 5 || *m > 527040) {
		return fail(400, "invalid_session_duration_minutes", "session_duration_minutes is invalid, should be between 5 to 527040 minutes.")
	}
	for name := range o.SessionCustomClaims {
		if strings.HasPrefix(name, stytchClaim) {
			return fail(400, "stytch_claims_in_custom_claims", "Custom claims must not begin with "+stytchClaim+".")
		}
	}
	return nil
}

// stytchClaim begins the names of Stytch's own claims in a JWT.
const stytchClaim = "https://stytch.com/"

// maxClaims is how large a session's custom claims may be in all, in bytes of JSON.
const maxClaims = 4 << 10

// claimsWith returns the session's custom claims as a request changes them.
func (sess *session) claimsWith(change map[string]any) (map[string]any, *apiError) {
	change = maps.Clone(change)
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

// goOn lets a session last as a request would have it, with new tokens, and
// returns the answer.
func (s *Server) goOn(sess *session, o sessionOptions, org *Organization, member *Member, requestID string) sessionObject {
	sess.accessed = s.state.now()
	if m := o.SessionDurationMinutes; m != nil {
		sess.expires = sess.accessed.Add(time.Duration(*m) * time.Minute)
	}
	s.issueTokens(sess, org, member)
	return sessionObject{
		StatusCode:    200,
		RequestID:     requestID,
		Member:        newMemberObject(member),
		Organization:  newOrganizationObject(org),
		SessionToken:  sess.token,
		SessionJWT:    sess.jwt,
		MemberSession: newMemberSessionObject(sess, org, member),
	}
}

// authenticateSession is POST /v1/b2b/sessions/authenticate. s.mu is held.
func (s *Server) authenticateSession(body []byte, requestID string) (any, *apiError) {
	var p struct {
		SessionToken string `json:"session_token"`
		SessionJWT   string `json:"session_jwt"`
		sessionOptions
		AuthorizationCheck map[string]any `json:"authorization_check"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	named := sessionParams{SessionToken: p.SessionToken, SessionJWT: p.SessionJWT}
	switch {
	case named.named() == 0:
		return nil, fail(400, "no_session_arguments", "A session argument must be provided.")
	case named.named() > 1:
		return nil, fail(400, "too_many_session_arguments", "Only one session argument may be provided.")
	case p.AuthorizationCheck != nil:
		return nil, fail(400, "bad_request", "stytchtest checks no permissions: authorization_check must be left out.")
	}
	if err := p.sessionOptions.check(); err != nil {
		return nil, err
	}
	sess := s.state.sessions.find(named, s.state.now())
	if sess == nil {
		return nil, fail(404, "session_not_found", "Session could not be found.")
	}
	member := s.state.memberByID(sess.memberID)
	_ = member.isLocked(s.state.now()) // A session goes on, whether or not.
	if member.Status == "deleted" {
		return nil, fail(404, "session_not_found", "Session could not be found.")
	}
	org := s.state.organization(member.OrganizationID)
	if _, err := s.state.begin(sess, member, p.sessionOptions); err != nil {
		return nil, err
	}
	return s.goOn(sess, p.sessionOptions, org, member, requestID), nil
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
func (s *Server) issueTokens(sess *session, org *Organization, member *Member) {
	if sess.token == "" {
		sess.token = token()
		s.state.sessions.add(sess.token, sess)
	}
	sess.jwt = s.newJWT(sess, org, member)
	s.state.sessions.add(sess.jwt, sess)
}
