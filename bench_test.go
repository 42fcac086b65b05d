package stytchb2b_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// These hold a change against the last one, with benchstat: see CONTRIBUTING.md.
// thirdparty/bench holds the library against what people use instead.

// memory is a transport that answers without a network.
func memory(status int, body []byte) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
		return &http.Response{
			StatusCode:    status,
			Header:        http.Header{"Content-Type": {"application/json"}},
			ContentLength: int64(len(body)),
			Body:          io.NopCloser(bytes.NewReader(body)),
			Request:       req,
		}, nil
	})
}

// answerOf returns the body of the fake's answer, of about 2 KB.
func answerOf(b *testing.B) []byte {
	srv := stytchtest.NewServer()
	defer srv.Close()
	resp, err := srv.Client().OTPs.SMS.Send(b.Context(), stytchb2b.SMSSendParams{OrganizationID: srv.OrganizationID, MemberID: srv.MemberID})
	require.NoError(b, err)
	return []byte(resp.RawJSON())
}

var benchParams = stytchb2b.SMSSendParams{
	OrganizationID: "organization-test-07971b06-ac8b-4cdb-9c15-63b17e653931",
	MemberID:       "member-test-32fc5024-9c09-4da3-bd2e-c9ce4da9375f",
	Locale:         stytchb2b.LocaleEs,
}

func BenchmarkSend(b *testing.B) {
	client := newClient(b, memory(200, answerOf(b)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.OTPs.SMS.Send(b.Context(), benchParams); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendError is the way of a 400.
func BenchmarkSendError(b *testing.B) {
	client := newClient(b, memory(400, []byte(`{"status_code":400,"request_id":"request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141",`+
		`"error_type":"invalid_phone_number","error_message":"The phone number is invalid.","error_url":"https://stytch.com/docs/api/errors/400"}`)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.OTPs.SMS.Send(b.Context(), benchParams); err == nil {
			b.Fatal("no error")
		}
	}
}

// BenchmarkSendRefused is the way of bad parameters.
func BenchmarkSendRefused(b *testing.B) {
	client := newClient(b, memory(200, nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.OTPs.SMS.Send(b.Context(), stytchb2b.SMSSendParams{}); err == nil {
			b.Fatal("no error")
		}
	}
}

// BenchmarkEncode is the part of Send that encodes.
func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(benchParams); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewClient(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stytchb2b.NewClient("project-test-1", "secret-test-1"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandWritten is BenchmarkSend's call as one writes it with net/http.
func BenchmarkHandWritten(b *testing.B) {
	client := &http.Client{Transport: memory(200, answerOf(b))}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := handWritten(b, client); err != nil {
			b.Fatal(err)
		}
	}
}

func handWritten(b *testing.B, client *http.Client) (*stytchb2b.SMSSendResponse, error) {
	type body stytchb2b.SMSSendParams // as it is, not masked
	text, err := json.Marshal(body(benchParams))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(b.Context(), stytchb2b.DefaultTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://test.stytch.com/v1/b2b/otps/sms/send", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("project-test-1", "secret-test-1")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	out := &stytchb2b.SMSSendResponse{}
	return out, json.Unmarshal(raw, out)
}
