package stytchb2b

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// redacted replaces a secret.
const redacted = "[redacted]"

// maskPhoneNumber keeps the last four digits of a phone number.
func maskPhoneNumber(number string) string {
	if !isE164(number) || len(number) < len("+1234567") {
		return "***"
	}
	return "***" + number[len(number)-4:]
}

// secrets are the values in a request that must be masked in every text.
type secrets []string

// idOrNumber matches the UUID at the end of a Stytch ID, and what may be a phone
// number.
var idOrNumber = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\+?[0-9]{7,}`)

// mask removes secrets and full phone numbers from a text. If part of a secret
// remains, because it was cut off, say, mask removes the entire text.
func (s secrets) mask(text string) string {
	for _, secret := range s {
		if len(secret) >= 4 { // A shorter one may occur in unrelated words.
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	text = idOrNumber.ReplaceAllStringFunc(text, func(match string) string {
		if strings.Contains(match, "-") {
			return match // An ID.
		}
		return "***" + match[len(match)-4:]
	})
	if s.partly(text) {
		return redacted
	}
	return text
}

// partly reports whether a text contains eight consecutive characters of a secret,
// ignoring case.
func (s secrets) partly(text string) bool {
	const n = 8
	text = strings.ToLower(text)
	parts := map[string]bool{}
	for i := range max(0, len(text)-n+1) {
		parts[text[i:i+n]] = true
	}
	for _, secret := range s {
		secret = strings.ToLower(secret)
		for i := range max(0, len(secret)-n+1) {
			if parts[secret[i:i+n]] {
				return true
			}
		}
	}
	return false
}

// maskError returns err if neither its text nor that of an error it wraps needs
// masking. Otherwise it returns an error with the masked text: [errors.Is] and
// [errors.As] still find what err wraps, and [errors.Unwrap] does not.
func (s secrets) maskError(err error) error {
	if err == nil || !s.shownBy(err) {
		return err
	}
	return &maskedError{s.mask(err.Error()), err}
}

// shownBy reports whether any text in the tree of err needs masking.
func (s secrets) shownBy(err error) bool {
	if text := err.Error(); s.mask(text) != text {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return e.Unwrap() != nil && s.shownBy(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, child := range e.Unwrap() {
			if child != nil && s.shownBy(child) {
				return true
			}
		}
	}
	return false
}

type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string        { return e.text }
func (e *maskedError) GoString() string     { return fmt.Sprintf("%q", e.text) }
func (e *maskedError) Is(target error) bool { return errors.Is(e.err, target) }
func (e *maskedError) As(target any) bool   { return errors.As(e.err, target) }

// oneLine makes a text printable: one line of at most 512 bytes.
func oneLine(s string) string {
	const maxText = 512
	s = strings.ToValidUTF8(s[:min(len(s), maxText)], "")
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
