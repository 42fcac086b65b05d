package stytchb2b

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
)

// Authenticate verifies the code that an SMS has brought, and turns what the
// Member has shown before into a session:
// POST /v1/b2b/otps/sms/authenticate
// (https://stytch.com/docs/api-reference/b2b/api/mfa/otp/authenticate-sms-otp).
//
// It uses up the code, and an intermediate session token with it. So it tries
// again only what certainly did neither: an attempt for which no connection was
// made, and one that was answered with 429. RetryUnknown of a [RetryPolicy] does
// not change that. It asks no [Guard], and returns when the answer is there, at
// the latest when ctx or the Client's timeout ends (see [WithTimeout]).
//
// The error is a [*ParamError], an [*APIError] or a [*TransportError], and the
// response nil with it. A code that is wrong is an *APIError with
// [ErrorTypeOTPCodeNotFound]; one that has expired, with
// [ErrorTypeUnableToAuthOTPCode]. [MaybeUsed] says of each whether the code may
// be used up all the same.
func (s SMS) Authenticate(ctx context.Context, params SMSAuthenticateParams) (*SMSAuthenticateResponse, error) {
	if err := params.check(); err != nil {
		return nil, err
	}
	ctx, cancel, err := s.client.begin(ctx, OpSMSAuthenticate)
	defer cancel()
	if err != nil {
		return nil, err
	}
	resp := &SMSAuthenticateResponse{}
	if resp.body, err = s.client.post(ctx, s.authenticate, smsAuthenticateBody(params), resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// SMSAuthenticateParams are the parameters of [SMS.Authenticate].
//
// Printed, logged or marshaled to JSON, they show the code, the session tokens
// and the values of the custom claims as "[redacted]".
type SMSAuthenticateParams struct {
	// OrganizationID is the Organization's ID, slug or external ID. Required.
	OrganizationID string `json:"organization_id"`

	// MemberID is the Member's ID or external ID. Required.
	MemberID string `json:"member_id"`

	// Code is what the Member has entered. Required. It goes out as it is.
	Code string `json:"code"`

	// IntermediateSessionToken is what a primary authentication gave where MFA is
	// required. Exactly one of it, SessionToken and SessionJWT is required.
	IntermediateSessionToken string `json:"intermediate_session_token,omitempty"`

	// SessionToken is of a session of the Member's, which the code adds a factor to.
	SessionToken string `json:"session_token,omitempty"`

	// SessionJWT is of such a session, too.
	SessionJWT string `json:"session_jwt,omitempty"`

	// SessionDurationMinutes is how long the session lasts from now on, 5 to
	// 527040 minutes (366 days). For zero, a session that begins lasts 60
	// minutes, and one that is there keeps its end
	// (https://stytch.com/docs/multi-tenant-auth/manage-sessions/lifecycle/extend-or-expire-session).
	SessionDurationMinutes int `json:"session_duration_minutes,omitempty"`

	// SessionCustomClaims go into the session and its JWT. They change those that
	// are there: a nil value deletes one, also in an object
	// (https://stytch.com/docs/multi-tenant-auth/manage-sessions/custom-claims).
	// A session begins with claims only where SessionDurationMinutes is given,
	// has room for 4 KB in all, and ignores iss, sub, aud, exp, nbf, iat and jti.
	// Package encoding/json encodes them.
	SessionCustomClaims map[string]any `json:"session_custom_claims,omitempty"`

	// SetMFAEnrollment changes whether the Member needs a second factor from
	// now on, where the Organization leaves it to them.
	SetMFAEnrollment MFAEnrollment `json:"set_mfa_enrollment,omitempty"`

	// SetDefaultMFA makes SMS the Member's default MFA method.
	SetDefaultMFA bool `json:"set_default_mfa,omitempty"`

	// TelemetryID is of a Stytch Device Fingerprinting of the Member's browser,
	// for workspaces that have it.
	TelemetryID string `json:"telemetry_id,omitempty"`
}

// An MFAEnrollment is a change of whether a Member needs a second factor.
type MFAEnrollment string

const (
	MFAEnroll   MFAEnrollment = "enroll"   // the Member needs one
	MFAUnenroll MFAEnrollment = "unenroll" // the Member needs none
)

// smsAuthenticateBody is what goes out: SMSAuthenticateParams without the
// methods that mask.
type smsAuthenticateBody SMSAuthenticateParams

// fields returns the parameters that are strings as they go out.
func (p SMSAuthenticateParams) fields() []field {
	return []field{
		{name: "organization_id", value: p.OrganizationID, required: true},
		{name: "member_id", value: p.MemberID, required: true},
		{name: "code", value: p.Code, required: true},
		{name: "intermediate_session_token", value: p.IntermediateSessionToken, session: true},
		{name: "session_token", value: p.SessionToken, session: true},
		{name: "session_jwt", value: p.SessionJWT, session: true},
		{name: "set_mfa_enrollment", value: string(p.SetMFAEnrollment)},
		{name: "telemetry_id", value: p.TelemetryID},
	}
}

// check returns a *ParamError for the first parameter that Stytch would refuse
// for its form.
func (p SMSAuthenticateParams) check() error {
	sessions, err := checkFields(p.fields())
	if err != nil {
		return err
	}
	if sessions == 0 {
		return &ParamError{"intermediate_session_token", "is required, or one of session_token and session_jwt in its place"}
	}
	if d := p.SessionDurationMinutes; d != 0 && (d < 5 || d > 527040) {
		return &ParamError{"session_duration_minutes", fmt.Sprintf("must be 5 to 527040, not %d", d)}
	}
	switch p.SetMFAEnrollment {
	case "", MFAEnroll, MFAUnenroll:
	default:
		return &ParamError{"set_mfa_enrollment", `must be "enroll" or "unenroll"`}
	}
	if len(p.SessionCustomClaims) == 0 {
		return nil
	}
	if _, err := json.Marshal(p.SessionCustomClaims); err != nil {
		return &ParamError{"session_custom_claims", "must be values that JSON has: no channels, functions, cycles, NaN or infinity"}
	}
	return nil
}

// masked returns the parameters as they may be printed.
func (p SMSAuthenticateParams) masked() smsAuthenticateBody {
	mask(&p.Code, &p.IntermediateSessionToken, &p.SessionToken, &p.SessionJWT)
	p.SessionCustomClaims = maps.Clone(p.SessionCustomClaims)
	for name := range p.SessionCustomClaims {
		p.SessionCustomClaims[name] = redacted
	}
	return smsAuthenticateBody(p)
}

// String returns the parameters, masked.
func (p SMSAuthenticateParams) String() string { return fmt.Sprintf("%+v", p.masked()) }

// GoString returns the parameters, masked, for %#v.
func (p SMSAuthenticateParams) GoString() string {
	return "stytchb2b.SMSAuthenticateParams" + p.String()
}

// LogValue returns the parameters, masked, for package log/slog.
func (p SMSAuthenticateParams) LogValue() slog.Value {
	attrs := fieldAttrs(SMSAuthenticateParams(p.masked()).fields())
	if p.SessionDurationMinutes != 0 {
		attrs = append(attrs, slog.Int("session_duration_minutes", p.SessionDurationMinutes))
	}
	if len(p.SessionCustomClaims) > 0 {
		attrs = append(attrs, slog.Any("session_custom_claims", slices.Sorted(maps.Keys(p.SessionCustomClaims))))
	}
	if p.SetDefaultMFA {
		attrs = append(attrs, slog.Bool("set_default_mfa", true))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON returns the parameters, masked, for logs that are JSON. It is not
// what [SMS.Authenticate] sends.
func (p SMSAuthenticateParams) MarshalJSON() ([]byte, error) { return json.Marshal(p.masked()) }

// An SMSAuthenticateResponse is the answer to a successful [SMS.Authenticate].
//
// Printed with package fmt or logged with log/slog it shows the request ID, the
// status code and the Member's ID only; marshaled to JSON, all but the tokens.
type SMSAuthenticateResponse struct {
	// RequestID names the request in Stytch's logs; its support asks for it.
	RequestID string `json:"request_id"`
	// StatusCode is the HTTP status, as the body repeats it.
	StatusCode int `json:"status_code"`
	// MemberID is the Member's ID, also where the call named an external ID.
	MemberID string `json:"member_id"`
	// SessionToken is the session's secret token, good as long as the session.
	SessionToken string `json:"session_token"`
	// SessionJWT is the session's JSON Web Token. It is good for five minutes;
	// Stytch's other endpoints give new ones.
	SessionJWT string `json:"session_jwt"`
	// MemberSession is the session as it is after the call.
	MemberSession MemberSession `json:"member_session"`
	// Member is the Member as it is after the call.
	Member Member `json:"member"`
	// Organization is the Member's Organization.
	Organization Organization `json:"organization"`

	body []byte
}

// RawJSON returns the whole body of the answer, with the fields that the struct
// does not have, and with the tokens.
func (r *SMSAuthenticateResponse) RawJSON() string { return string(r.body) }

// String names the request, and shows nothing about the person.
func (r SMSAuthenticateResponse) String() string {
	return responseText(r.RequestID, r.StatusCode, r.MemberID)
}

// GoString is String, for %#v.
func (r SMSAuthenticateResponse) GoString() string {
	return "stytchb2b.SMSAuthenticateResponse" + r.String()
}

// LogValue names the request, for package log/slog.
func (r SMSAuthenticateResponse) LogValue() slog.Value {
	return responseValue(r.RequestID, r.StatusCode, r.MemberID)
}

// MarshalJSON returns the fields, the tokens masked, for logs that are JSON.
func (r SMSAuthenticateResponse) MarshalJSON() ([]byte, error) {
	type fields SMSAuthenticateResponse // without this method
	mask(&r.SessionToken, &r.SessionJWT)
	return json.Marshal(fields(r))
}
