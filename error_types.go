package stytchb2b

// An ErrorType is the error_type of an [APIError]. The type is open: Stytch may add
// values at any time. The constants are those that these calls or similar ones can
// return, grouped by HTTP status, from Stytch's error reference
// (https://stytch.com/docs/api-reference/b2b/api/errors/400 and its siblings)
// and its mobile SDKs (https://github.com/stytchauth/stytch-android).
type ErrorType string

const (
	// 400: the phone number. Sandbox numbers are documented for the consumer API only.
	ErrorTypeInvalidPhoneNumber                  ErrorType = "invalid_phone_number"
	ErrorTypeInvalidPhoneNumberCountryCode       ErrorType = "invalid_phone_number_country_code" // invalid, never served, or not allowed by the project
	ErrorTypeInvalidPhoneNumberSandbox           ErrorType = "invalid_phone_number_sandbox"
	ErrorTypeMissingSMSParameter                 ErrorType = "missing_sms_parameter"                    // The Member has no number, and none was given (assumed).
	ErrorTypeDuplicateMemberPhoneNumber          ErrorType = "duplicate_member_phone_number"            // Another Member of the Organization has it.
	ErrorTypeDuplicateMemberPhoneNumberForMember ErrorType = "duplicate_member_phone_number_for_member" // The Member has another number (assumed).
	ErrorTypeUnsubscribedPhoneNumber             ErrorType = "unsubscribed_phone_number"                // Its owner has replied STOP.
	// 400: the session.
	ErrorTypeActionAvailableOnlyOncePrimaryAuthenticationIsMet ErrorType = "action_available_only_once_primary_authentication_is_met" // It has no primary factor yet.
	ErrorTypeInvalidIntermediateSessionTokenForOrganization    ErrorType = "invalid_intermediate_session_token_for_organization"      // It belongs to another Organization.
	ErrorTypeMemberSessionMemberIDMismatch                     ErrorType = "member_session_member_id_mismatch"                        // It belongs to another Member.
	ErrorTypeUnableToParseSessionJWT                           ErrorType = "unable_to_parse_session_jwt"
	// 400: other parameters.
	ErrorTypeBadRequest                  ErrorType = "bad_request"
	ErrorTypeInvalidCode                 ErrorType = "invalid_code"   // malformed
	ErrorTypeInvalidLocale               ErrorType = "invalid_locale" // Stytch has no texts in that language (assumed).
	ErrorTypeTestIDUsedInLiveEnvironment ErrorType = "test_id_used_in_live_environment"
	ErrorTypeLiveIDUsedInTestEnvironment ErrorType = "live_id_used_in_test_environment"
	// 400: settings. SMS outside the US and Canada require verified billing.
	ErrorTypeActionAvailableOnlyForActiveMembers         ErrorType = "action_available_only_for_active_members"
	ErrorTypeOperationRestrictedByOrganizationMFAMethods ErrorType = "operation_restricted_by_organization_mfa_methods" // SMS is not allowed.
	ErrorTypeBillingNotVerified                          ErrorType = "billing_not_verified"
	// 401. A replaced code gets unable_to_auth_otp_code or otp_code_not_found: Stytch
	// does not document which.
	ErrorTypeUnableToAuthOTPCode     ErrorType = "unable_to_auth_otp_code"  // The code has expired or has been used.
	ErrorTypeUnauthorizedCredentials ErrorType = "unauthorized_credentials" // The project ID or the secret is wrong.
	// 403.
	ErrorTypeCaptchaRequired                  ErrorType = "captcha_required"
	ErrorTypeOrganizationSuspended            ErrorType = "organization_suspended"              // the project's own account at Stytch, not a tenant
	ErrorTypeSessionAuthorizationError        ErrorType = "session_authorization_error"         // The session's roles do not permit the call (RBAC).
	ErrorTypeSessionAuthorizationTenancyError ErrorType = "session_authorization_tenancy_error" // The session belongs to another Organization (RBAC).
	// 404: Stytch does not know it, or no longer does.
	ErrorTypeMemberNotFound              ErrorType = "member_not_found"
	ErrorTypeOrganizationNotFound        ErrorType = "organization_not_found"
	ErrorTypeOTPCodeNotFound             ErrorType = "otp_code_not_found"             // The code is wrong.
	ErrorTypeIntermediateSessionNotFound ErrorType = "intermediate_session_not_found" // unknown, used or expired
	ErrorTypeSessionNotFound             ErrorType = "session_not_found"              // unknown, revoked or expired
	ErrorTypeMemberPhoneNumberNotFound   ErrorType = "member_phone_number_not_found"
	ErrorTypeRouteNotFound               ErrorType = "route_not_found" // The base URL is wrong.
	// 429. A short wait helps with too_many_requests only. For
	// user_lock_limit_reached, the status is documented in the consumer API only.
	ErrorTypeTooManyRequests           ErrorType = "too_many_requests"            // to the API, or SMS to the number or its prefix
	ErrorTypeTooFewTokensAuthenticated ErrorType = "too_few_tokens_authenticated" // It looks like toll fraud.
	ErrorTypeCaptchaFailed             ErrorType = "captcha_failed"
	ErrorTypeUserLockLimitReached      ErrorType = "user_lock_limit_reached" // after failed attempts, for an hour by default (https://stytch.com/docs/resources/platform/user-locks)
	// 499: the connection closed while Stytch worked. An SMS may have been sent.
	ErrorTypeClientClosedRequest ErrorType = "client_closed_request"
	// 500 and 503: Stytch failed or is unavailable. An SMS may have been sent.
	ErrorTypeInternalServerError ErrorType = "internal_server_error"
	ErrorTypeServerUnavailable   ErrorType = "server_unavailable"
)
