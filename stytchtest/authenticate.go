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
	minutes := 60
	if p.SessionDurationMinutes != nil {
		minutes = *p.SessionDurationMinutes
	}
	switch {
	case p.Code == "":
		return nil, fail(400, "bad_request", "code is required.")
	case minutes < 5 || minutes > 527040:
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
		full := s.state.newSession(member.MemberID, 0)
		full.factors = sess.factors
		sess = full
	}
	sess.addFactor(smsFactor, now)
	sess.accessed, sess.expires = now, now.Add(time.Duration(minutes)*time.Minute)
	for name, value := range p.SessionCustomClaims {
		if value == nil {
			delete(sess.claims, name)
		} else {
			sess.claims[name] = value
		}
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
