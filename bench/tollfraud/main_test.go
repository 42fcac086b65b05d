package main

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// TestStytch makes the same calls to the Stytch in memory and to stytchtest.
func TestStytch(t *testing.T) {
	t.Parallel()
	const phone, other = "+12025550123", "+12025550124"
	now := time.Now()

	memory := newStytch(func() time.Time { return now })
	memoryClient, err := stytchb2b.NewClient("project-test-00000000-0000-4000-8000-000000000000", "secret",
		stytchb2b.WithHTTPClient(&http.Client{Transport: memory}))
	require.NoError(t, err)
	m := memory.newMember(memory.newOrganization(), "", false)

	server := stytchtest.NewServer()
	t.Cleanup(server.Close)
	organization, err := server.AddOrganization(stytchtest.Organization{Slug: "a-slug"})
	require.NoError(t, err)
	member, err := server.AddMember(stytchtest.Member{OrganizationID: organization.OrganizationID, ExternalID: "an-employee"})
	require.NoError(t, err)

	// A stage is one of the two.
	type stage struct {
		client                   *stytchb2b.Client
		organizationID, memberID string
		slug, externalID         string
		token                    string
		code                     func() string
	}
	stages := []stage{
		{memoryClient, m.organization.id, m.id, m.organization.slug, m.externalID, token, func() string { return m.code }},
		{
			server.Client(), organization.OrganizationID, member.MemberID, organization.Slug, member.ExternalID,
			server.IntermediateSessionToken(member.MemberID), func() string {
				sent := server.SMSTo(member.MemberID)
				return sent[len(sent)-1].Code
			},
		},
	}
	result := func(id, number string, verified bool, slug string, err error) []any {
		apiErr := &stytchb2b.APIError{}
		errors.As(err, &apiErr)
		return []any{id != "", number, verified, slug != "", apiErr.StatusCode, apiErr.ErrorType}
	}
	send := func(s stage, organizationID, memberID, number string) []any {
		resp, err := s.client.OTPs.SMS.Send(context.Background(), stytchb2b.SMSSendParams{
			OrganizationID: organizationID, MemberID: memberID, MFAPhoneNumber: number,
		})
		if resp == nil {
			resp = &stytchb2b.SMSSendResponse{}
		}
		return result(resp.MemberID, resp.Member.MFAPhoneNumber, resp.Member.MFAPhoneNumberVerified, resp.Organization.OrganizationSlug, err)
	}
	enter := func(s stage, code string) []any {
		resp, err := s.client.OTPs.SMS.Authenticate(context.Background(), stytchb2b.SMSAuthenticateParams{
			OrganizationID: s.organizationID, MemberID: s.memberID, Code: code, IntermediateSessionToken: s.token,
		})
		if resp == nil {
			resp = &stytchb2b.SMSAuthenticateResponse{}
		}
		return result(resp.MemberID, resp.Member.MFAPhoneNumber, resp.Member.MFAPhoneNumberVerified, resp.Organization.OrganizationSlug, err)
	}
	for _, step := range []struct {
		name string
		do   func(stage) []any
	}{
		{"no Organization", func(s stage) []any { return send(s, "organization-test-none", s.memberID, phone) }},
		{"no Member", func(s stage) []any { return send(s, s.organizationID, "member-test-none", phone) }},
		{"no number", func(s stage) []any { return send(s, s.organizationID, s.memberID, "") }},
		{"a new number", func(s stage) []any { return send(s, s.organizationID, s.memberID, phone) }},
		{"another number", func(s stage) []any { return send(s, s.organizationID, s.memberID, other) }},
		{"the number again", func(s stage) []any { return send(s, s.organizationID, s.memberID, phone) }},
		{"by other names", func(s stage) []any { return send(s, s.slug, s.externalID, "") }},
		{"a wrong code", func(s stage) []any { return enter(s, "000000") }},
		{"the right code", func(s stage) []any { return enter(s, s.code()) }},
		{"verified", func(s stage) []any { return send(s, s.organizationID, s.memberID, "") }},
	} {
		assert.Equal(t, step.do(stages[1]), step.do(stages[0]), step.name)
	}
}

// TestPlay plays small days whose outcome is known.
func TestPlay(t *testing.T) {
	t.Parallel()
	small := scenario{
		crowd: func(s *simulation) *crowd { return newCrowd(s, 10, 200, 50) },
		attack: func(a *attacker) {
			a.rent(5, "GB")
			a.found(5)
			a.every(time.Minute, 0, day24, func(i int) {
				if m, err := a.pump(); err == nil && i%2 == 0 {
					a.s.after(time.Second, func() { assert.True(t, a.s.enter(m, m.code)) })
				}
			})
		},
	}
	t.Run("no guard", func(t *testing.T) {
		t.Parallel()
		day, err := small.play(settings[0])
		require.NoError(t, err)
		assert.Equal(t, 1440, day.asked)
		assert.Equal(t, 1440, day.sent)
		assert.Equal(t, map[string]int{"to GB": 1440, "to never verified Members": 1440}, day.went)
		for _, g := range []group{day.returning, day.newcomers} {
			assert.Zero(t, g.never)
			assert.Zero(t, g.waited)
			assert.Zero(t, g.refused)
			assert.InDelta(t, 0.93, float64(g.entered)/float64(g.came), 0.1)
		}
		assert.Equal(t, 200, day.returning.came)
		assert.Equal(t, 50, day.newcomers.came)
	})
	t.Run("refuses numbers it knows", func(t *testing.T) {
		t.Parallel()
		day, err := small.play(setting{"Jamaica", func(func() time.Time) (*guard.Guard, error) {
			return guard.New(guard.AllowCountries("JM"))
		}})
		require.NoError(t, err)
		assert.Equal(t, 1440, day.asked)
		assert.Zero(t, day.sent)
		assert.Equal(t, 50, day.newcomers.never)
		assert.Equal(t, 50, day.newcomers.refused)
		assert.NotEmpty(t, (&play{scenario: small, day: day}).misses())
	})
	t.Run("twice the same", func(t *testing.T) {
		t.Parallel()
		first, err := small.play(settings[1])
		require.NoError(t, err)
		second, err := small.play(settings[1])
		require.NoError(t, err)
		assert.Equal(t, first, second)
	})
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 172800: "172,800", 1234567: "1,234,567"} {
		assert.Equal(t, want, thousands(n))
	}
}
