package stytchb2b

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
)

// OTPs holds the calls for one-time passcodes, by delivery method.
type OTPs struct {
	// SMS holds the calls for passcodes sent by SMS.
	SMS SMS
}

// SMS makes the calls for passcodes sent by SMS.
type SMS struct {
	client *Client
}

// Send sends an SMS with a one-time passcode to a Member's phone number
// (POST /v1/b2b/otps/sms/send,
// https://stytch.com/docs/api-reference/b2b/api/mfa/otp/send-sms-otp).
//
// After the primary login of a Member enrolled in MFA, Stytch sends the first code
// automatically: its answer then has mfa_required.secondary_auth_initiated. Use Send to
// send another code, or for a Member who has no phone number yet. A code lives two
// minutes, and a new one invalidates the one before it.
//
// One Send sends at most one SMS: it retries only if certainly none was sent (see
// [RetryPolicy]). It returns when the Client's timeout or ctx ends, if not before. An
// SMS may still go out after that (see [WithTimeout]). A success means that Stytch
// accepted the request, not that the SMS has arrived.
//
// The error is a [*ParamError], a [*GuardError], an [*APIError] or a
// [*TransportError], and the response is then nil. [AfterSend] returns what a login
// does next, and [MaybeSent] whether an SMS may have gone out.
func (s SMS) Send(ctx context.Context, params SMSSendParams) (*SMSSendResponse, error) {
	params.Locale = params.Locale.canonical()
	c := &call{client: s.client, op: OpSMSSend, path: "/v1/b2b/otps/sms/send", fields: params.fields()}
	return do(ctx, c, params, Guard.AllowSend, &SMSSendResponse{})
}

// SMSSendParams are the parameters of [SMS.Send]. Marshaled to JSON, they are the body
// of the request.
type SMSSendParams struct {
	// OrganizationID is the Organization's ID, slug or external ID. Required.
	OrganizationID string `json:"organization_id"`
	// MemberID is the Member's ID or external ID. Required.
	MemberID string `json:"member_id"`
	// MFAPhoneNumber is the number to send to, in E.164 form: "+" and 2 to 15
	// digits, such as "+12025550123". It is required for a Member who has no number:
	// Stytch then links it to the Member. Leave it empty for a Member who has one:
	// Stytch refuses a different number.
	MFAPhoneNumber string `json:"mfa_phone_number,omitempty"`
	// Locale is the language of the message; English if empty.
	Locale Locale `json:"locale,omitempty"`
	// IntermediateSessionToken is from a primary authentication that requires MFA. Set
	// at most one of IntermediateSessionToken, SessionToken and SessionJWT. If the
	// Member already has an active MFA factor, Stytch requires a session with that
	// factor, so that MFA cannot be bypassed.
	IntermediateSessionToken string `json:"intermediate_session_token,omitempty"`
	SessionToken             string `json:"session_token,omitempty"`
	SessionJWT               string `json:"session_jwt,omitempty"`
}

func (p SMSSendParams) fields() []field {
	return []field{
		{name: "organization_id", value: p.OrganizationID, required: true},
		{name: "member_id", value: p.MemberID, required: true},
		{name: "mfa_phone_number", value: p.MFAPhoneNumber, kind: number},
		{name: "locale", value: string(p.Locale), kind: language},
		{name: "intermediate_session_token", value: p.IntermediateSessionToken, kind: session},
		{name: "session_token", value: p.SessionToken, kind: session},
		{name: "session_jwt", value: p.SessionJWT, kind: session},
	}
}

// String returns the parameters, without session tokens and with the last four digits
// of the phone number.
func (p SMSSendParams) String() string { return fieldText(p.fields()) }

// GoString is String for %#v, with the name of the type.
func (p SMSSendParams) GoString() string { return "stytchb2b.SMSSendParams" + p.String() }

// LogValue is String for package log/slog.
func (p SMSSendParams) LogValue() slog.Value { return fieldValue(p.fields()) }

// A Locale is the language of a message, as a BCP 47 tag. Stytch refuses a language
// that it has no text for (assumed). A tag that differs from a constant only in case
// is sent as the constant.
type Locale string

// These are the locales of Stytch's Go, Java and .NET clients. Its reference has the
// first four.
const (
	LocaleEn     Locale = "en"      // English, the default
	LocaleEs     Locale = "es"      // Spanish
	LocaleFr     Locale = "fr"      // French
	LocalePtBR   Locale = "pt-br"   // Brazilian Portuguese
	LocaleIt     Locale = "it"      // Italian
	LocaleDeDE   Locale = "de-DE"   // German
	LocaleZhHans Locale = "zh-Hans" // Chinese in simplified characters
	LocaleCaES   Locale = "ca-ES"   // Catalan
	LocaleJa     Locale = "ja"      // Japanese
	LocaleRu     Locale = "ru"      // Russian
	LocaleNl     Locale = "nl"      // Dutch
	LocalePl     Locale = "pl"      // Polish
	LocaleTr     Locale = "tr"      // Turkish
	LocaleFa     Locale = "fa"      // Persian
	LocaleVi     Locale = "vi"      // Vietnamese
	LocaleCs     Locale = "cs"      // Czech
)

var knownLocales = [...]Locale{
	LocaleEn, LocaleEs, LocaleFr, LocalePtBR, LocaleIt, LocaleDeDE, LocaleZhHans, LocaleCaES,
	LocaleJa, LocaleRu, LocaleNl, LocalePl, LocaleTr, LocaleFa, LocaleVi, LocaleCs,
}

// Locales returns the locales that have a constant.
func Locales() []Locale { return slices.Clone(knownLocales[:]) }

// canonical returns a known locale as the API spells it, and any other unchanged.
func (l Locale) canonical() Locale {
	if i := slices.IndexFunc(knownLocales[:], func(known Locale) bool {
		return strings.EqualFold(string(l), string(known))
	}); i >= 0 {
		return knownLocales[i]
	}
	return l
}

// An SMSSendResponse is the answer to a successful [SMS.Send]. It always has a
// RequestID and a StatusCode. The other fields may be zero, because Stytch also
// documents answers without them.
type SMSSendResponse struct {
	// RequestID identifies the request to Stytch's support.
	RequestID  string `json:"request_id"`
	StatusCode int    `json:"status_code"`
	// MemberID is the Member's ID, even if the call used an external ID.
	MemberID     string       `json:"member_id"`
	Member       Member       `json:"member"` // after the call
	Organization Organization `json:"organization"`
	// RawJSON is the body of the answer, including fields that this struct does not
	// have. It is nil in a response that was unmarshaled from JSON.
	RawJSON json.RawMessage `json:"-"`
}

// String returns the IDs and the status, without personal data.
func (r SMSSendResponse) String() string {
	return fieldText(responseFields(r.RequestID, r.StatusCode, r.MemberID))
}

// GoString is String for %#v, with the name of the type.
func (r SMSSendResponse) GoString() string { return "stytchb2b.SMSSendResponse" + r.String() }

// LogValue is String for package log/slog.
func (r SMSSendResponse) LogValue() slog.Value {
	return fieldValue(responseFields(r.RequestID, r.StatusCode, r.MemberID))
}
