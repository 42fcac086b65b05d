package stytchtest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// A Member's number is removed with its code, and another one takes its place.
func TestMemberNumber(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewTestServer(t)
	call := func(method, path string) (int, stytchb2b.Member) {
		var answer struct{ Member stytchb2b.Member }
		resp := request(t, s, method, "/v1/b2b/organizations/"+path, nil, &answer)
		return resp.StatusCode, answer.Member
	}
	s.SetTime(time.Now().Add(time.Hour))
	primary, err := s.LogIn(s.MemberID)
	require.NoError(t, err)
	status, m := call(http.MethodGet, s.OrganizationID+"/member?member_id="+s.MemberID)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "+12025550106", m.MFAPhoneNumber)
	assert.Equal(t, m.CreatedAt, m.UpdatedAt, "a login changes nothing")
	status, m = call(http.MethodDelete, s.OrganizationID+"/members/mfa_phone_numbers/"+s.MemberID)
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, m.MFAPhoneNumber)
	assert.False(t, m.MFAPhoneNumberVerified)

	for _, request := range []string{
		"DELETE " + s.OrganizationID + "/members/mfa_phone_numbers/nobody", "DELETE nowhere/members/mfa_phone_numbers/" + s.MemberID,
		"DELETE " + s.OrganizationID + "/members/" + s.MemberID, "DELETE " + s.OrganizationID + "/member?member_id=" + s.MemberID,
		"GET " + s.OrganizationID + "/members/mfa_phone_numbers/" + s.MemberID,
	} {
		method, path, _ := strings.Cut(request, " ")
		status, _ = call(method, path)
		assert.Equal(t, http.StatusNotFound, status, request)
	}

	a := post(t, s, authenticatePath, fields{"intermediate_session_token": primary.IntermediateSessionToken, "code": newest(s).Code})
	assert.Equal(t, "404 otp_code_not_found", a.error())
	s.SetTime(m.UpdatedAt.Add(time.Hour))
	for range 2 { // The second SMS changes nothing.
		m := post(t, s, sendPath, fields{"mfa_phone_number": "+12025550199"}).Member
		assert.Equal(t, "+12025550199", m.MFAPhoneNumber)
		assert.Equal(t, m.CreatedAt.Add(2*time.Hour), m.UpdatedAt)
		s.Advance(time.Hour)
	}
}
