package stytchb2b

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

// redacted stands in the place of a secret or a token.
const redacted = "[redacted]"

// maskPhoneNumber leaves of a phone number its last four digits.
func maskPhoneNumber(number string) string {
	if !isE164(number) || len(number) < len("+1234567") {
		return "***"
	}
	return "***" + number[len(number)-4:]
}

// maskSecret replaces secret in s. One shorter than a passcode is no secret, and
// would tear unrelated text apart.
func maskSecret(s, secret string) string {
	if len(secret) < 6 {
		return s
	}
	return strings.ReplaceAll(s, secret, redacted)
}

// mask hides the values that there are.
func mask(secrets ...*string) {
	for _, secret := range secrets {
		if *secret != "" {
			*secret = redacted
		}
	}
}

// responseText is what a response shows of itself when it is printed.
func responseText(requestID string, statusCode int, memberID string) string {
	return fmt.Sprintf("{RequestID:%s StatusCode:%d MemberID:%s}", requestID, statusCode, memberID)
}

// responseValue is what a response shows of itself in a log.
func responseValue(requestID string, statusCode int, memberID string) slog.Value {
	return slog.GroupValue(
		slog.String("request_id", requestID),
		slog.Int("status_code", statusCode),
		slog.String("member_id", memberID),
	)
}

// A redactor masks in texts from outside what a request carried and must never
// be printed: a proxy's error page may well echo the request.
type redactor struct {
	client *Client

	MFAPhoneNumber           string `json:"mfa_phone_number"`
	Code                     string `json:"code"`
	IntermediateSessionToken string `json:"intermediate_session_token"`
	SessionToken             string `json:"session_token"`
	SessionJWT               string `json:"session_jwt"`
}

// newRedactor reads from a request's body what it has to mask.
func newRedactor(c *Client, requestBody []byte) *redactor {
	r := &redactor{client: c}
	_ = json.Unmarshal(requestBody, r) // The library wrote it.
	return r
}

func (r *redactor) text(s string) string {
	s = r.client.maskCredentials(s)
	s = maskSecret(s, r.IntermediateSessionToken)
	s = maskSecret(s, r.SessionToken)
	s = maskSecret(s, r.SessionJWT)
	s = maskSecret(s, r.Code)
	// Without the plus sign, which may stand there in another encoding.
	if digits := strings.TrimPrefix(r.MFAPhoneNumber, "+"); len(digits) >= 7 {
		s = strings.ReplaceAll(s, digits, maskPhoneNumber(r.MFAPhoneNumber))
	}
	return s
}

// error returns err, or where its text needs masking, an error that has the
// masked text and wraps err.
func (r *redactor) error(err error) error {
	text := err.Error()
	if masked := r.text(text); masked != text {
		return &redactedError{masked, err}
	}
	return err
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// maxErrorText is how much of a text from outside an error shows, in bytes.
const maxErrorText = 512

// oneLine makes a text from outside fit for one line of an error or a log.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxErrorText)], "")
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
