package main

import (
	"errors"
	"slices"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

const badNumber = "We cannot send codes to that number. Enter a mobile number such as (202) 555-0123."

var (
	codeSent     = notice{Text: "We have sent you a code.", Kind: good}
	expired      = notice{Text: "Your sign-in has expired. Please sign in again."}
	noCookie     = notice{Text: "Your sign-in has expired, or your browser does not accept our cookies. Please sign in again."}
	locked       = notice{Text: "Your account is locked after too many failed attempts. Please try again later."}
	tooManyWrong = notice{Text: "Too many incorrect codes. Request a new one."}
)

func waitForCode(until time.Time) notice {
	return notice{Text: "Please wait %s before you request another code.", Until: until}
}

// sendFailure says what a Member can do after a Send that failed, and notes what
// follows.
func sendFailure(err error, l *login, m *member) notice {
	t, retryAfter := errorType(err), min(stytchb2b.RetryAfter(err), maxWait)
	param := (*stytchb2b.ParamError)(nil)
	ofNumber := func(text string) notice { return notice{Text: text, Field: l.NeedsNumber} }
	switch {
	case stytchb2b.MaybeSent(err):
		l.Sent, l.NeedsNumber = true, false
		m.wait(time.Now().Add(max(time.Minute, retryAfter)))
		return notice{Text: "Your code may be on its way. If it does not arrive within a minute, request another one.", Kind: maybe}
	case t == stytchb2b.ErrorTypeUserLockLimitReached:
		return locked
	case retryAfter > 0:
		until, isCooldown := time.Now().Add(retryAfter), errors.Is(err, guard.ErrCooldown)
		if isCooldown || t != "" && !l.NeedsNumber { // Other waits can end early, or are for a number to be corrected.
			m.wait(until)
		}
		l.Sent = l.Sent || isCooldown // the SMS before
		return waitForCode(until)
	case t == stytchb2b.ErrorTypeMissingSMSParameter:
		l.NeedsNumber = true // The page asks for it.
		return notice{}
	case t == stytchb2b.ErrorTypeDuplicateMemberPhoneNumberForMember:
		l.NeedsNumber, l.Number = false, ""
		return notice{Text: "You already have another phone number. Request a code to that one."}
	case isExpired(t):
		*l = login{}
		return expired
	case t == stytchb2b.ErrorTypeInvalidPhoneNumberCountryCode, errors.Is(err, guard.ErrCountry):
		return ofNumber("We cannot send codes to phone numbers in that country.")
	case t == stytchb2b.ErrorTypeInvalidPhoneNumber, errors.Is(err, guard.ErrNumber),
		errors.As(err, &param) && param.Field == "mfa_phone_number":
		return ofNumber(badNumber)
	case t == stytchb2b.ErrorTypeUnsubscribedPhoneNumber:
		return ofNumber("That phone has blocked our messages. Reply START to our last message, then request another code.")
	case t == stytchb2b.ErrorTypeDuplicateMemberPhoneNumber:
		return ofNumber("Someone else uses that phone number. Enter your own.")
	}
	return notice{Text: "We could not send the code. Please try again."}
}

// authenticateFailure says what a Member can do after an Authenticate that failed,
// and notes what follows. Only a wrong code counts as one.
func authenticateFailure(err error, l *login, m *member) notice {
	t, wait := errorType(err), min(stytchb2b.RetryAfter(err), maxWait)
	switch {
	case stytchb2b.MaybeUsed(err):
		*l = login{}
		return notice{Text: "We lost track of your code while checking it. Please sign in again."}
	case t == stytchb2b.ErrorTypeUserLockLimitReached:
		return locked
	case wait > 0:
		return notice{Text: "Please wait %s before you enter the code again.", Until: time.Now().Add(wait)}
	case t == stytchb2b.ErrorTypeOTPCodeNotFound:
		m.WrongCodes++
		if m.isOutOfTries() {
			return tooManyWrong
		}
		return notice{Text: "That code is incorrect. Enter the code from the newest message.", Field: true}
	case t == stytchb2b.ErrorTypeUnableToAuthOTPCode:
		return notice{Text: "That code has expired or was already used. Request a new one.", Field: true}
	case isExpired(t):
		*l = login{}
		return expired
	}
	return notice{Text: "We could not check the code. Please enter it again."}
}

// isExpired reports whether Stytch does not know who asks, or not any more.
func isExpired(t stytchb2b.ErrorType) bool {
	return slices.Contains([]stytchb2b.ErrorType{
		stytchb2b.ErrorTypeIntermediateSessionNotFound, stytchb2b.ErrorTypeSessionNotFound, stytchb2b.ErrorTypeSessionAuthorizationError,
		stytchb2b.ErrorTypeMemberNotFound, stytchb2b.ErrorTypeOrganizationNotFound,
	}, t)
}

// errorType returns Stytch's name for an error; "" if it did not come from there.
func errorType(err error) stytchb2b.ErrorType {
	if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
		return e.ErrorType
	}
	return ""
}
