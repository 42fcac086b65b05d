package stytchb2b

// An ErrorType is the error_type of an [APIError]. The type is open: Stytch adds
// to its values at any time.
//
// The constants are those that Stytch documents for [SMS.Send],
// [SMS.Authenticate] or their neighbours, each with the HTTP status it comes
// with, from Stytch's error reference
// (https://stytch.com/docs/api-reference/b2b/api/errors/400 and its siblings) and
// the error types of its mobile SDKs. Where no source says which type answers a
// case, the constant's comment has "assumed".
type ErrorType string

const (
	// 400: mfa_phone_number is no phone number that an SMS can reach.
	ErrorTypeInvalidPhoneNumber ErrorType = "invalid_phone_number"
	// 400: the number's country is not on the project's allowlist, or one that
	// Stytch never serves.
	ErrorTypeInvalidPhoneNumberCountryCode ErrorType = "invalid_phone_number_country_code"
	// 400: a parameter is missing; for a Member without a phone number,
	// mfa_phone_number (assumed).
	ErrorTypeMissingSMSParameter ErrorType = "missing_sms_parameter"
	// 400: Stytch has no text for the locale.
	ErrorTypeInvalidLocale ErrorType = "invalid_locale"
	// 400: another Member has the phone number.
	ErrorTypeDuplicateMemberPhoneNumber ErrorType = "duplicate_member_phone_number"
	// 400: the Member has a phone number, and it is not mfa_phone_number
	// (assumed).
	ErrorTypeDuplicateMemberPhoneNumberForMember ErrorType = "duplicate_member_phone_number_for_member"
	// 400: the number's owner has asked not to receive messages, by answering
	// STOP.
	ErrorTypeUnsubscribedPhoneNumber ErrorType = "unsubscribed_phone_number"
	// 400: the Member is not active.
	ErrorTypeActionAvailableOnlyForActiveMembers ErrorType = "action_available_only_for_active_members"
	// 400: the session holds no primary factor yet.
	ErrorTypeActionAvailableOnlyOncePrimaryAuthenticationIsMet ErrorType = "action_available_only_once_primary_authentication_is_met"
	// 400: the Organization does not allow SMS as an MFA method.
	ErrorTypeOperationRestrictedByOrganizationMFAMethods ErrorType = "operation_restricted_by_organization_mfa_methods"
	// 400: more than one session token, session JWT or intermediate session
	// token.
	ErrorTypeTooManySessionArguments ErrorType = "too_many_session_arguments"
	// 400: the workspace has no verified billing, which SMS beyond the free
	// countries need.
	ErrorTypeBillingNotVerified ErrorType = "billing_not_verified"
	// 400: organization_id is malformed.
	ErrorTypeInvalidOrganizationID ErrorType = "invalid_organization_id"
	// 400: an ID of the test environment came with live credentials.
	ErrorTypeTestIDUsedInLiveEnvironment ErrorType = "test_id_used_in_live_environment"
	// 400: an ID of the live environment came with test credentials.
	ErrorTypeLiveIDUsedInTestEnvironment ErrorType = "live_id_used_in_test_environment"
	// 400: the session would have more than 4 KB of custom claims (assumed).
	ErrorTypeCustomClaimsTooLarge ErrorType = "custom_claims_too_large"
	// 401: the code has expired, or has been used (which of the two types
	// answers a code that a newer one has replaced is assumed).
	ErrorTypeUnableToAuthOTPCode ErrorType = "unable_to_auth_otp_code"
	// 401: the project ID or the secret is wrong.
	ErrorTypeUnauthorizedCredentials ErrorType = "unauthorized_credentials"
	// 403: the Organization is suspended.
	ErrorTypeOrganizationSuspended ErrorType = "organization_suspended"
	// 403: the request came over plain http.
	ErrorTypeUseHTTPS ErrorType = "use_https"
	// 403: the session does not permit the call, such as one of another Member.
	ErrorTypeSessionAuthorizationError ErrorType = "session_authorization_error"
	// 404: the Organization has no such Member.
	ErrorTypeMemberNotFound ErrorType = "member_not_found"
	// 404: the project has no such Organization.
	ErrorTypeOrganizationNotFound ErrorType = "organization_not_found"
	// 404: the code is wrong.
	ErrorTypeOTPCodeNotFound ErrorType = "otp_code_not_found"
	// 404: the intermediate session token is unknown, used or expired.
	ErrorTypeIntermediateSessionNotFound ErrorType = "intermediate_session_not_found"
	// 404: the session is unknown, revoked or expired.
	ErrorTypeSessionNotFound ErrorType = "session_not_found"
	// 404: the Member's phone number is unknown.
	ErrorTypeMemberPhoneNumberNotFound ErrorType = "member_phone_number_not_found"
	// 404: the API has no such path: the base URL is wrong.
	ErrorTypeRouteNotFound ErrorType = "route_not_found"
	// 429: a rate limit of the API, or of SMS to the number or its prefix.
	ErrorTypeTooManyRequests ErrorType = "too_many_requests"
	// 429: too few of the codes that were sent have been entered, which looks
	// like toll fraud.
	ErrorTypeTooFewTokensAuthenticated ErrorType = "too_few_tokens_authenticated"
	// 500: Stytch failed.
	ErrorTypeInternalServerError ErrorType = "internal_server_error"
	// 503: Stytch is not available.
	ErrorTypeServerUnavailable ErrorType = "server_unavailable"
)
