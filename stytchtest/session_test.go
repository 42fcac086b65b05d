package stytchtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// How long a session lasts, and its JWT; and what becomes of its claims.
func TestSession(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	jwt := func(a answer) map[string]any { return verified(t, s, a.SessionJWT) }

	// A new session lasts 60 minutes, without claims...
	a := enter(t, s, fields{"intermediate_session_token": s.IntermediateSessionToken(s.MemberID), "session_custom_claims": fields{"team": "blue"}})
	assert.Equal(t, now.Add(time.Hour), a.MemberSession.ExpiresAt)
	assert.Equal(t, map[string]any{}, a.MemberSession.CustomClaims)

	// ... or as long as is asked for, with claims.
	a = enter(t, s, fields{
		"intermediate_session_token": s.IntermediateSessionToken(s.MemberID), "session_duration_minutes": 120,
		"session_custom_claims": fields{"team": "blue", "a": fields{"b": 1, "c": 2}, "none": nil, "sid": "mine", "exp": 1, "sub": "somebody else"},
	})
	assert.Equal(t, now.Add(2*time.Hour), a.MemberSession.ExpiresAt)
	assert.Equal(t, map[string]any{"team": "blue", "sid": "mine", "a": map[string]any{"b": 1.0, "c": 2.0}}, a.MemberSession.CustomClaims)
	assert.Subset(t, jwt(a), map[string]any{
		"team": "blue", "sid": "mine", "a": map[string]any{"b": 1.0, "c": 2.0}, "sub": s.MemberID, "exp": float64(now.Add(5 * time.Minute).Unix()),
	})

	// Later it keeps its end, and its claims change. The JWT that names it has expired.
	s.Advance(10 * time.Minute)
	token := a.SessionToken
	a = enter(t, s, fields{"session_jwt": a.SessionJWT, "session_custom_claims": fields{"team": nil, "a": fields{"b": nil, "d": []int{3}}, "e": fields{"f": nil}}})
	require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
	assert.Equal(t, token, a.SessionToken)
	assert.Equal(t, now.Add(2*time.Hour), a.MemberSession.ExpiresAt)
	claims := map[string]any{"sid": "mine", "a": map[string]any{"c": 2.0, "d": []any{3.0}}, "e": map[string]any{}}
	assert.Equal(t, claims, a.MemberSession.CustomClaims)
	assert.Subset(t, jwt(a), claims)
	assert.NotContains(t, jwt(a), "team")
	assert.EqualValues(t, now.Add(15*time.Minute).Unix(), jwt(a)["exp"])
	assert.Regexp(t, `email_address:ada@example\.com.*phone_number:\+12025550106`, jwt(a)["https://stytch.com/session"])

	// Its claims have room for 4 KB in all. What is refused changes nothing, and
	// leaves the code good.
	f := fields{"session_token": token, "session_custom_claims": fields{"sid": nil, "a": nil, "e": nil, "big": strings.Repeat("x", 4096-len(`{"big":""}`))}}
	a = enter(t, s, f)
	require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
	f["session_custom_claims"] = fields{"more": 1}
	a = enter(t, s, f)
	assert.Equal(t, 400, a.HTTPStatus)
	assert.Equal(t, "custom_claims_too_large", a.ErrorType)
	delete(f, "session_custom_claims")
	a = post(t, s, authenticatePath, f)
	require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
	assert.NotContains(t, a.MemberSession.CustomClaims, "more")
}

// Which session a request may name.
func TestSessionArgument(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	expired := session(t, s)
	s.Advance(50 * time.Minute)
	expiredIntermediate, login := s.IntermediateSessionToken(s.MemberID), session(t, s)
	s.Advance(10 * time.Minute)
	for _, tc := range []struct{ name, memberID, parameter, token, error string }{
		{"a session", login.MemberID, "session_token", login.SessionToken, "200 "},
		{"its JWT, which has expired", login.MemberID, "session_jwt", login.SessionJWT, "200 "},
		{"an expired session", expired.MemberID, "session_token", expired.SessionToken, "404 session_not_found"},
		{"its JWT", expired.MemberID, "session_jwt", expired.SessionJWT, "404 session_not_found"},
		{"a session token as an intermediate one", login.MemberID, "intermediate_session_token", login.SessionToken, "404 intermediate_session_not_found"},
		{"a JWT as a session token", login.MemberID, "session_token", login.SessionJWT, "404 session_not_found"},
		{"a session of another Member", s.MemberID, "session_token", login.SessionToken, "400 member_session_member_id_mismatch"},
		{"an intermediate session", s.MemberID, "intermediate_session_token", s.IntermediateSessionToken(s.MemberID), "200 "},
		{"an intermediate session token as a session's", s.MemberID, "session_token", s.IntermediateSessionToken(s.MemberID), "404 session_not_found"},
		{"an expired intermediate session", s.MemberID, "intermediate_session_token", expiredIntermediate, "404 intermediate_session_not_found"},
		{"an intermediate session of another Member", s.MemberID, "intermediate_session_token", s.IntermediateSessionToken(login.MemberID), "400 member_session_member_id_mismatch"},
	} {
		assert.Equal(t, tc.error, post(t, s, sendPath, fields{"member_id": tc.memberID, tc.parameter: tc.token}).error(), tc.name)
	}
}

func TestSessionAuthenticate(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.SetTime(now)
	login := session(t, s)

	s.Advance(30 * time.Minute)
	a := postOnly(t, s, sessionPath, fields{"session_jwt": login.SessionJWT})
	require.Equal(t, 200, a.HTTPStatus, a.ErrorType)
	assert.Equal(t, login.SessionToken, a.SessionToken)
	assert.NotEqual(t, login.SessionJWT, a.SessionJWT)
	assert.Equal(t, now.Add(time.Hour), a.MemberSession.ExpiresAt, "it is not extended")
	assert.Equal(t, now.Add(30*time.Minute), a.MemberSession.LastAccessedAt)

	a = postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken, "session_duration_minutes": 45, "session_custom_claims": fields{"team": "blue"}})
	assert.Equal(t, now.Add(75*time.Minute), a.MemberSession.ExpiresAt)
	assert.Equal(t, map[string]any{"team": "blue"}, a.MemberSession.CustomClaims)

	a = postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken, "session_custom_claims": fields{"big": strings.Repeat("x", 4096)}})
	assert.Equal(t, "400 custom_claims_too_large", a.error())
	a = postOnly(t, s, sessionPath, fields{"session_token": login.SessionToken, "authorization_check": fields{}})
	assert.Equal(t, "400 bad_request", a.error())
}

// A revoked session is over for both of its tokens, and for no other session.
func TestRevoke(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	status := func(f fields) string { return postOnly(t, s, sessionPath, f).error() }
	for name, named := range map[string]func(stytchtest.PrimaryAuthentication) fields{
		"by JWT": func(l stytchtest.PrimaryAuthentication) fields { return fields{"session_jwt": l.SessionJWT} },
		"by ID": func(l stytchtest.PrimaryAuthentication) fields {
			return fields{"member_session_id": l.MemberSession.MemberSessionID}
		},
		"of the Member": func(l stytchtest.PrimaryAuthentication) fields { return fields{"member_id": l.MemberID} },
	} {
		revoked, stranger := session(t, s), session(t, s)
		again, err := s.LogIn(revoked.MemberID)
		require.NoError(t, err)
		require.Equal(t, "200 ", postOnly(t, s, revokePath, named(revoked)).error(), name)
		assert.Equal(t, "404 session_not_found", status(fields{"session_token": revoked.SessionToken}), name)
		assert.Equal(t, "404 session_not_found", status(fields{"session_jwt": revoked.SessionJWT}), name)
		assert.Equal(t, name == "of the Member", status(fields{"session_token": again.SessionToken}) != "200 ", name)
		assert.Equal(t, "200 ", status(fields{"session_token": stranger.SessionToken}), name)
	}
	assert.Equal(t, "200 ", postOnly(t, s, revokePath, fields{"member_id": s.MemberID}).error(), "there may be none")
}
