//go:build go1.27

package stytchtest

import (
	"net/http/httptest"
	"testing"
)

// startForTest starts the server on an in-memory network.
func (s *Server) startForTest(t testing.TB) {
	s.Server = httptest.NewTestServer(t, s)
	_ = s.HTTPClient() // It starts the server.
	s.URL = "http://127.0.0.1"
}
