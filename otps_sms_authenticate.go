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
// It uses up the code, and an intermediate session token with it. So it retries only
// if it is certain that it did neither (see [RetryPolicy]), even with RetryUnknown.
// It returns no later than the Client's timeout or the end of ctx.
//
// A code has only six digits, so wrong codes have to be bounded for each Member,
// whatever happens in between. Module github.com/eb715825/stytchb2b/guard does so
// over all processes. Without a [Guard], only Stytch's user lock does: by default
// it locks a Member for an hour after ten consecutive failures
// (https://stytch.com/docs/resources/platform/user-locks). Stytch does not say
// whether a correct password resets the count. If it does, an attacker who knows the
// password can guess without end.
//
// The error is a [*ParamError], a [*GuardError], an [*APIError] or a
// [*TransportError], and the response is then nil. [AfterAuthenticate] says what
// follows from it, and [MaybeUsed] whether the code may be used up.
func (s SMS) Authenticate(ctx context.Context, params SMSAuthenticateParams) (*SMSAuthenticateResponse, error) {
	c := &call{client: s.client, op: OpSMSAuthenticate, path: "/v1/b2b/otps/sms/authenticate", fields: params.fields()}
	return do(ctx, c, params, Guard.AllowAuthenticate, &SMSAuthenticateResponse{})
}

// SMSAuthenticateParams are the parameters of [SMS.Authenticate].
//
// Package fmt and log/slog show the code, session tokens and custom claims as
// "[redacted]". Marshaled to JSON, they are what goes out.
type SMSAuthenticateParams struct {
	// OrganizationID is the Organization's ID, slug or external ID. Required.
	OrganizationID string `json:"organization_id"`
	// MemberID is the Member's ID or external ID. Required.
	MemberID string `json:"member_id"`
	// Code is what the Member has entered. Required. It goes out as it is.
	Code string `json:"code"`
	// IntermediateSessionToken is from a primary authentication that requires MFA.
	// SessionToken and SessionJWT stand for a session that the code adds a factor to.
	// Exactly one of the three is required.
	IntermediateSessionToken string `json:"intermediate_session_token,omitempty"`
	SessionToken             string `json:"session_token,omitempty"`
	SessionJWT               string `json:"session_jwt,omitempty"`
	// SessionDurationMinutes is how long the session lasts from now on: 5 to 527040
	// minutes. With 0, a new session lasts 60 minutes, and an existing one keeps its
	// end (https://stytch.com/docs/multi-tenant-auth/manage-sessions/lifecycle/extend-or-expire-session).
	SessionDurationMinutes int `json:"session_duration_minutes,omitempty"`
	// SessionCustomClaims are merged into the claims of the session and its JWT: 4 KB
	// in all. A nil value deletes a claim, in a nested object too. Stytch ignores iss,
	// sub, aud, exp, nbf, iat and jti. A new session takes claims only with a duration
	// (https://stytch.com/docs/multi-tenant-auth/manage-sessions/custom-claims).
	SessionCustomClaims map[string]any `json:"session_custom_claims,omitempty"`
	// SetMFAEnrollment changes whether the Member needs a second factor from now
	// on, if the Organization leaves that to its Members.
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

// String returns the parameters, masked.
func (p SMSAuthenticateParams) String() string { return fieldText(p.fields()) }

// GoString is String for %#v, with the name of the type.
func (p SMSAuthenticateParams) GoString() string {
	return "stytchb2b.SMSAuthenticateParams" + p.String()
}

// LogValue is String for package log/slog.
func (p SMSAuthenticateParams) LogValue() slog.Value { return fieldValue(p.fields()) }

// An SMSAuthenticateResponse is the answer to a successful [SMS.Authenticate].
// Unlike a Send's, it is a success only with a Member's ID, a session and both of
// its tokens. Package fmt and log/slog show the IDs and the status only. Marshaled to
// JSON, it has everything, the tokens included.
type SMSAuthenticateResponse struct {
	// RequestID identifies the request to Stytch's support.
	RequestID  string `json:"request_id"`
	StatusCode int    `json:"status_code"`
	// MemberID is the Member's ID, even if the call named an external ID.
	MemberID string `json:"member_id"`
	// SessionToken is valid as long as the session, and SessionJWT for five minutes:
	// other endpoints of Stytch issue new ones. Both are secret.
	SessionToken  string        `json:"session_token"`
	SessionJWT    string        `json:"session_jwt"`
	MemberSession MemberSession `json:"member_session"`
	Member        Member        `json:"member"` // after the call
	Organization  Organization  `json:"organization"`
	// MemberDevice belongs to the TelemetryID of the parameters. It may be nil.
	MemberDevice *MemberDevice `json:"member_device"`
	// RawJSON is the body of the answer as it came, with the fields that this struct
	// does not have. It is nil in a response that was unmarshaled from JSON.
	RawJSON json.RawMessage `json:"-"`
}

// String returns the IDs, and nothing about the person.
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
