package stytchb2b

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
)

// OTPs holds the calls for one-time passcodes, by the way they are delivered.
type OTPs struct {
	// SMS are the calls for passcodes sent by SMS.
	SMS SMS
}

// SMS makes the calls for passcodes sent by SMS.
type SMS struct {
	client             *Client
	send, authenticate endpoint
}

// Send sends an SMS with a one-time passcode to a Member's phone number:
// POST /v1/b2b/otps/sms/send
// (https://stytch.com/docs/api-reference/b2b/api/mfa/otp/send-sms-otp).
//
// The code lives two minutes, and each new one makes the one before it invalid.
// After a primary login of a Member enrolled in MFA, Stytch has already sent a
// code by itself: Send is for later events, such as "send it again".
//
// One Send puts at most one SMS out: it tries again only what certainly sent
// none (see [RetryPolicy]). It returns when the answer is there, at the latest
// when ctx or the Client's timeout ends (see [WithTimeout]).
//
// The error is a [*ParamError], a [*GuardError], an [*APIError] or a
// [*TransportError], and the response nil with it. [MaybeSent] says of each
// whether an SMS may have gone out all the same.
func (s SMS) Send(ctx context.Context, params SMSSendParams) (*SMSSendResponse, error) {
	if err := params.check(); err != nil {
		return nil, err
	}
	params.Locale = params.Locale.canonical()
	ctx, cancel, err := s.client.begin(ctx, OpSMSSend)
	defer cancel()
	if err != nil {
		return nil, err
	}
	tell, err := s.client.askGuard(ctx, params)
	if err != nil {
		return nil, err
	}
	resp, err := s.post(ctx, params)
	tell(resp, err)
	return resp, err
}

func (s SMS) post(ctx context.Context, params SMSSendParams) (*SMSSendResponse, error) {
	resp := &SMSSendResponse{}
	body, err := s.client.post(ctx, s.send, smsSendBody(params), resp)
	if err != nil {
		return nil, err
	}
	resp.body = body
	return resp, nil
}

// SMSSendParams are the parameters of [SMS.Send].
//
// Printed, logged or marshaled to JSON, they show the session tokens as
// "[redacted]" and of the phone number the last four digits.
type SMSSendParams struct {
	// OrganizationID is the Organization's ID, slug or external ID. Required.
	OrganizationID string `json:"organization_id"`

	// MemberID is the Member's ID or external ID. Required.
	MemberID string `json:"member_id"`

	// MFAPhoneNumber is the number to send to, in E.164 form: "+" and 2 to 15
	// digits, such as "+12025550123". It is not needed for a Member who has a
	// number, and Stytch refuses one that differs from it. It is needed for a
	// Member who has none, and is linked to the Member.
	MFAPhoneNumber string `json:"mfa_phone_number,omitempty"`

	// Locale is the language of the message; English if empty.
	Locale Locale `json:"locale,omitempty"`

	// IntermediateSessionToken is what a primary authentication gave where MFA is
	// required. At most one of it, SessionToken and SessionJWT is given. Where the
	// Member already has an active MFA factor, one whose session holds this factor
	// is needed, so that MFA cannot be bypassed; elsewhere none is.
	IntermediateSessionToken string `json:"intermediate_session_token,omitempty"`

	// SessionToken is of a session of the Member's.
	SessionToken string `json:"session_token,omitempty"`

	// SessionJWT is of such a session, too.
	SessionJWT string `json:"session_jwt,omitempty"`
}

// smsSendBody is what goes out: SMSSendParams without the methods that mask.
type smsSendBody SMSSendParams

// fields returns the parameters as they go out.
func (p SMSSendParams) fields() []field {
	return []field{
		{name: "organization_id", value: p.OrganizationID, required: true},
		{name: "member_id", value: p.MemberID, required: true},
		{name: "mfa_phone_number", value: p.MFAPhoneNumber},
		{name: "locale", value: string(p.Locale)},
		{name: "intermediate_session_token", value: p.IntermediateSessionToken, session: true},
		{name: "session_token", value: p.SessionToken, session: true},
		{name: "session_jwt", value: p.SessionJWT, session: true},
	}
}

// check returns a *ParamError for the first parameter that Stytch would refuse
// for its form.
func (p SMSSendParams) check() error {
	if _, err := checkFields(p.fields()); err != nil {
		return err
	}
	if p.MFAPhoneNumber != "" && !isE164(p.MFAPhoneNumber) {
		return &ParamError{"mfa_phone_number", `must be in E.164 form, "+" and 2 to 15 digits of which the first is not 0, such as "+12025550123"`}
	}
	if p.Locale != "" && !p.Locale.wellFormed() {
		return &ParamError{"locale", `must be a BCP 47 language tag, such as "en" or "pt-br"`}
	}
	return nil
}

// isE164 reports whether s has the form of a number of ITU-T E.164.
func isE164(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 2 && len(digits) <= 15 && digits[0] != '0' &&
		strings.Trim(digits, "0123456789") == ""
}

// masked returns the parameters as they may be printed.
func (p SMSSendParams) masked() smsSendBody {
	mask(&p.IntermediateSessionToken, &p.SessionToken, &p.SessionJWT)
	if p.MFAPhoneNumber != "" {
		p.MFAPhoneNumber = maskPhoneNumber(p.MFAPhoneNumber)
	}
	return smsSendBody(p)
}

// String returns the parameters, masked.
func (p SMSSendParams) String() string { return fmt.Sprintf("%+v", p.masked()) }

// GoString returns the parameters, masked, for %#v.
func (p SMSSendParams) GoString() string { return "stytchb2b.SMSSendParams" + p.String() }

// LogValue returns the parameters, masked, for package log/slog.
func (p SMSSendParams) LogValue() slog.Value {
	return slog.GroupValue(fieldAttrs(SMSSendParams(p.masked()).fields())...)
}

// MarshalJSON returns the parameters, masked, for logs that are JSON. It is not
// what [SMS.Send] sends.
func (p SMSSendParams) MarshalJSON() ([]byte, error) { return json.Marshal(p.masked()) }

// A Locale is the language of a message, as a BCP 47 tag. The type is open: a
// well-formed tag goes out as it is, and Stytch refuses one it has no text for.
// One of the constants, written in another case, goes out as the API spells it.
type Locale string

// The first four are in Stytch's API reference, the others in its Go client
// only. The API spells them so.
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

// canonical returns a known locale as the API spells it, and another one as it is.
func (l Locale) canonical() Locale {
	if l == "" {
		return l
	}
	for _, known := range [...]Locale{
		LocaleEn, LocaleEs, LocaleFr, LocalePtBR, LocaleIt, LocaleDeDE, LocaleZhHans, LocaleCaES,
		LocaleJa, LocaleRu, LocaleNl, LocalePl, LocaleTr, LocaleFa, LocaleVi, LocaleCs,
	} {
		if strings.EqualFold(string(l), string(known)) {
			return known
		}
	}
	return l
}

// wellFormed reports whether the locale has the form of a language tag of BCP
// 47 (RFC 5646, section 2.1), the irregular ones of old left out.
func (l Locale) wellFormed() bool { return languageTag().MatchString(string(l)) }

var languageTag = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:` +
		`(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})` + // language
		`(?:-[a-z]{4})?` + // script
		`(?:-(?:[a-z]{2}|[0-9]{3}))?` + // region
		`(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*` + // variants
		`(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*` + // extensions
		`(?:-x(?:-[a-z0-9]{1,8})+)?` + // private use
		`|x(?:-[a-z0-9]{1,8})+)$`)
})

// An SMSSendResponse is the answer to a successful [SMS.Send].
//
// Printed with package fmt or logged with log/slog it shows the request ID, the
// status code and the Member's ID only: the rest is about a person.
type SMSSendResponse struct {
	// RequestID names the request in Stytch's logs; its support asks for it.
	RequestID string `json:"request_id"`
	// StatusCode is the HTTP status, as the body repeats it.
	StatusCode int `json:"status_code"`
	// MemberID is the Member's ID, also where the call named an external ID.
	MemberID string `json:"member_id"`
	// Member is the Member as it is after the call.
	Member Member `json:"member"`
	// Organization is the Member's Organization.
	Organization Organization `json:"organization"`

	body []byte
}

// RawJSON returns the whole body of the answer, with the fields that the struct
// does not have.
func (r *SMSSendResponse) RawJSON() string { return string(r.body) }

// String names the request, and shows nothing about the person.
func (r SMSSendResponse) String() string { return responseText(r.RequestID, r.StatusCode, r.MemberID) }

// GoString is String, for %#v.
func (r SMSSendResponse) GoString() string { return "stytchb2b.SMSSendResponse" + r.String() }

// LogValue names the request, for package log/slog.
func (r SMSSendResponse) LogValue() slog.Value {
	return responseValue(r.RequestID, r.StatusCode, r.MemberID)
}
