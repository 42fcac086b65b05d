package stytchb2b

import (
	"log/slog"
	"unicode/utf8"
)

// A field is a parameter of a call that is a string, by its name on the wire.
type field struct {
	name, value string
	required    bool
	session     bool // one of those that name a session: at most one is given
}

// checkFields returns a *ParamError for the first field that no call takes, and
// how many name a session.
func checkFields(fields []field) (sessions int, err error) {
	for _, f := range fields {
		switch {
		case f.required && f.value == "":
			return 0, &ParamError{f.name, "is required"}
		case !utf8.ValidString(f.value):
			return 0, &ParamError{f.name, "must be valid UTF-8"}
		case f.session && f.value != "":
			if sessions++; sessions > 1 {
				return 0, &ParamError{f.name, "must be empty beside another of intermediate_session_token, session_token and session_jwt"}
			}
		}
	}
	return sessions, nil
}

// fieldAttrs returns the fields that are not empty, for a log.
func fieldAttrs(fields []field) []slog.Attr {
	var attrs []slog.Attr
	for _, f := range fields {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.name, f.value))
		}
	}
	return attrs
}
