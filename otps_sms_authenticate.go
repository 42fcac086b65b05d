package stytchb2b

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
)

// Authenticate verifies the code from an SMS and starts or extends a session
// (POST /v1/b2b/otps/sms/authenticate,
// https://stytch.com/docs/api-reference/b2b/api/mfa/otp/authenticate-sms-otp).
//
// It uses up the code and, if there is one, the intermediate session token. So it
// retries only if certainly neither was used (see [RetryPolicy]), even with
// RetryUnknown. It returns when the Client's timeout or ctx ends, if not before.
//
// A code has only six digits, so limit the wrong codes for each Member. Module
// github.com/eb715825/stytchb2b/guard does this, across processes if they share a
// store. Without a [Guard], only Stytch's user lock limits them: by default, it locks a
// Member for an hour after ten consecutive failures
// (https://stytch.com/docs/resources/platform/user-locks). Stytch does not document
// whether a correct password resets the count. If it does, an attacker who knows the
// password can guess codes without limit.
//
// The error is a [*ParamError], a [*GuardError], an [*APIError] or a
// [*TransportError], and the response is then nil. [AfterAuthenticate] returns what a
// login does next, and [MaybeUsed] whether the code may be used up.
func (s SMS) Authenticate(ctx context.Context, params SMSAuthenticateParams) (*SMSAuthenticateResponse, error) {
	c := &call{client: s.client, op: OpSMSAuthenticate, path: "/v1/b2b/otps/sms/authenticate", fields: params.fields()}
	return do(ctx, c, params, Guard.AllowAuthenticate, &SMSAuthenticateResponse{})
}

// SMSAuthenticateParams are the parameters of [SMS.Authenticate]. Marshaled to JSON,
// they are the body of the request.
type SMSAuthenticateParams struct {
	// OrganizationID is the Organization's ID, slug or external ID. Required.
	OrganizationID string `json:"organization_id"`
	// MemberID is the Member's ID or external ID. Required.
	MemberID string `json:"member_id"`
	// Code is what the Member entered. Required. It is sent unchanged.
	Code string `json:"code"`
	// IntermediateSessionToken is from a primary authentication that requires MFA.
	// SessionToken or SessionJWT names an existing session, to which the code adds a
	// factor. Exactly one of the three is required.
	IntermediateSessionToken string `json:"intermediate_session_token,omitempty"`
	SessionToken             string `json:"session_token,omitempty"`
	SessionJWT               string `json:"session_jwt,omitempty"`
	// SessionDurationMinutes is how long the session lasts from now on: 5 to 527040
	// minutes. With 0, a new session lasts 60 minutes, and an existing one keeps its
	// end (https://stytch.com/docs/multi-tenant-auth/manage-sessions/lifecycle/extend-or-expire-session).
	SessionDurationMinutes int `json:"session_duration_minutes,omitempty"`
	// SessionCustomClaims are merged into the claims of the session and its JWT, up to
	// 4 KB in total. A nil value deletes a claim, also in a nested object. Stytch ignores
	// iss, sub, aud, exp, nbf, iat and jti. A new session gets claims only if
	// SessionDurationMinutes is set
	// (https://stytch.com/docs/multi-tenant-auth/manage-sessions/custom-claims).
	SessionCustomClaims map[string]any `json:"session_custom_claims,omitempty"`
	// SetMFAEnrollment changes whether the Member needs a second factor, if the
	// Organization leaves that to its Members.
	SetMFAEnrollment MFAEnrollment `json:"set_mfa_enrollment,omitempty"`
	// SetDefaultMFA makes SMS the Member's default MFA method (assumed).
	SetDefaultMFA bool `json:"set_default_mfa,omitempty"`
	// TelemetryID is from Stytch's Device Fingerprinting in the Member's browser.
	TelemetryID string `json:"telemetry_id,omitempty"`
}

// An MFAEnrollment says whether a Member needs a second factor. The type is open.
type MFAEnrollment string

const (
	MFAEnroll   MFAEnrollment = "enroll"   // the Member needs one
	MFAUnenroll MFAEnrollment = "unenroll" // the Member needs none
)

func (p SMSAuthenticateParams) fields() []field {
	fields := []field{
		{name: "organization_id", value: p.OrganizationID, required: true},
		{name: "member_id", value: p.MemberID, required: true},
		{name: "code", value: p.Code, kind: secret, required: true},
		{name: "intermediate_session_token", value: p.IntermediateSessionToken, kind: session, required: p.SessionToken == "" && p.SessionJWT == ""},
		{name: "session_token", value: p.SessionToken, kind: session},
		{name: "session_jwt", value: p.SessionJWT, kind: session},
		{name: "set_mfa_enrollment", value: string(p.SetMFAEnrollment)},
		{name: "telemetry_id", value: p.TelemetryID},
	}
	if p.SessionDurationMinutes != 0 {
		fields = append(fields, field{name: "session_duration_minutes", value: strconv.Itoa(p.SessionDurationMinutes)})
	}
	if len(p.SessionCustomClaims) > 0 {
		fields = append(fields, field{name: "session_custom_claims", value: redacted})
	}
	if p.SetDefaultMFA {
		fields = append(fields, field{name: "set_default_mfa", value: "true"})
	}
	return fields
}

// String returns the parameters, without the code, session tokens and claims.
func (p SMSAuthenticateParams) String() string { return fieldText(p.fields()) }

// GoString is String for %#v, with the name of the type.
func (p SMSAuthenticateParams) GoString() string {
	return "stytchb2b.SMSAuthenticateParams" + p.String()
}

// LogValue is String for package log/slog.
func (p SMSAuthenticateParams) LogValue() slog.Value { return fieldValue(p.fields()) }

// An SMSAuthenticateResponse is the answer to a successful [SMS.Authenticate]. It
// always has a RequestID, a StatusCode, a MemberID, and a session with both tokens.
// Marshaled to JSON, it includes the tokens.
type SMSAuthenticateResponse struct {
	// RequestID identifies the request to Stytch's support.
	RequestID  string `json:"request_id"`
	StatusCode int    `json:"status_code"`
	// MemberID is the Member's ID, even if the call used an external ID.
	MemberID string `json:"member_id"`
	// SessionToken is valid as long as the session, and SessionJWT for five minutes.
	// Stytch's session endpoints issue new JWTs. Both are secret.
	SessionToken  string        `json:"session_token"`
	SessionJWT    string        `json:"session_jwt"`
	MemberSession MemberSession `json:"member_session"`
	Member        Member        `json:"member"` // after the call
	Organization  Organization  `json:"organization"`
	// MemberDevice is the device of the TelemetryID. It may be nil.
	MemberDevice *MemberDevice `json:"member_device"`
	// RawJSON is the body of the answer, including fields that this struct does not
	// have. It is nil in a response that was unmarshaled from JSON.
	RawJSON json.RawMessage `json:"-"`
}

// String returns the IDs and the status, without personal data.
func (r SMSAuthenticateResponse) String() string {
	return fieldText(responseFields(r.RequestID, r.StatusCode, r.MemberID))
}

// GoString is String for %#v, with the name of the type.
func (r SMSAuthenticateResponse) GoString() string {
	return "stytchb2b.SMSAuthenticateResponse" + r.String()
}

// LogValue is String for package log/slog.
func (r SMSAuthenticateResponse) LogValue() slog.Value {
	return fieldValue(responseFields(r.RequestID, r.StatusCode, r.MemberID))
}
