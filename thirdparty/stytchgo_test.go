package thirdparty_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/MicahParks/keyfunc/v2"
	"github.com/golang-jwt/jwt/v5"
)

// A client does what Stytch's Go client does.
type stytchGo struct {
	projectID, secret, baseURI string
	http                       *http.Client
	keys                       *keyfunc.JWKS
}

// newClient asks for the keys first, without credentials, as Stytch's NewClient
// does.
func newStytchGo(ctx context.Context, projectID, secret, baseURI string, httpClient *http.Client) (*stytchGo, error) {
	keys, err := keyfunc.Get(baseURI+"/v1/b2b/sessions/jwks/"+projectID, keyfunc.Options{
		Client:            httpClient,
		Ctx:               ctx,
		RefreshInterval:   time.Hour,
		RefreshRateLimit:  5 * time.Minute,
		RefreshTimeout:    10 * time.Second,
		RefreshUnknownKID: true,
	})
	if err != nil {
		return nil, err
	}
	return &stytchGo{projectID, secret, baseURI, httpClient, keys}, nil
}

// An apiError is Stytch's error object.
type apiError struct {
	StatusCode   int            `json:"status_code"`
	RequestID    string         `json:"request_id"`
	ErrorType    string         `json:"error_type"`
	ErrorMessage string         `json:"error_message"`
	ErrorURL     string         `json:"error_url"`
	ErrorDetails map[string]any `json:"error_details"`
}

func (e apiError) Error() string { return fmt.Sprintf("%d %s", e.StatusCode, e.ErrorType) }

// post takes 200 and 201 for a success, and anything else for an error object.
func (c *stytchGo) post(ctx context.Context, path string, params, out any) error {
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
	var refusal apiError
	if err := json.NewDecoder(resp.Body).Decode(&refusal); err != nil {
		return err
	}
	refusal.StatusCode = resp.StatusCode
	return refusal
}

// claims are those of a session's JWT that Stytch's client reads.
type claims struct {
	Session struct {
		ID                    string           `json:"id"`
		StartedAt             string           `json:"started_at"`
		LastAccessedAt        string           `json:"last_accessed_at"`
		ExpiresAt             string           `json:"expires_at"`
		AuthenticationFactors []map[string]any `json:"authentication_factors"`
		Roles                 []string         `json:"roles"`
	} `json:"https://stytch.com/session"`
	Organization struct {
		ID   string `json:"organization_id"`
		Slug string `json:"slug"`
	} `json:"https://stytch.com/organization"`
	jwt.RegisteredClaims
}

// verify checks a session's JWT with the keys, and that it is not older than
// maxAge.
func (c *stytchGo) verify(token string, maxAge time.Duration) (*claims, error) {
	var read claims
	_, err := jwt.ParseWithClaims(token, &read, c.keys.Keyfunc, jwt.WithAudience(c.projectID), jwt.WithIssuer("stytch.com/"+c.projectID))
	if err != nil {
		return nil, err
	}
	if time.Since(read.IssuedAt.Time) > maxAge {
		return nil, fmt.Errorf("the JWT is older than %v", maxAge)
	}
	for _, text := range []string{read.Session.StartedAt, read.Session.LastAccessedAt, read.Session.ExpiresAt} {
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return nil, err
		}
	}
	return &read, nil
}
