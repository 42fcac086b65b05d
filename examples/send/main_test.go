package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRun(t *testing.T) {
	for _, tc := range []struct {
		name              string
		projectID, secret string
		args              []string
		status            int
		stdout, stderr    string
	}{
		{"the fake", "", "", nil, 0, "The code is ", ""},
		{"the fake, in French", "", "", []string{"-locale", "fr"}, 0, "The code is ", ""},
		{"the fake, in a language that it does not have", "", "", []string{"-locale", "tlh"}, 1, "", "invalid_locale"},
		{"no such member", "", "", []string{"-member", "member-test-2"}, 1, "No real SMS is sent", "member_not_found"},
		{"its request ID", "", "", []string{"-member", "member-test-2"}, 1, "", "(request ID request-id-test-"},
		{"a number that is none", "", "", []string{"-phone", "555"}, 2, "", "mfa_phone_number"},
		{"an unknown flag", "", "", []string{"-number", "555"}, 2, "", "-organization"},
		{"an argument", "", "", []string{"+12025550123"}, 2, "", "unexpected argument"},
		{"help", "", "", []string{"-h"}, 0, "", "-organization"},
		{"half of the credentials", "project-test-1", "", nil, 2, "", "STYTCH_SECRET"},
		{"credentials without a member", "project-test-1", "secret-test-1", []string{"-organization", "o"}, 2, "", "member_id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("STYTCH_PROJECT_ID", tc.projectID)
			t.Setenv("STYTCH_SECRET", tc.secret)
			var stdout, stderr strings.Builder
			assert.Equal(t, tc.status, run(t.Context(), tc.args, &stdout, &stderr), stderr.String())
			assert.Contains(t, stdout.String(), tc.stdout)
			assert.Contains(t, stderr.String(), tc.stderr)
		})
	}
}

// Nothing answers as Stytch would: an SMS may be out.
func TestRunUnknown(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // Without it, certainly no SMS was sent.
		http.NotFound(w, r)
	}))
	defer elsewhere.Close()
	t.Setenv("STYTCH_PROJECT_ID", "project-test-1")
	t.Setenv("STYTCH_SECRET", "secret-test-1")
	original := http.DefaultTransport
	defer func() { http.DefaultTransport = original }()
	http.DefaultTransport = redirected(elsewhere.Listener.Addr().String())
	var stdout, stderr strings.Builder
	assert.Equal(t, 3, run(t.Context(), []string{"-organization", "o", "-member", "m"}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "an SMS may have been sent")
}

// redirected is a transport that goes to addr over plain http.
type redirected string

func (addr redirected) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = "http", string(addr)
	t := &http.Transport{DisableKeepAlives: true}
	return t.RoundTrip(req)
}

func TestRunCanceled(t *testing.T) {
	t.Setenv("STYTCH_PROJECT_ID", "")
	t.Setenv("STYTCH_SECRET", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	assert.Equal(t, 1, run(ctx, nil, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "no SMS was sent")
}
