package thirdparty_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// Tests compare responses with go-cmp, which panics at an unexported field.
func TestGoCmp(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	got, err := s.Client().OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: s.MemberID})
	require.NoError(t, err)
	want := *got
	want.Member.MFAPhoneNumberVerified = !want.Member.MFAPhoneNumberVerified
	assert.Contains(t, cmp.Diff(&want, got), "MFAPhoneNumberVerified:")
	assert.Empty(t, cmp.Diff(stytchb2b.SMSAuthenticateResponse{}, stytchb2b.SMSAuthenticateResponse{}))
}
