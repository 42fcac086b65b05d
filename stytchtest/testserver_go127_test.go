//go:build go1.27

package stytchtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// In a bubble the server goes by its clock, and a slow answer takes no time.
func TestSynctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := stytchtest.NewTestServer(t)
		time.Sleep(2 * time.Minute)
		_, err := s.LogIn(s.MemberID)
		require.NoError(t, err)
		sms, err := s.NextSMS(t.Context())
		require.NoError(t, err)
		assert.Equal(t, time.Now().UTC(), sms.At)

		s.Fail(stytchtest.Fault{Delay: time.Hour})
		began := time.Now()
		_, err = s.Client().OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: s.MemberID})
		assert.True(t, stytchb2b.MaybeSent(err))
		assert.Equal(t, stytchb2b.DefaultTimeout, time.Since(began))
		assert.Len(t, s.SMS(), 2, "it has gone out")
	})
}
