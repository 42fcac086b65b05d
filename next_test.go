package stytchb2b_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

// decisions has the ErrorTypes by what is next after them: after a Send, and after an
// Authenticate.
var decisions = map[[2]stytchb2b.Next][]stytchb2b.ErrorType{
	{stytchb2b.NextFail, stytchb2b.NextFail}: {
		stytchb2b.ErrorTypeBadRequest, stytchb2b.ErrorTypeInvalidLocale,
		stytchb2b.ErrorTypeActionAvailableOnlyForActiveMembers,
		stytchb2b.ErrorTypeOperationRestrictedByOrganizationMFAMethods, stytchb2b.ErrorTypeBillingNotVerified,
		stytchb2b.ErrorTypeTestIDUsedInLiveEnvironment, stytchb2b.ErrorTypeLiveIDUsedInTestEnvironment,
		stytchb2b.ErrorTypeUnauthorizedCredentials, stytchb2b.ErrorTypeCaptchaRequired,
		stytchb2b.ErrorTypeOrganizationSuspended, stytchb2b.ErrorTypeSessionAuthorizationError,
		stytchb2b.ErrorTypeRouteNotFound, stytchb2b.ErrorTypeTooFewTokensAuthenticated, stytchb2b.ErrorTypeCaptchaFailed,
	},
	{stytchb2b.NextEnterNumber, stytchb2b.NextFail}: {
		stytchb2b.ErrorTypeInvalidPhoneNumber, stytchb2b.ErrorTypeInvalidPhoneNumberCountryCode,
		stytchb2b.ErrorTypeInvalidPhoneNumberSandbox, stytchb2b.ErrorTypeMissingSMSParameter,
		stytchb2b.ErrorTypeDuplicateMemberPhoneNumber, stytchb2b.ErrorTypeDuplicateMemberPhoneNumberForMember,
		stytchb2b.ErrorTypeUnsubscribedPhoneNumber,
	},
	{stytchb2b.NextSignIn, stytchb2b.NextSignIn}: {
		stytchb2b.ErrorTypeActionAvailableOnlyOncePrimaryAuthenticationIsMet,
		stytchb2b.ErrorTypeInvalidIntermediateSessionTokenForOrganization,
		stytchb2b.ErrorTypeMemberSessionMemberIDMismatch, stytchb2b.ErrorTypeUnableToParseSessionJWT,
		stytchb2b.ErrorTypeSessionAuthorizationTenancyError, stytchb2b.ErrorTypeMemberNotFound,
		stytchb2b.ErrorTypeOrganizationNotFound, stytchb2b.ErrorTypeIntermediateSessionNotFound,
		stytchb2b.ErrorTypeSessionNotFound,
	},
	{stytchb2b.NextFail, stytchb2b.NextEnterCode}:     {stytchb2b.ErrorTypeInvalidCode, stytchb2b.ErrorTypeOTPCodeNotFound},
	{stytchb2b.NextFail, stytchb2b.NextRequestCode}:   {stytchb2b.ErrorTypeUnableToAuthOTPCode},
	{stytchb2b.NextEnterNumber, stytchb2b.NextSignIn}: {stytchb2b.ErrorTypeMemberPhoneNumberNotFound},
	{stytchb2b.NextWait, stytchb2b.NextWait}:          {stytchb2b.ErrorTypeTooManyRequests},
	{stytchb2b.NextLocked, stytchb2b.NextLocked}:      {stytchb2b.ErrorTypeUserLockLimitReached},
	{stytchb2b.NextCheckPhone, stytchb2b.NextSignIn}: {
		stytchb2b.ErrorTypeClientClosedRequest, stytchb2b.ErrorTypeInternalServerError,
		stytchb2b.ErrorTypeServerUnavailable,
	},
}

// Every ErrorType has a decision for both calls.
func TestNextAfterEachErrorType(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "error_types.go", nil, parser.ParseComments)
	require.NoError(t, err)
	statuses, status := map[stytchb2b.ErrorType]int{}, 0 // The comment above each group begins with it.
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		if spec.Doc != nil {
			status, err = strconv.Atoi(spec.Doc.Text()[:3])
			require.NoError(t, err)
		}
		statuses[stytchb2b.ErrorType(name)] = status
		return false
	})
	for want, errorTypes := range decisions {
		for _, errorType := range errorTypes {
			apiErr := func(op stytchb2b.Op) error {
				return fmt.Errorf("login: %w", &stytchb2b.APIError{Op: op, StatusCode: statuses[errorType], ErrorType: errorType})
			}
			assert.Equal(t, want, [2]stytchb2b.Next{
				stytchb2b.AfterSend(apiErr(stytchb2b.OpSMSSend)),
				stytchb2b.AfterAuthenticate(apiErr(stytchb2b.OpSMSAuthenticate)),
			}, errorType)
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(statuses)), slices.Concat(slices.Collect(maps.Values(decisions))...))
}

func TestNext(t *testing.T) {
	t.Parallel()
	limit := &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonLimit}
	wrong := &stytchb2b.APIError{StatusCode: 404, ErrorType: stytchb2b.ErrorTypeOTPCodeNotFound}
	const cont, phone, wait, number, code, signIn, fail = stytchb2b.NextContinue, stytchb2b.NextCheckPhone, stytchb2b.NextWait,
		stytchb2b.NextEnterNumber, stytchb2b.NextEnterCode, stytchb2b.NextSignIn, stytchb2b.NextFail
	for _, tc := range []struct {
		name               string
		err                error
		send, authenticate stytchb2b.Next
	}{
		{"success", nil, cont, cont},
		{"a number", &stytchb2b.ParamError{Field: "mfa_phone_number"}, number, number},
		{"a code", &stytchb2b.ParamError{Field: "code"}, code, code},
		{"another parameter", &stytchb2b.ParamError{Field: "member_id"}, fail, fail},
		{"a guard's limit", limit, wait, wait},
		{"a guard's number", &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonNumber}, number, fail},
		{"a guard's store", &stytchb2b.GuardError{Reason: stytchb2b.GuardReasonUnavailable, RetryAfter: time.Second}, fail, fail},
		{"a guard with a wait and no reason", &stytchb2b.GuardError{RetryAfter: time.Second}, wait, wait},
		{"a guard without a reason", &stytchb2b.GuardError{}, fail, fail},
		{"an error type that is not known yet", &stytchb2b.APIError{StatusCode: 429, ErrorType: "new"}, fail, fail},
		{"a gateway's 502", &stytchb2b.APIError{StatusCode: 502}, phone, signIn},
		{"no connection", &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeNotApplied}, fail, fail},
		{"no answer", &stytchb2b.TransportError{Outcome: stytchb2b.OutcomeUnknown}, phone, signIn},
		{"an error that is not from a call", errFraud, phone, signIn},
		{"wrapped", fmt.Errorf("login: %w", limit), wait, wait},
		{"joined with one that is not from a call", errors.Join(limit, errFraud), phone, signIn},
		{"joined with an answer", errors.Join(limit, wrong), fail, code},
	} {
		assert.Equal(t, [2]stytchb2b.Next{tc.send, tc.authenticate},
			[2]stytchb2b.Next{stytchb2b.AfterSend(tc.err), stytchb2b.AfterAuthenticate(tc.err)}, tc.name)
	}
}
