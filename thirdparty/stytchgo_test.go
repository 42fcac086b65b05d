package thirdparty_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/MicahParks/keyfunc/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// The module proxy does not have Stytch's own Go client
// (https://github.com/stytchauth/stytch-go). A stytchGo makes the same requests and
// checks a JWT with the same two libraries, keyfunc and golang-jwt, and the same
// options, as of version 18.1.0.
type stytchGo struct {
	projectID, secret, baseURI string
	http                       *http.Client
	keys                       *keyfunc.JWKS
}

// newStytchGo asks for the keys first, without credentials, as Stytch's NewClient
// does.
func newStytchGo(t *testing.T, s *stytchtest.Server, baseURI string, httpClient *http.Client) *stytchGo {
	ctx, cancel := context.WithCancel(t.Context()) // cancel stops refreshing the keys.
	keys, err := keyfunc.Get(baseURI+"/v1/b2b/sessions/jwks/"+s.ProjectID, keyfunc.Options{
		Client:            httpClient,
		Ctx:               ctx,
		RefreshInterval:   time.Hour,
		RefreshRateLimit:  5 * time.Minute,
		RefreshTimeout:    10 * time.Second,
		RefreshUnknownKID: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { cancel(); keys.EndBackground() })
	return &stytchGo{s.ProjectID, s.Secret, baseURI, httpClient, keys}
}

// A stytchError is Stytch's error object.
type stytchError struct {
	StatusCode   int            `json:"status_code"`
	RequestID    string         `json:"request_id"`
	ErrorType    string         `json:"error_type"`
	ErrorMessage string         `json:"error_message"`
	ErrorURL     string         `json:"error_url"`
	ErrorDetails map[string]any `json:"error_details"`
}

func (e stytchError) Error() string { return fmt.Sprintf("%d %s", e.StatusCode, e.ErrorType) }

type fields = map[string]any

// post treats 200 and 201 as a success, and anything else as an error object.
func (c *stytchGo) post(ctx context.Context, path string, params fields, out any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.baseURI+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth(c.projectID, c.secret)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Stytch Go v18.1.0")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated {
		return json.NewDecoder(resp.Body).Decode(out)
	}
	var refusal stytchError
	if err := json.NewDecoder(resp.Body).Decode(&refusal); err != nil {
		return err
	}
	refusal.StatusCode = resp.StatusCode
	return refusal
}

// maybeSent is what makes [atmostonce.MaybeSent] exact for a Send with Stytch's
// client.
func maybeSent(err error) bool {
	if e := (stytchError{}); errors.As(err, &e) {
		return stytchb2b.MaybeSent(&stytchb2b.APIError{StatusCode: e.StatusCode, ErrorType: stytchb2b.ErrorType(e.ErrorType)})
	}
	return atmostonce.MaybeSent(err)
}

// In TestStytchGoSend, the client sends on an atmostonce.Transport. The fake counts the
// SMS.
func TestStytchGoSend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		network faults.Network   // of the first attempt
		fault   stytchtest.Fault // of the first request
		hangs   bool

		sms             int
		well, maybeSent bool
	}{
		{name: "none", sms: 1, well: true},
		{name: "refused dial", network: faults.RefusedDial, sms: 1, well: true},
		{name: "unknown authority", network: faults.UnknownAuthority},
		{name: "refused dial, then a reset", network: faults.RefusedDial, fault: resets, sms: 1, maybeSent: true},
		{name: "400", fault: stytchtest.Fault{StatusCode: 400, ErrorType: stytchb2b.ErrorTypeInvalidPhoneNumber}},
		{name: "429", fault: stytchtest.Fault{StatusCode: 429}},
		{name: "499", fault: stytchtest.Fault{StatusCode: 499, Processed: true}, sms: 1, maybeSent: true},
		{name: "503", fault: stytchtest.Fault{StatusCode: 503, Processed: true}, sms: 1, maybeSent: true},
		{name: "a gateway's 403", fault: stytchtest.Fault{StatusCode: 403, Processed: true, Body: `{"message":"Forbidden"}`}, sms: 1, maybeSent: true},
		{name: "a gateway's 408", fault: stytchtest.Fault{StatusCode: 408, Body: "upstream request timeout", Processed: true}, sms: 1, maybeSent: true},
		{name: "cut answer", fault: stytchtest.Fault{Truncate: true}, sms: 1, maybeSent: true},
		{name: "hangs", fault: hangs, hangs: true, sms: 1, maybeSent: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := faults.NewLab(t, faults.HTTPS1, nil)
			plain := faults.Plain(l.Server)
			c := newStytchGo(t, l.Stytch, l.URL, &http.Client{Transport: plain})
			network := plain
			if tt.network != nil {
				network = tt.network(l.Server)
			}
			c.http = &http.Client{Transport: &atmostonce.Transport{Base: first(network, plain)}}
			l.Stytch.Fail(tt.fault)
			ctx, cancel := context.WithTimeout(t.Context(), faults.Timeout)
			defer cancel()
			if tt.hangs {
				go func() {
					assert.Eventually(t, func() bool { return len(l.Stytch.SMS()) > 0 }, faults.Timeout, time.Millisecond)
					cancel()
				}()
			}
			err := c.post(ctx, "/v1/b2b/otps/sms/send", fields{"organization_id": l.Stytch.OrganizationID, "member_id": l.Stytch.MemberID}, &struct{}{})
			assert.Len(t, l.Stytch.SMS(), tt.sms, "%v", err)
			if tt.well {
				assert.NoError(t, err)
			} else if assert.Error(t, err) {
				assert.Equal(t, tt.maybeSent, maybeSent(err), "%v", err)
			}
		})
	}
}

// TestStytchGoLogin is an entire login at the fake. The client verifies the session's
// JWT, and the fake the session.
func TestStytchGoLogin(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := stytchtest.NewTLSServer()
	t.Cleanup(s.Close)
	c := newStytchGo(t, s, s.URL, s.HTTPClient())
	m, _ := s.Member(s.MemberID)
	var login struct {
		IntermediateSessionToken string `json:"intermediate_session_token"`
		MemberAuthenticated      bool   `json:"member_authenticated"`
		MFARequired              *struct {
			SecondaryAuthInitiated string `json:"secondary_auth_initiated"`
		} `json:"mfa_required"`
	}
	require.NoError(t, c.post(ctx, "/v1/b2b/passwords/authenticate",
		fields{"organization_id": s.OrganizationID, "email_address": m.EmailAddress, "password": m.Password}, &login))
	require.NotNil(t, login.MFARequired)
	assert.Equal(t, "sms_otp", login.MFARequired.SecondaryAuthInitiated)
	assert.False(t, login.MemberAuthenticated)

	member := fields{"organization_id": s.OrganizationID, "member_id": s.MemberID}
	require.NoError(t, c.post(ctx, "/v1/b2b/otps/sms/send", member, &struct{}{}))
	sms := s.SMSTo(s.MemberID)
	require.Len(t, sms, 2)
	member["intermediate_session_token"], member["code"] = login.IntermediateSessionToken, sms[0].Code
	var done struct {
		SessionJWT string `json:"session_jwt"`
	}
	var refusal stytchError
	require.ErrorAs(t, c.post(ctx, "/v1/b2b/otps/sms/authenticate", member, &done), &refusal)
	assert.Equal(t, "otp_code_not_found", refusal.ErrorType, "the newer code has replaced it")
	member["code"] = sms[1].Code
	require.NoError(t, c.post(ctx, "/v1/b2b/otps/sms/authenticate", member, &done))

	var claims struct { // the claims that Stytch's client reads
		Session struct {
			ID                    string           `json:"id"`
			StartedAt             time.Time        `json:"started_at"`
			LastAccessedAt        time.Time        `json:"last_accessed_at"`
			ExpiresAt             time.Time        `json:"expires_at"`
			AuthenticationFactors []map[string]any `json:"authentication_factors"`
			Roles                 []string         `json:"roles"`
		} `json:"https://stytch.com/session"`
		Organization struct {
			ID string `json:"organization_id"`
		} `json:"https://stytch.com/organization"`
		jwt.RegisteredClaims
	}
	_, err := jwt.ParseWithClaims(done.SessionJWT, &claims, c.keys.Keyfunc, jwt.WithAudience(s.ProjectID), jwt.WithIssuer("stytch.com/"+s.ProjectID))
	require.NoError(t, err)
	assert.Equal(t, s.MemberID, claims.Subject)
	assert.Equal(t, s.OrganizationID, claims.Organization.ID)
	assert.Len(t, claims.Session.AuthenticationFactors, 2)
	assert.Equal(t, []string{"stytch_member"}, claims.Session.Roles)
	var session struct {
		MemberSession struct {
			ID string `json:"member_session_id"`
		} `json:"member_session"`
	}
	require.NoError(t, c.post(ctx, "/v1/b2b/sessions/authenticate", fields{"session_jwt": done.SessionJWT}, &session))
	assert.Equal(t, claims.Session.ID, session.MemberSession.ID)
}
