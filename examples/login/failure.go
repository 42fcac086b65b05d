package main

import (
	"errors"
	"time"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

const badNumber = "We cannot send codes to that number. Enter a mobile number such as (202) 555-0123."

var (
	codeSent     = notice{Text: "We have sent you a code.", Kind: good}
	expired      = notice{Text: "Your sign-in has expired. Please sign in again.", For: stepSignIn}
	locked       = notice{Text: "Your account is locked after too many failed attempts. Please try again later."}
	tooManyWrong = notice{Text: "Too many incorrect codes. Request a new one."}
)

// maxWait is the longest time that a Member is told to wait.
const maxWait = 24 * time.Hour

func waitForCode(until time.Time) notice {
	return notice{Text: "Please wait %s before you request another code.", Until: until}
}

// sendFailure says what a Member can do after a Send that failed, and notes what
// follows.
func sendFailure(err error, l *login, m *member) notice {
	retryAfter := min(stytchb2b.RetryAfter(err), maxWait)
	if stytchb2b.MaybeSent(err) {
		l.Sent, l.NeedsNumber = true, false
		m.wait(time.Now().Add(max(time.Minute, retryAfter)))
		return notice{Text: "Your code may be on its way. If it does not come in a minute, request another one.", Kind: maybe}
	}
	if errorType(err) == stytchb2b.ErrorTypeUserLockLimitReached {
		return locked
	}
	if retryAfter > 0 {
		l.Sent = l.Sent || errors.Is(err, guard.ErrCooldown) // the one before
		until := time.Now().Add(retryAfter)
		// Other waits are for a number that the Member may correct, or end early.
		if errors.Is(err, guard.ErrCooldown) || errorType(err) != "" && !l.NeedsNumber {
			m.wait(until)
		}
		return waitForCode(until)
	}
	switch errorType(err) {
	case stytchb2b.ErrorTypeMissingSMSParameter:
		l.NeedsNumber = true
		return notice{} // The page asks for one.
	case stytchb2b.ErrorTypeDuplicateMemberPhoneNumberForMember:
		l.NeedsNumber, l.Number = false, ""
		return notice{Text: "You already have another phone number. Request a code to that one."}
	}
	if isExpired(err) {
		*l = login{}
		return expired
	}
	if text := numberProblem(err); text != "" {
		return notice{Text: text, Field: l.NeedsNumber}
	}
	return notice{Text: "We could not send the code. Please try again."}
}

// numberProblem says what is wrong with the phone number; "" if it is not why a
// Send failed.
func numberProblem(err error) string {
	var param *stytchb2b.ParamError
	switch t := errorType(err); {
	case t == stytchb2b.ErrorTypeInvalidPhoneNumberCountryCode, errors.Is(err, guard.ErrCountry):
		return "We cannot send codes to phone numbers in that country."
	case t == stytchb2b.ErrorTypeInvalidPhoneNumber, errors.Is(err, guard.ErrNumber),
		errors.As(err, &param) && param.Field == "mfa_phone_number":
		return badNumber
	case t == stytchb2b.ErrorTypeUnsubscribedPhoneNumber:
		return "That phone has blocked our messages. Text START to our number, then request another code."
	case t == stytchb2b.ErrorTypeDuplicateMemberPhoneNumber:
		return "Someone else uses that phone number. Enter your own."
	}
	return ""
}

// authenticateFailure says what a Member can do after an Authenticate that failed,
// and notes what follows. Only a wrong code counts as one.
func authenticateFailure(err error, l *login, m *member) notice {
	if stytchb2b.MaybeUsed(err) {
		*l = login{}
		return notice{Text: "We lost track of your code while checking it. Please sign in again."}
	}
	if errorType(err) == stytchb2b.ErrorTypeUserLockLimitReached {
		return locked
	}
	if wait := min(stytchb2b.RetryAfter(err), maxWait); wait > 0 {
		return notice{Text: "Please wait %s before you enter the code again.", Until: time.Now().Add(wait)}
	}
	switch errorType(err) {
	case stytchb2b.ErrorTypeOTPCodeNotFound:
		m.WrongCodes++
		if m.isOutOfTries() {
			return tooManyWrong
		}
		return notice{Text: "That code is incorrect. Enter the code from the newest message.", Field: true}
	case stytchb2b.ErrorTypeUnableToAuthOTPCode:
		return notice{Text: "That code has expired or was already used. Request a new one.", Field: true}
	}
	if isExpired(err) {
		*l = login{}
		return expired
	}
	return notice{Text: "We could not check the code. Please enter it again."}
}

// isExpired reports whether Stytch does not know who asks, or not any more.
func isExpired(err error) bool {
	switch errorType(err) {
	case stytchb2b.ErrorTypeIntermediateSessionNotFound, stytchb2b.ErrorTypeSessionNotFound,
		stytchb2b.ErrorTypeSessionAuthorizationError, stytchb2b.ErrorTypeMemberNotFound, stytchb2b.ErrorTypeOrganizationNotFound:
		return true
	}
	return false
}

// errorType returns Stytch's name for an error; "" if it did not come from there.
func errorType(err error) stytchb2b.ErrorType {
	if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
		return e.ErrorType
	}
	return ""
}
