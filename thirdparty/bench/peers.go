package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/eb715825/stytchb2b"
)

const (
	projectID = "project-test-11111111-1111-4111-8111-111111111111"
	secret    = "secret-test-11111111-1111-4111-8111-111111111111"
	path      = "v1/b2b/otps/sms/send"
)

var params = stytchb2b.SMSSendParams{
	OrganizationID: "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931",
	MemberID:       "member-test-32fc5024-9c09-4da3-bd2e-c9ce4da9375f",
	Locale:         stytchb2b.LocaleEs,
}

// body is params without the methods that mask: what the peers marshal.
type body stytchb2b.SMSSendParams

// A send makes the call once.
type send func(context.Context) error

// A peer is a way to make the call, through a transport.
type peer struct {
	name string
	make func(baseURL string, transport http.RoundTripper) send
}

var (
	ours = peer{"stytchb2b", func(baseURL string, transport http.RoundTripper) send {
		return library(baseURL, stytchb2b.WithHTTPClient(&http.Client{Transport: transport}))
	}}
	byHand = peer{"net/http by hand", handWritten(stytchb2b.DefaultTimeout)}
	peers  = []peer{
		byHand,
		ours,
		{"go-retryablehttp, defaults", retryable},
		{"resty v2", restyV2},
	}
)

func library(baseURL string, opts ...stytchb2b.Option) send {
	client, err := stytchb2b.NewClient(projectID, secret, append([]stytchb2b.Option{stytchb2b.WithBaseURL(baseURL)}, opts...)...)
	check(err)
	return func(ctx context.Context) error {
		_, err := client.OTPs.SMS.Send(ctx, params)
		return err
	}
}

// handWritten is the call as one writes it, to decode the same fields and stop
// at the same time.
func handWritten(timeout time.Duration) func(string, http.RoundTripper) send {
	return func(baseURL string, transport http.RoundTripper) send {
		client := &http.Client{Transport: transport}
		return func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			text, err := json.Marshal(body(params))
			if err != nil {
				return err
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+"/"+path, bytes.NewReader(text))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/json")
			req.SetBasicAuth(projectID, secret)
			return decode(client.Do(req))
		}
	}
}

func decode(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d", resp.StatusCode)
	}
	return json.Unmarshal(text, &stytchb2b.SMSSendResponse{})
}

func retryable(baseURL string, transport http.RoundTripper) send {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient = &http.Client{Transport: transport}
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, stytchb2b.DefaultTimeout)
		defer cancel()
		text, err := json.Marshal(body(params))
		if err != nil {
			return err
		}
		req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, baseURL+"/"+path, text)
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth(projectID, secret)
		return decode(client.Do(req))
	}
}

func restyV2(baseURL string, transport http.RoundTripper) send {
	client := resty.NewWithClient(&http.Client{Transport: transport}).
		SetBaseURL(baseURL).SetBasicAuth(projectID, secret).SetRetryCount(3).SetDisableWarn(true)
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, stytchb2b.DefaultTimeout)
		defer cancel()
		resp, err := client.R().SetContext(ctx).SetBody(body(params)).SetResult(&stytchb2b.SMSSendResponse{}).Post("/" + path)
		if err == nil && resp.IsError() {
			err = errors.New(resp.Status())
		}
		return err
	}
}
