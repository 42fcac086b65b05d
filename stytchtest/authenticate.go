package stytchtest

import "strings"

// authenticate is POST /v1/b2b/otps/sms/authenticate. s.mu is held.
func (s *Server) authenticate(body []byte) (object, *apiError) {
	var p struct {
		OrganizationID string `json:"organization_id"`
		MemberID       string `json:"member_id"`
		Code           string `json:"code"`
		sessionParams
		sessionOptions
		SetMFAEnrollment string `json:"set_mfa_enrollment"`
		SetDefaultMFA    bool   `json:"set_default_mfa"`
	}
	if err := decode(body, &p); err != nil {
		return nil, err
	}
	switch {
	case p.Code == "":
		return nil, fail(400, "bad_request", "code is required.")
	case len(p.Code) != 6 || strings.Trim(p.Code, "0123456789") != "":
		return nil, fail(400, "invalid_code", "Code format is invalid.")
	case p.SetMFAEnrollment != "" && p.SetMFAEnrollment != "enroll" && p.SetMFAEnrollment != "unenroll":
		return nil, fail(400, "bad_request", "set_mfa_enrollment must be enroll or unenroll.")
	}
	if err := p.sessionParams.exactlyOne(); err != nil {
		return nil, err
	}
	if err := p.sessionOptions.check(); err != nil {
		return nil, err
	}
	org, member, sess, err := s.state.find(p.OrganizationID, p.MemberID, p.sessionParams)
	if err != nil {
		return nil, err
	}
	now := s.state.now()
	code := s.state.codes[member.MemberID]
	switch {
	case code.text != p.Code:
		member.failed(now)
		return nil, fail(404, "otp_code_not_found", "The passcode was incorrect and could not be authenticated.")
	case code.used || !now.Before(code.expires):
		member.failed(now)
		return nil, fail(401, "unable_to_auth_otp_code", "The passcode could not be authenticated because it was either already used or expired.")
	}
	if sess, err = s.state.begin(sess, member, p.sessionOptions); err != nil {
		return nil, err
	}
	member.unlock()
	code.used = true
	s.state.codes[member.MemberID] = code
	member.MFAPhoneNumberVerified, member.updated = true, now
	switch {
	case org.MFAPolicy == "REQUIRED_FOR_ALL" || p.SetMFAEnrollment == "enroll":
		member.MFAEnrolled = true
	case p.SetMFAEnrollment == "unenroll":
		member.MFAEnrolled = false
	}
	if p.SetDefaultMFA {
		member.DefaultMFAMethod = "sms_otp"
	}
	sess.addFactor(smsFactor, now)
	return s.proceed(sess, p.sessionOptions, org, member), nil
}
