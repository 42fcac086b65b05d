package stytchb2b

import "errors"

// A Next says what a login does after a call. Each of the constants has an HTTP
// status and a sentence for the user.
//
// Where causes of one Next need sentences of their own, such as a phone that has
// unsubscribed and someone else's number, look at the ErrorType of the [*APIError].
type Next string

const (
	// NextContinue: ask for the code, or start the session.
	// 200 "We have sent you a code." or "You are signed in."
	NextContinue Next = "continue"
	// NextCheckPhone: ask for the code, and offer another one after a minute.
	// 202 "Your code may be on its way. If it does not arrive within a minute,
	// request another one."
	NextCheckPhone Next = "check the phone"
	// NextWait: there were too many calls. [RetryAfter] says how long to wait if
	// that is known; otherwise, a minute is a good start.
	// 429 "Please wait a moment, then try again."
	NextWait Next = "wait"
	// NextEnterNumber: ask for a phone number, or for another one.
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
	// NextLocked: Stytch has locked the Member, for an hour by default
	// (https://stytch.com/docs/resources/platform/user-locks).
	// 403 "Your account is locked after too many failed attempts. Please try again
	// later."
	NextLocked Next = "locked"
	// NextFail: the user can do nothing about it. Log the error, and alert someone.
	// 502 "Something went wrong. Please try again later."
	NextFail Next = "fail"
)

// AfterSend returns what a login does after the [SMS.Send] that returned err:
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
// It looks through errors that wrap others. Of several, [MaybeSent] counts first,
// then the first [*APIError], [*GuardError] and [*ParamError] in this order.
func AfterSend(err error) Next {
	switch {
	case err == nil:
		return NextContinue
	case MaybeSent(err):
		return NextCheckPhone
	}
	return next(err, OpSMSSend)
}

// AfterAuthenticate returns what a login does after the [SMS.Authenticate] that
// returned err:
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
// For a code that a newer one has replaced, NextEnterCode and NextRequestCode are
// both possible: Stytch does not document which error it returns.
//
// It looks through errors that wrap others. Of several, [MaybeUsed] counts first,
// then the first [*APIError], [*GuardError] and [*ParamError] in this order.
func AfterAuthenticate(err error) Next {
	switch {
	case err == nil:
		return NextContinue
	case MaybeUsed(err):
		return NextSignIn
	}
	return next(err, OpSMSAuthenticate)
}

// next returns what follows from an error of a call of op that had no effect.
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

// next returns what follows from an error of Stytch's, after each of the calls.
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
