package stytchtest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// That the server is closed with the test shows in TestMain, which looks for
// goroutines.

// A logged test keeps what is logged to it.
type logged struct {
	testing.TB
	lines []string
}

func (l *logged) Logf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func TestNewTestServer(t *testing.T) {
	t.Parallel()
	tb := &logged{TB: t}
	s := stytchtest.NewTestServer(tb)
	to := stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: s.MemberID}
	_, err := s.Client().OTPs.SMS.Send(limited(t), to)
	require.NoError(t, err)
	s.Fail(stytchtest.Fault{StatusCode: 400}, stytchtest.Fault{Reset: true})
	for range 2 {
		_, err = s.Client().OTPs.SMS.Send(limited(t), to)
		require.Error(t, err)
	}
	s.Close() // It has logged everything.
	assert.Equal(t, []string{
		"stytchtest: SMS to +12025550106: " + s.SMS()[0].Text,
		"stytchtest: POST /v1/b2b/otps/sms/send: 200",
		"stytchtest: POST /v1/b2b/otps/sms/send: 400 bad_request",
		"stytchtest: POST /v1/b2b/otps/sms/send: no answer",
	}, tb.lines)
}
