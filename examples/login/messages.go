package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

// A notice is what to tell a Member, and what follows for their login.
type notice struct {
	Text string
	Good bool // not about a failure

	Wait        time.Duration // until asking for another code makes sense
	CodeOut     bool          // the Member may well have a code, or get one
	NeedsNumber bool          // the Member has to enter a phone number
	HasNumber   bool          // the Member has one already
	WrongCode   bool          // what they have entered is not the code
	Restart     bool          // the Member has to sign in again
}

// sendFailure says what a Member can do after a Send that failed.
func sendFailure(err error) notice {
	errorType, retryAfter := inspect(err) // of an APIError or a GuardError
	switch {
	case stytchb2b.MaybeSent(err):
		return notice{
			Text:    "Your code may be on its way. If it does not come in a minute, ask again.",
			CodeOut: true,
			Wait:    max(time.Minute, retryAfter),
		}
	case retryAfter > 0:
		return notice{
			Text:    askAgainIn(retryAfter),
			CodeOut: errors.Is(err, guard.ErrCooldown), // the one before
			Wait:    retryAfter,
		}
	case errorType == stytchb2b.ErrorTypeMissingSMSParameter:
		return notice{Text: "You have no phone number yet. Enter one to get codes.", NeedsNumber: true}
	case errorType == stytchb2b.ErrorTypeDuplicateMemberPhoneNumberForMember:
		return notice{Text: "You have another phone number already. Ask for a code to that one.", HasNumber: true}
	case isExpired(errorType):
		return notice{Text: "Your sign-in has expired. Please sign in again.", Restart: true}
	case numberProblem(err) != "":
		return notice{Text: numberProblem(err)}
	}
	return notice{Text: "We could not send the code. Please try again."}
}

func askAgainIn(wait time.Duration) string {
	return "Please wait " + inWords(wait) + " before you ask for another code."
}

// numberProblem says what is wrong with the phone number, if that is why a Send
// failed.
func numberProblem(err error) string {
	errorType, _ := inspect(err)
	switch {
	case errorType == stytchb2b.ErrorTypeInvalidPhoneNumberCountryCode, errors.Is(err, guard.ErrCountry):
		return "We cannot send codes to phone numbers of that country."
	case errorType == stytchb2b.ErrorTypeInvalidPhoneNumber, errors.Is(err, guard.ErrNumber), isParam(err, "mfa_phone_number"):
		return "We cannot send codes to that number. Enter a mobile number with its country code, such as +1 202 555 0123."
	case errorType == stytchb2b.ErrorTypeUnsubscribedPhoneNumber:
		return "That phone has blocked our messages. Text START to our number, then ask again."
	case errorType == stytchb2b.ErrorTypeDuplicateMemberPhoneNumber:
		return "Somebody else uses that phone number. Enter your own."
	}
	return ""
}

// authenticateFailure says what a Member can do after an Authenticate that failed.
func authenticateFailure(err error) notice {
	errorType, retryAfter := inspect(err)
	switch {
	case stytchb2b.MaybeUsed(err):
		return notice{Text: "We lost track of your code while we checked it. Please sign in again.", Restart: true}
	case retryAfter > 0:
		return notice{Text: "Please wait " + inWords(retryAfter) + " before you enter the code again."}
	case errorType == stytchb2b.ErrorTypeOTPCodeNotFound, errorType == stytchb2b.ErrorTypeInvalidCode:
		return notice{Text: "That is not the code. Enter the one of the newest message.", WrongCode: true}
	case errorType == stytchb2b.ErrorTypeUnableToAuthOTPCode:
		return notice{Text: "That code has expired. Ask for a new one."}
	case isParam(err, "code"):
		return notice{Text: "Enter the six digits of the code."}
	case isExpired(errorType):
		return notice{Text: "Your sign-in has expired. Please sign in again.", Restart: true}
	}
	return notice{Text: "We could not check the code. Please enter it again."}
}

// inspect returns what Stytch or the guard says of an error; the zero values
// where they say nothing.
func inspect(err error) (errorType stytchb2b.ErrorType, retryAfter time.Duration) {
	if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
		return e.ErrorType, e.RetryAfter
	}
	if e := (*stytchb2b.GuardError)(nil); errors.As(err, &e) {
		return "", e.RetryAfter
	}
	return "", 0
}

// isParam reports whether err is about the parameter.
func isParam(err error, field string) bool {
	var e *stytchb2b.ParamError
	return errors.As(err, &e) && e.Field == field
}

// isExpired reports whether Stytch does not know, or know any more, who asks.
func isExpired(t stytchb2b.ErrorType) bool {
	switch t {
	case stytchb2b.ErrorTypeIntermediateSessionNotFound, stytchb2b.ErrorTypeSessionNotFound,
		stytchb2b.ErrorTypeSessionAuthorizationError, stytchb2b.ErrorTypeMemberNotFound, stytchb2b.ErrorTypeOrganizationNotFound:
		return true
	}
	return false
}

// seconds rounds up; what is over is 0.
func seconds(d time.Duration) int { return int(math.Ceil(max(0, d).Seconds())) }

// inWords is a time to wait, as people say it.
func inWords(d time.Duration) string {
	n, unit := seconds(d), "second"
	if n > 90 {
		n, unit = (n+59)/60, "minute"
	}
	if n > 90 && unit == "minute" {
		n, unit = (n+59)/60, "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprint(n, " ", unit)
}

// e164 drops what people write between the digits of a phone number.
func e164(number string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -().\u00a0", r) {
			return -1
		}
		return r
	}, number)
}

// digits drops what people write between the digits of a code.
func digits(code string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, code)
}
