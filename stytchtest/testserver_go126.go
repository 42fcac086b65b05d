//go:build !go1.27

package stytchtest

import (
	"net/http/httptest"
	"testing"
)

// startForTest starts the server on loopback.
func (s *Server) startForTest(testing.TB) {
	s.server = httptest.NewUnstartedServer(s)
	s.Listener, s.Config = s.server.Listener, s.server.Config
	s.Start()
}
