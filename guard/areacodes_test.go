package guard_test

import (
	"fmt"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// The fake's table of the area codes of +1 is that of libphonenumber.
func TestAreaCodes(t *testing.T) {
	t.Parallel()
	s := stytchtest.NewServer()
	defer s.Close()
	client := s.Client()
	served := func(area int, countries ...string) bool {
		t.Helper()
		require.NoError(t, s.AllowCountries(countries...), area)
		member, err := s.AddMember(stytchtest.Member{MFAPhoneNumber: fmt.Sprintf("+1%d2345678", area)})
		require.NoError(t, err)
		_, err = client.OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: s.OrganizationID, MemberID: member.MemberID})
		return err == nil
	}
	all := []string{"US", "CA", "AG", "AI", "AS", "BB", "BM", "BS", "DM", "DO", "GD", "GU", "JM", "KN", "KY", "LC", "MP", "MS", "PR", "SX", "TC", "TT", "VC", "VG", "VI"}
	known := 0
	for area := 200; area <= 999; area++ {
		number, err := phonenumbers.Parse(fmt.Sprintf("+1%d2345678", area), "")
		require.NoError(t, err)
		if !phonenumbers.IsValidNumber(number) {
			continue // Nobody has it.
		}
		known++
		kind, country := phonenumbers.GetNumberType(number), phonenumbers.GetRegionCodeForNumber(number)
		switch {
		case kind == phonenumbers.TOLL_FREE, kind == phonenumbers.PREMIUM_RATE,
			kind == phonenumbers.PERSONAL_NUMBER && country == "US": // libphonenumber puts those of no country there.
			assert.False(t, served(area, all...), "%d is of no country", area)
		default:
			assert.True(t, served(area, country), "%d is %s", area, country)
		}
	}
	assert.Greater(t, known, 400)
}
