package main

import (
	"context"
	"io"
	"net/http"
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
		{"the fake, in a language that it does not have", "", "", []string{"-locale", "tlh"}, 1, "", "invalid_locale"},
		{"no such member", "", "", []string{"-member", "member-test-2"}, 1, "No real SMS is sent", "member_not_found"},
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

// The connection breaks after the request.
func TestRunUnknown(t *testing.T) {
	t.Setenv("STYTCH_PROJECT_ID", "project-test-1")
	t.Setenv("STYTCH_SECRET", "secret-test-1")
	original := http.DefaultTransport
	defer func() { http.DefaultTransport = original }()
	http.DefaultTransport = broken{}
	var stdout, stderr strings.Builder
	assert.Equal(t, 3, run(t.Context(), []string{"-organization", "o", "-member", "m"}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "an SMS may have been sent")
}

type broken struct{}

func (broken) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, req.Body)
	return nil, io.ErrUnexpectedEOF
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
