package stytchtest

import "time"

// authenticate is POST /v1/b2b/otps/sms/authenticate. s.mu is held.
func (s *Server) authenticate(body []byte, requestID string) (any, error) {
	var p struct {
		OrganizationID string `json:"organization_id"`
		MemberID       string `json:"member_id"`
		Code           string `json:"code"`
		sessionParams
		SessionDurationMinutes *int           `json:"session_duration_minutes"`
		SessionCustomClaims    map[string]any `json:"session_custom_claims"`
		SetMFAEnrollment       string         `json:"set_mfa_enrollment"`
		SetDefaultMFA          bool           `json:"set_default_mfa"`
		TelemetryID            string         `json:"telemetry_id"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	minutes := p.SessionDurationMinutes
	switch {
	case p.Code == "":
		return nil, fail(400, "bad_request", "code is required.")
	case minutes != nil && (*minutes < 5 || *minutes > 527040):
		return nil, fail(400, "invalid_session_duration", "session_duration_minutes must be between 5 and 527040.")
	case p.SetMFAEnrollment != "" && p.SetMFAEnrollment != "enroll" && p.SetMFAEnrollment != "unenroll":
		return nil, fail(400, "bad_request", "set_mfa_enrollment must be enroll or unenroll.")
	case p.sessionParams == sessionParams{}:
		return nil, fail(400, "no_session_arguments", "A session argument must be provided.")
	}
	org, member, sess, err := s.state.find(p.OrganizationID, p.MemberID, p.sessionParams)
	if err != nil {
		return nil, err
	}
	now := s.state.now()
	code := s.state.codes[member.MemberID]
	switch {
	case code.text != p.Code:
		return nil, fail(404, "otp_code_not_found", "The code is wrong, or was replaced by a newer one.")
	case code.used || !now.Before(code.expires):
		return nil, fail(401, "unable_to_auth_otp_code", "The code has been used or has expired.")
	}
	if sess.intermediate && minutes == nil {
		p.SessionCustomClaims = nil // A session begins with claims only where its duration is given.
	}
	claims, err := sess.claimsWith(p.SessionCustomClaims)
	if err != nil {
		return nil, err
	}

	code.used = true
	s.state.codes[member.MemberID] = code
	member.MFAPhoneNumberVerified = true
	switch {
	case org.MFAPolicy == "REQUIRED_FOR_ALL" || p.SetMFAEnrollment == "enroll":
		member.MFAEnrolled = true
	case p.SetMFAEnrollment == "unenroll":
		member.MFAEnrolled = false
	}
	if p.SetDefaultMFA || member.DefaultMFAMethod == "" {
		member.DefaultMFAMethod = "sms_otp"
	}
	if sess.intermediate { // It is used up, and its factors go into a session.
		delete(s.state.sessions.byToken, sess.token)
		full := s.state.newSession(member.MemberID, sessionLifetime)
		full.factors = sess.factors
		sess = full
	}
	sess.addFactor(smsFactor, now)
	sess.accessed, sess.claims = now, claims
	if minutes != nil {
		sess.expires = now.Add(time.Duration(*minutes) * time.Minute)
	}
	s.state.issueTokens(sess)
	return authenticateObject{
		StatusCode:    200,
		RequestID:     requestID,
		MemberID:      member.MemberID,
		Member:        newMemberObject(member),
		Organization:  newOrganizationObject(org),
		SessionToken:  sess.token,
		SessionJWT:    sess.jwt,
		MemberSession: newMemberSessionObject(sess, org, member),
	}, nil
}
