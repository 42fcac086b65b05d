package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// enterNumber sends a code to the number that a Member without one has entered.
// Stytch links the number to the Member.
func (a *app) enterNumber(ctx context.Context, r *http.Request, l *login) (notice, error) {
	typed := r.PostForm.Get("mfa_phone_number")
	if strings.TrimSpace(typed) == "" {
		return notice{Text: "Enter your mobile phone number.", Field: true}, nil
	}
	number, ok := e164(typed)
	if !ok {
		return notice{Text: badNumber, Field: true, Typed: typed}, nil
	}
	l.Number = number
	n, err := a.sendCode(ctx, r, l)
	if l.NeedsNumber {
		l.Number, n.Typed = "", typed
	}
	return n, err
}

// e164 reads a phone number as people write it: with or without its country code,
// with a prefix for calls abroad, or as a link.
func e164(typed string) (string, bool) {
	text := strings.TrimSpace(asciiDigits(typed))
	if rest, ok := strings.CutPrefix(text, "00"); ok { // Parse knows that of the country.
		text = "+" + rest
	}
	number, err := phonenumbers.Parse(text, countries[0])
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}
