package stytchb2b_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

// TestStytch sends through a real Stytch test project, if its credentials are in the
// environment. If the Member has no number, set STYTCH_TEST_PHONE_NUMBER: Stytch's
// sandbox number, +10000000000, costs nothing.
func TestStytch(t *testing.T) {
	env := map[string]string{}
	for _, name := range []string{"STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_TEST_ORGANIZATION_ID", "STYTCH_TEST_MEMBER_ID"} {
		if env[name] = os.Getenv(name); env[name] == "" {
			t.Skipf("sends through Stytch only with %s set, and it is not", name)
		}
	}
	if !strings.HasPrefix(env["STYTCH_PROJECT_ID"], "project-test-") {
		t.Fatal("STYTCH_PROJECT_ID is not one of a test project: this test sends nothing through a live one")
	}
	client, err := stytchb2b.NewClientFromEnv()
	require.NoError(t, err)
	send := stytchb2b.SMSSendParams{
		OrganizationID: env["STYTCH_TEST_ORGANIZATION_ID"],
		MemberID:       env["STYTCH_TEST_MEMBER_ID"],
		MFAPhoneNumber: os.Getenv("STYTCH_TEST_PHONE_NUMBER"),
	}
	resp, err := client.OTPs.SMS.Send(t.Context(), send)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	assert.NotEmpty(t, resp.RequestID)
	assert.NotEmpty(t, resp.MemberID)
	assert.NotEmpty(t, resp.Member.MFAPhoneNumber)
	assert.NotEmpty(t, resp.Organization.OrganizationID)

	send.MemberID = "member-test-00000000-0000-0000-0000-000000000000"
	_, err = client.OTPs.SMS.Send(t.Context(), send)
	var apiErr *stytchb2b.APIError
	require.ErrorAs(t, err, &apiErr)
	assert.NotEmpty(t, apiErr.ErrorType)
	assert.False(t, stytchb2b.MaybeSent(err))

	_, err = client.OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{
		OrganizationID: send.OrganizationID, MemberID: env["STYTCH_TEST_MEMBER_ID"], Code: "123456",
		IntermediateSessionToken: token, // is one of nobody
	})
	require.ErrorAs(t, err, &apiErr)
	assert.NotEmpty(t, apiErr.ErrorType)
	assert.False(t, stytchb2b.MaybeUsed(err))
}
