//go:build !go1.27

package stytchtest

import (
	"net/http/httptest"
	"testing"
)

// startForTest starts the server on loopback.
func (s *Server) startForTest(testing.TB) {
	s.Server = httptest.NewUnstartedServer(s)
	s.Start()
}
