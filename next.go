package stytchb2b

import "errors"

// A Next is what a login does after a call. Each constant comes with an HTTP status
// and a sentence for the user. For a more specific sentence, such as for a number that
// has unsubscribed, switch on the ErrorType of the [*APIError].
type Next string

const (
	// NextContinue: ask for the code, or start the session.
	// 200 "We have sent you a code." or "You are signed in."
	NextContinue Next = "continue"
	// NextCheckPhone: ask for the code, and offer another one after a minute.
	// 202 "Your code may be on its way. If it does not arrive within a minute,
	// request another one."
	NextCheckPhone Next = "check the phone"
	// NextWait: there were too many calls. Wait for [RetryAfter], or about a minute
	// if that is 0.
	// 429 "Please wait a moment, then try again."
	NextWait Next = "wait"
	// NextEnterNumber: ask for a phone number, or for a different one.
	// 422 "We cannot send a code to that number. Enter another one."
	NextEnterNumber Next = "enter a number"
	// NextEnterCode: ask for the code again, and offer a new one.
	// 422 "That code is incorrect. Enter the code from the newest message."
	NextEnterCode Next = "enter the code"
	// NextRequestCode: the code has expired or was used. Offer a new one.
	// 422 "That code has expired. Request a new one."
	NextRequestCode Next = "request a code"
	// NextSignIn: start again with the primary login.
	// 401 "Your sign-in has expired. Please sign in again."
	NextSignIn Next = "sign in"
	// NextLocked: Stytch has locked the Member, for an hour by default.
	// 403 "Your account is locked after too many failed attempts. Please try again
	// later."
	NextLocked Next = "locked"
	// NextFail: the user can do nothing about it. Log the error, and alert someone.
	// 502 "Something went wrong. Please try again later."
	NextFail Next = "fail"
)

// AfterSend returns what a login does after [SMS.Send] returned err:
//
//	nil                                                  NextContinue
//	MaybeSent(err)                                       NextCheckPhone
//	too_many_requests, or a Guard's limit                NextWait
//	the number is malformed, missing, refused by Stytch  NextEnterNumber
//	  or the Guard, unsubscribed, or another Member's
//	the session or the Member is not known               NextSignIn
//	user_lock_limit_reached                              NextLocked
//	any other: credentials, billing, no connection,      NextFail
//	  a Guard's outage, too_few_tokens_authenticated
//
// It looks through wrapped errors: first at [MaybeSent] for all of them, then for an
// [*APIError], then a [*GuardError], then a [*ParamError].
func AfterSend(err error) Next {
	switch {
	case err == nil:
		return NextContinue
	case MaybeSent(err):
		return NextCheckPhone
	}
	return next(err, OpSMSSend)
}

// AfterAuthenticate returns what a login does after [SMS.Authenticate] returned err:
//
//	nil                                                  NextContinue
//	MaybeUsed(err)                                       NextSignIn
//	too_many_requests, or a Guard's limit                NextWait
//	otp_code_not_found, invalid_code, a malformed code   NextEnterCode
//	unable_to_auth_otp_code                              NextRequestCode
//	the session or the Member is not known               NextSignIn
//	user_lock_limit_reached                              NextLocked
//	any other: credentials, no connection,               NextFail
//	  a Guard's outage
//
// For a code that a newer one replaced, it is NextEnterCode or NextRequestCode: Stytch
// does not document which error it returns. Wrapped errors count as in [AfterSend].
func AfterAuthenticate(err error) Next {
	switch {
	case err == nil:
		return NextContinue
	case MaybeUsed(err):
		return NextSignIn
	}
	return next(err, OpSMSAuthenticate)
}

// next returns what a login does after a call that had no effect.
func next(err error, op Op) Next {
	var apiErr *APIError
	var guardErr *GuardError
	var paramErr *ParamError
	switch {
	case errors.As(err, &apiErr):
		send, authenticate := apiErr.ErrorType.next()
		if op == OpSMSSend {
			return send
		}
		return authenticate
	case errors.As(err, &guardErr):
		switch {
		case guardErr.Reason == GuardReasonLimit, guardErr.Reason == "" && guardErr.RetryAfter > 0:
			return NextWait
		case guardErr.Reason == GuardReasonNumber && op == OpSMSSend:
			return NextEnterNumber
		}
	case errors.As(err, &paramErr):
		switch {
		case paramErr.Field == "mfa_phone_number":
			return NextEnterNumber
		case paramErr.Field == "code":
			return NextEnterCode
		}
	}
	return NextFail
}

// next returns what a login does after each call, if Stytch refused it.
func (t ErrorType) next() (afterSend, afterAuthenticate Next) {
	switch t {
	case ErrorTypeTooManyRequests:
		return NextWait, NextWait
	case ErrorTypeUserLockLimitReached:
		return NextLocked, NextLocked
	case ErrorTypeIntermediateSessionNotFound, ErrorTypeSessionNotFound,
		ErrorTypeMemberNotFound, ErrorTypeOrganizationNotFound,
		ErrorTypeActionAvailableOnlyOncePrimaryAuthenticationIsMet,
		ErrorTypeInvalidIntermediateSessionTokenForOrganization,
		ErrorTypeMemberSessionMemberIDMismatch, ErrorTypeUnableToParseSessionJWT,
		ErrorTypeSessionAuthorizationTenancyError:
		return NextSignIn, NextSignIn
	case ErrorTypeInvalidPhoneNumber, ErrorTypeInvalidPhoneNumberCountryCode,
		ErrorTypeInvalidPhoneNumberSandbox, ErrorTypeMissingSMSParameter,
		ErrorTypeUnsubscribedPhoneNumber, ErrorTypeDuplicateMemberPhoneNumber,
		ErrorTypeDuplicateMemberPhoneNumberForMember:
		return NextEnterNumber, NextFail
	case ErrorTypeMemberPhoneNumberNotFound:
		return NextEnterNumber, NextSignIn
	case ErrorTypeOTPCodeNotFound, ErrorTypeInvalidCode:
		return NextFail, NextEnterCode
	case ErrorTypeUnableToAuthOTPCode:
		return NextFail, NextRequestCode
	}
	return NextFail, NextFail
}
