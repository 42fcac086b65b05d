package stytchb2b

// An ErrorType is the error_type of an [APIError]. The type is open: Stytch adds
// values at any time.
//
// The constants are those for [SMS.Send], [SMS.Authenticate] or calls like them,
// each with its HTTP status, from Stytch's error reference
// (https://stytch.com/docs/api-reference/b2b/api/errors/400 and its siblings)
// and the list in its mobile SDKs (https://github.com/stytchauth/stytch-android).
type ErrorType string

const (
	// 400: the body is malformed.
	ErrorTypeBadRequest ErrorType = "bad_request"
	// 400: mfa_phone_number is not a phone number that an SMS can reach.
	ErrorTypeInvalidPhoneNumber ErrorType = "invalid_phone_number"
	// 400: the number's country is invalid, never served, or not allowed by the project.
	ErrorTypeInvalidPhoneNumberCountryCode ErrorType = "invalid_phone_number_country_code"
	// 400: it is a sandbox number. Stytch documents those for its consumer API only.
	ErrorTypeInvalidPhoneNumberSandbox ErrorType = "invalid_phone_number_sandbox"
	// 400: a parameter is missing, such as the number of a Member without one (assumed).
	ErrorTypeMissingSMSParameter ErrorType = "missing_sms_parameter"
	// 400: the locale is not one that Stytch has texts for (assumed).
	ErrorTypeInvalidLocale ErrorType = "invalid_locale"
	// 400: another Member of the Organization has the phone number.
	ErrorTypeDuplicateMemberPhoneNumber ErrorType = "duplicate_member_phone_number"
	// 400: the Member has a phone number other than mfa_phone_number (assumed).
	ErrorTypeDuplicateMemberPhoneNumberForMember ErrorType = "duplicate_member_phone_number_for_member"
	// 400: the owner of the phone number has replied STOP.
	ErrorTypeUnsubscribedPhoneNumber ErrorType = "unsubscribed_phone_number"
	// 400: the Member is not active.
	ErrorTypeActionAvailableOnlyForActiveMembers ErrorType = "action_available_only_for_active_members"
	// 400: the session has no primary factor yet.
	ErrorTypeActionAvailableOnlyOncePrimaryAuthenticationIsMet ErrorType = "action_available_only_once_primary_authentication_is_met"
	// 400: the Organization does not allow SMS as an MFA method.
	ErrorTypeOperationRestrictedByOrganizationMFAMethods ErrorType = "operation_restricted_by_organization_mfa_methods"
	// 400: more than one session token, JWT or intermediate session token was given.
	ErrorTypeTooManySessionArguments ErrorType = "too_many_session_arguments"
	// 400: no session token, JWT or intermediate session token was given.
	ErrorTypeNoSessionArguments ErrorType = "no_session_arguments"
	// 400: the intermediate session token belongs to another Organization.
	ErrorTypeInvalidIntermediateSessionTokenForOrganization ErrorType = "invalid_intermediate_session_token_for_organization"
	// 400: the session belongs to another Member.
	ErrorTypeMemberSessionMemberIDMismatch ErrorType = "member_session_member_id_mismatch"
	// 400: the session JWT cannot be parsed.
	ErrorTypeUnableToParseSessionJWT ErrorType = "unable_to_parse_session_jwt"
	// 400: session_duration_minutes is out of range.
	ErrorTypeInvalidSessionDurationMinutes ErrorType = "invalid_session_duration_minutes"
	// 400: session_duration_minutes is more than the project allows.
	ErrorTypeInvalidSessionDuration ErrorType = "invalid_session_duration"
	// 400: session_custom_claims has a reserved name. Stytch's reference says that
	// such names are ignored, and a guide that they are an error.
	ErrorTypeReservedClaimsInCustomClaims ErrorType = "reserved_claims_in_custom_claims"
	// 400: session_custom_claims has a name that Stytch uses for its own claims.
	ErrorTypeStytchClaimsInCustomClaims ErrorType = "stytch_claims_in_custom_claims"
	// 400: the session would have more than 4 KB of custom claims (assumed).
	ErrorTypeCustomClaimsTooLarge ErrorType = "custom_claims_too_large"
	// 400: the code is malformed.
	ErrorTypeInvalidCode ErrorType = "invalid_code"
	// 400: the workspace has no verified billing, which SMS outside the US and Canada need.
	ErrorTypeBillingNotVerified ErrorType = "billing_not_verified"
	// 400: organization_id is malformed.
	ErrorTypeInvalidOrganizationID ErrorType = "invalid_organization_id"
	// 400: an ID of the test environment came with live credentials.
	ErrorTypeTestIDUsedInLiveEnvironment ErrorType = "test_id_used_in_live_environment"
	// 400: an ID of the live environment came with test credentials.
	ErrorTypeLiveIDUsedInTestEnvironment ErrorType = "live_id_used_in_test_environment"
	// 401: the code has expired or has been used. One that a newer code has replaced
	// gets this or ErrorTypeOTPCodeNotFound; Stytch does not say which.
	ErrorTypeUnableToAuthOTPCode ErrorType = "unable_to_auth_otp_code"
	// 401: the project ID or the secret is wrong.
	ErrorTypeUnauthorizedCredentials ErrorType = "unauthorized_credentials"
	// 403: Stytch wants a CAPTCHA first.
	ErrorTypeCaptchaRequired ErrorType = "captcha_required"
	// 403: the account of the project at Stytch is suspended.
	ErrorTypeOrganizationSuspended ErrorType = "organization_suspended"
	// 403: the request came over plain http.
	ErrorTypeUseHTTPS ErrorType = "use_https"
	// 403: the roles of the session's Member do not permit the call (RBAC).
	ErrorTypeSessionAuthorizationError ErrorType = "session_authorization_error"
	// 403: the session belongs to another Organization (RBAC).
	ErrorTypeSessionAuthorizationTenancyError ErrorType = "session_authorization_tenancy_error"
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
	// 404: the API has no such path. The base URL is wrong.
	ErrorTypeRouteNotFound ErrorType = "route_not_found"
	// 429: a rate limit of the API, or of SMS to the number or its prefix. Only this
	// 429 may be cured by waiting a little.
	ErrorTypeTooManyRequests ErrorType = "too_many_requests"
	// 429: too few of the codes sent were entered, which looks like toll fraud.
	ErrorTypeTooFewTokensAuthenticated ErrorType = "too_few_tokens_authenticated"
	// 429: the CAPTCHA was not solved.
	ErrorTypeCaptchaFailed ErrorType = "captcha_failed"
	// 429: the Member is locked after too many failed attempts, for an hour by
	// default (https://stytch.com/docs/resources/platform/user-locks). The
	// status is documented for the consumer API only.
	ErrorTypeUserLockLimitReached ErrorType = "user_lock_limit_reached"
	// 499: the connection went away while Stytch worked. An SMS may have been sent.
	ErrorTypeClientClosedRequest ErrorType = "client_closed_request"
	// 500: Stytch failed.
	ErrorTypeInternalServerError ErrorType = "internal_server_error"
	// 503: Stytch is not available.
	ErrorTypeServerUnavailable ErrorType = "server_unavailable"
)
