package main

import (
	"cmp"
	"errors"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

const (
	badNumber  = "We cannot send codes to that number. Enter a mobile number such as (202) 555-0123."
	badCountry = "We cannot send codes to phone numbers in that country."
)

var (
	codeSent = notice{Text: "We have sent you a code.", Kind: good}
	expired  = notice{Text: "Your sign-in has expired. Please sign in again."}
	noCookie = notice{Text: "Your sign-in has expired, or your browser does not accept our cookies. Please sign in again."}
)

// notices tell a Member what to do after a failed call.
var notices = map[stytchb2b.Next]notice{
	stytchb2b.NextCheckPhone:  {Text: "Your code may be on its way. If it does not arrive within a minute, request another one.", Kind: maybe},
	stytchb2b.NextWait:        {Text: "Please wait %s before you try again."},
	stytchb2b.NextEnterNumber: {Text: badNumber},
	stytchb2b.NextEnterCode:   {Text: "That code is incorrect. Enter the code from the newest message.", Field: true},
	stytchb2b.NextRequestCode: {Text: "That code has expired or was already used. Request a new one.", Field: true},
	stytchb2b.NextSignIn:      expired,
	stytchb2b.NextLocked:      {Text: "Your account is locked after too many failed attempts. Please try again later."},
	stytchb2b.NextFail:        {Text: "Something went wrong on our side. Please try again later."},
}

// numberTexts say why a number was refused.
var numberTexts = map[stytchb2b.ErrorType]string{
	stytchb2b.ErrorTypeInvalidPhoneNumberCountryCode:       badCountry,
	stytchb2b.ErrorTypeUnsubscribedPhoneNumber:             "That phone has blocked our messages. Reply START to our last message, then request another code.",
	stytchb2b.ErrorTypeDuplicateMemberPhoneNumber:          "Someone else uses that phone number. Enter your own.",
	stytchb2b.ErrorTypeDuplicateMemberPhoneNumberForMember: "You already have another phone number. Request a code to that one.",
}

// afterFailure returns the notice after a failed call.
func afterFailure(next stytchb2b.Next, err error) notice {
	n := notices[next]
	switch {
	case next == stytchb2b.NextWait:
		n.Until = time.Now().Add(cmp.Or(stytchb2b.RetryAfter(err), time.Minute))
	case next == stytchb2b.NextEnterNumber && errors.Is(err, guard.ErrCountry):
		n.Text = badCountry
	case next == stytchb2b.NextEnterNumber:
		n.Text = cmp.Or(numberTexts[errorType(err)], n.Text)
	case next == stytchb2b.NextSignIn && stytchb2b.MaybeUsed(err):
		n.Text = "We lost track of your code while checking it. Please sign in again."
	}
	return n
}

// sendFailed changes the login after a failed Send, and returns the notice.
func (a *app) sendFailed(err error, l *login) notice {
	next := stytchb2b.AfterSend(err)
	n := afterFailure(next, err)
	switch next {
	case stytchb2b.NextCheckPhone:
		l.sent(a.cooldown, max(time.Minute, stytchb2b.RetryAfter(err)))
	case stytchb2b.NextWait:
		l.NextCode = n.Until
	case stytchb2b.NextEnterNumber:
		t := errorType(err)
		l.Entered = l.Entered && t != stytchb2b.ErrorTypeDuplicateMemberPhoneNumberForMember
		n.Field = l.Entered
		if t == stytchb2b.ErrorTypeMissingSMSParameter || t == stytchb2b.ErrorTypeMemberPhoneNumberNotFound {
			l.MFAPhoneNumber, l.SMS, n = "", 0, notice{} // The page asks for it.
		}
	case stytchb2b.NextSignIn:
		*l = login{}
	}
	return n
}

// errorType returns Stytch's name for an error; "" if it is not from Stytch.
func errorType(err error) stytchb2b.ErrorType {
	if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
		return e.ErrorType
	}
	return ""
}
