package stytchtest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// A Member's number is removed with its code, and another one takes its place.
func TestMemberNumber(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	call := func(method, path string) (int, stytchb2b.Member) {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/v1/b2b/organizations/"+path, nil)
		require.NoError(t, err)
		req.SetBasicAuth(s.ProjectID, s.Secret)
		resp, err := s.HTTPClient().Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		var answer struct{ Member stytchb2b.Member }
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
		return resp.StatusCode, answer.Member
	}
	primary, err := s.LogIn(s.MemberID)
	require.NoError(t, err)
	status, m := call(http.MethodGet, s.OrganizationID+"/member?member_id="+s.MemberID)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "+12025550106", m.MFAPhoneNumber)
	status, m = call(http.MethodDelete, s.OrganizationID+"/members/mfa_phone_numbers/"+s.MemberID)
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, m.MFAPhoneNumber)
	assert.False(t, m.MFAPhoneNumberVerified)

	_, err = s.Client().OTPs.SMS.Authenticate(t.Context(), stytchb2b.SMSAuthenticateParams{
		OrganizationID: s.OrganizationID, MemberID: s.MemberID, IntermediateSessionToken: primary.IntermediateSessionToken, Code: s.SMS()[0].Code,
	})
	require.Error(t, err)
	resp, err := s.Client().OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: s.MemberID, MFAPhoneNumber: "+12025550199"})
	require.NoError(t, err)
	assert.Equal(t, "+12025550199", resp.Member.MFAPhoneNumber)

	for _, path := range []string{s.OrganizationID + "/members/mfa_phone_numbers/nobody", "nowhere/members/mfa_phone_numbers/" + s.MemberID, s.OrganizationID + "/members/" + s.MemberID} {
		status, _ = call(http.MethodDelete, path)
		assert.Equal(t, http.StatusNotFound, status, path)
	}
}
