package stytchb2b_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/byhand"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// These benchmarks compare a change with the last commit, using benchstat: see
// CONTRIBUTING.md. internal/bench compares the library with net/http over loopback.

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
	return []byte(resp.RawJSON)
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

// BenchmarkSendError measures a Send that ends with a 400.
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

// BenchmarkByHand is BenchmarkSend's call, written by hand with net/http.
func BenchmarkByHand(b *testing.B) {
	client := byhand.Client{
		HTTP:    &http.Client{Transport: memory(200, answerOf(b))},
		BaseURL: "https://test.stytch.com", ProjectID: "project-test-1", Secret: "secret-test-1",
		Timeout: stytchb2b.DefaultTimeout,
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := client.Send(b.Context(), benchParams, &stytchb2b.SMSSendResponse{}); err != nil {
			b.Fatal(err)
		}
	}
}
