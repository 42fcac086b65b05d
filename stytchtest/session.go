package stytchtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// A session is a Member who has proved some factors. A token names it.
type session struct {
	id           string
	memberID     string
	intermediate bool
	factors      []factor
	claims       map[string]any
	started      time.Time
	accessed     time.Time
	expires      time.Time
	token        string
	revoked      bool
}

// A factor is one way in which a Member has authenticated.
type factor struct {
	kind, delivery string // as in an authentication_factor
	created, at    time.Time
}

var (
	linkFactor     = factor{kind: "magic_link", delivery: "email"}
	passwordFactor = factor{kind: "password", delivery: "knowledge"}
	smsFactor      = factor{kind: "otp", delivery: "sms"}
)

// sessions finds sessions by any of their tokens. It drops the oldest tokens if there
// are too many.
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

// find returns the live session that a request names, or nil. An expired JWT still
// names its session.
func (s *sessions) find(p sessionParams, now time.Time) *session {
	named := p.IntermediateSessionToken + p.SessionToken + p.SessionJWT // At most one is not empty.
	sess := s.byToken[named]
	if sess == nil || sess.revoked || !now.Before(sess.expires) ||
		sess.intermediate != (p.IntermediateSessionToken != "") ||
		(sess.token != named) != (p.SessionJWT != "") {
		return nil
	}
	return sess
}

// IntermediateSessionToken returns the token that a Member who needs MFA gets from a
// primary authentication (an email magic link). Unlike [Server.LogIn], it sends no
// SMS. The token lasts ten minutes, and authenticate consumes it. It panics if there
// is no such Member.
func (s *Server) IntermediateSessionToken(memberID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.state.memberByID(memberID)
	if m == nil {
		panic(fmt.Sprintf("stytchtest: there is no Member %q", memberID))
	}
	sess := s.state.newIntermediateSession(m)
	sess.addFactor(linkFactor, sess.started)
	return sess.token
}

func (s *state) newSession(m *Member, lifetime time.Duration) *session {
	now := s.now()
	return &session{
		id:       "member-session-test-" + uuid(),
		memberID: m.MemberID,
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

// begin returns the session after a complete login: the one that the request names, or
// a new one with the factors of the intermediate session. It applies the request's
// changes to the claims. A new session gets claims only if the request gives its
// duration.
func (s *state) begin(named *session, m *Member, opts sessionOptions) (*session, *apiError) {
	sess := named
	if named == nil || named.intermediate {
		sess = s.newSession(m, sessionLifetime)
		if opts.SessionDurationMinutes == nil {
			opts.SessionCustomClaims = nil
		}
	}
	claims, err := sess.claimsWith(opts.SessionCustomClaims)
	if err != nil {
		return nil, err
	}
	sess.claims = claims
	if named != nil && named.intermediate {
		sess.factors = named.factors
		delete(s.sessions.byToken, named.token) // It is consumed.
	}
	return sess, nil
}

// addFactor adds a factor, or updates the time of one that the session has.
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

// sessionParams are the three ways to name a session.
type sessionParams struct {
	IntermediateSessionToken string `json:"intermediate_session_token"`
	SessionToken             string `json:"session_token"`
	SessionJWT               string `json:"session_jwt"`
}

// exactlyOne checks the arguments of a request that needs one of them.
func exactlyOne(arguments ...string) *apiError {
	n := 0
	for _, a := range arguments {
		if a != "" {
			n++
		}
	}
	switch n {
	case 0:
		return fail(400, "no_session_arguments", "A session argument must be provided.")
	case 1:
		return nil
	}
	return fail(400, "too_many_session_arguments", "Only one session argument may be provided.")
}

func (p sessionParams) exactlyOne() *apiError {
	return exactlyOne(p.IntermediateSessionToken, p.SessionToken, p.SessionJWT)
}

// findSession returns the session that a request names, or nil if it names none.
func (s *state) findSession(p sessionParams, m *Member) (*session, *apiError) {
	if p == (sessionParams{}) {
		return nil, nil
	}
	if err := p.exactlyOne(); err != nil {
		return nil, err
	}
	sess := s.sessions.find(p, s.now())
	switch {
	case sess == nil && p.IntermediateSessionToken != "":
		return nil, fail(404, "intermediate_session_not_found", "Intermediate session could not be found.")
	case sess == nil:
		return nil, fail(404, "session_not_found", "Session could not be found.")
	case sess.memberID != m.MemberID:
		return nil, fail(400, "member_session_member_id_mismatch", "The session belongs to another Member.")
	}
	return sess, nil
}

// sessionOptions are the session parameters of a request.
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

// maxClaims is the maximum size of a session's custom claims, in bytes of JSON.
const maxClaims = 4 << 10

// claimsWith returns the session's custom claims, changed as the request asks.
func (sess *session) claimsWith(change map[string]any) (map[string]any, *apiError) {
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

// proceed extends a session as the request asks, issues new tokens, and returns the
// answer.
func (s *Server) proceed(sess *session, opts sessionOptions, org *Organization, member *Member) object {
	sess.accessed = s.state.now()
	if m := opts.SessionDurationMinutes; m != nil {
		sess.expires = sess.accessed.Add(time.Duration(*m) * time.Minute)
	}
	if sess.token == "" {
		sess.token = token()
		s.state.sessions.add(sess.token, sess)
	}
	o := memberSessionObject(sess, org, member)
	jwt := s.newJWT(o, sess.accessed)
	s.state.sessions.add(jwt, sess)
	return object{
		"member_id":      member.MemberID,
		"member":         memberObject(member),
		"organization":   organizationObject(org),
		"session_token":  sess.token,
		"session_jwt":    jwt,
		"member_session": o,
	}
}

// authenticateSession is POST /v1/b2b/sessions/authenticate. s.mu is held.
func (s *Server) authenticateSession(body []byte) (object, *apiError) {
	var p struct {
		SessionToken string `json:"session_token"`
		SessionJWT   string `json:"session_jwt"`
		sessionOptions
		AuthorizationCheck object `json:"authorization_check"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	if err := exactlyOne(p.SessionToken, p.SessionJWT); err != nil {
		return nil, err
	}
	if p.AuthorizationCheck != nil {
		return nil, fail(400, "bad_request", "stytchtest checks no permissions: authorization_check must be left out.")
	}
	if err := p.sessionOptions.check(); err != nil {
		return nil, err
	}
	sess := s.state.sessions.find(sessionParams{SessionToken: p.SessionToken, SessionJWT: p.SessionJWT}, s.state.now())
	if sess == nil {
		return nil, fail(404, "session_not_found", "Session could not be found.")
	}
	member := s.state.memberByID(sess.memberID)
	_ = member.isLocked(s.state.now()) // A lock does not end a session.
	if _, err := s.state.begin(sess, member, p.sessionOptions); err != nil {
		return nil, err
	}
	return s.proceed(sess, p.sessionOptions, s.state.organization(member.OrganizationID), member), nil
}

// revokeSession is POST /v1/b2b/sessions/revoke. s.mu is held.
func (s *Server) revokeSession(body []byte) (object, *apiError) {
	var p struct {
		MemberSessionID string `json:"member_session_id"`
		SessionToken    string `json:"session_token"`
		SessionJWT      string `json:"session_jwt"`
		MemberID        string `json:"member_id"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	if err := exactlyOne(p.MemberSessionID, p.SessionToken, p.SessionJWT, p.MemberID); err != nil {
		return nil, err
	}
	if p.MemberID != "" && s.state.memberByID(p.MemberID) == nil {
		return nil, fail(404, "member_not_found", "Member could not be found.")
	}
	found := p.MemberID != ""
	named := s.state.sessions.find(sessionParams{SessionToken: p.SessionToken, SessionJWT: p.SessionJWT}, s.state.now())
	for _, sess := range s.state.sessions.byToken {
		if sess == named || sess.id == p.MemberSessionID || sess.memberID == p.MemberID {
			sess.revoked, found = true, true
		}
	}
	if !found {
		return nil, fail(404, "session_not_found", "Session could not be found.")
	}
	return object{}, nil
}

// merge applies a JSON Merge Patch (RFC 7396): null deletes a value, and an object is
// merged into the existing one.
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
