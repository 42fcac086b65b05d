package stytchb2b

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// A field is a parameter of a call, or a field of a printed object, with its name in
// the API. Checks, printing, logging and masking all follow its kind.
type field struct {
	name, value string
	kind        kind
	required    bool
}

// A kind is how a field is handled.
type kind uint8

const (
	plain    kind = iota
	language      // a language tag
	number        // a phone number: only its last four digits are printed
	secret        // never printed
	session       // a secret that names a session: at most one may be set
)

// checkFields returns a *ParamError for the first invalid field.
func checkFields(fields []field) error {
	hasSession := false
	for _, f := range fields {
		switch {
		case f.required && f.value == "" && f.kind == session:
			return &ParamError{f.name, "is required, unless session_token or session_jwt is given"}
		case f.required && f.value == "":
			return &ParamError{f.name, "is required"}
		case !utf8.ValidString(f.value):
			return &ParamError{f.name, "must be valid UTF-8"}
		case f.kind == number && f.value != "" && !isE164(f.value):
			return &ParamError{f.name, `must be in E.164 form, "+" and 2 to 15 digits that do not start with 0, such as "+12025550123"`}
		case f.kind == language && f.value != "" && !isLanguageTag(f.value):
			return &ParamError{f.name, `must be a BCP 47 language tag, such as "en" or "pt-br"`}
		case f.kind == session && f.value != "" && hasSession:
			return &ParamError{f.name, "must be empty if another of intermediate_session_token, session_token and session_jwt is given"}
		}
		hasSession = hasSession || f.kind == session && f.value != ""
	}
	return nil
}

// isE164 reports whether s has the form of an ITU-T E.164 phone number.
func isE164(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 2 && len(digits) <= 15 && digits[0] != '0' &&
		strings.Trim(digits, "0123456789") == ""
}

// isLanguageTag reports whether s consists of BCP 47 subtags: 1 to 8 letters or
// digits each (RFC 5646, section 2.1).
func isLanguageTag(s string) bool {
	for subtag := range strings.SplitSeq(strings.ToLower(s), "-") {
		if subtag == "" || len(subtag) > 8 || strings.Trim(subtag, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

// secretValues returns the values that must be masked in every text.
func secretValues(fields []field) secrets {
	var values secrets
	for _, f := range fields {
		if f.kind >= number && f.value != "" {
			values = append(values, strings.TrimPrefix(f.value, "+"))
		}
	}
	return values
}

// printed returns the value, masked for printing.
func (f field) printed() string {
	switch f.kind {
	case number:
		return maskPhoneNumber(f.value)
	case secret, session:
		return redacted
	}
	return oneLine(f.value)
}

// fieldText formats the non-empty fields.
func fieldText(fields []field) string {
	var texts []string
	for _, f := range fields {
		if f.value != "" {
			texts = append(texts, f.name+":"+f.printed())
		}
	}
	return "{" + strings.Join(texts, " ") + "}"
}

// fieldValue returns the non-empty fields for a log.
func fieldValue(fields []field) slog.Value {
	var attrs []slog.Attr
	for _, f := range fields {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.name, f.printed()))
		}
	}
	return slog.GroupValue(attrs...)
}

// responseFields returns what is printed of a response: the rest is personal data.
func responseFields(requestID string, statusCode int, memberID string) []field {
	return []field{
		{name: "request_id", value: requestID},
		{name: "status_code", value: fmt.Sprint(statusCode)},
		{name: "member_id", value: memberID},
	}
}
