package stytchtest

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/eb715825/stytchb2b"
)

// A Server is a Stytch on a loopback address. Its methods are safe for
// concurrent use.
//
// It embeds an [httptest.Server], whose fields work as usual: URL is the base URL, and
// Listener, Config, TLS and EnableHTTP2 may be changed before Start or StartTLS.
type Server struct {
	*httptest.Server

	// ProjectID and Secret are the credentials that requests must carry. They
	// may be changed before the server is started.
	ProjectID, Secret string

	// OrganizationID and MemberID name the Organization and the Member that the
	// server begins with. The Member is active, enrolled in MFA, and has a verified
	// number in the US, an email address and a password: [Server.Member] returns
	// them. In the Organization, MFA is optional.
	OrganizationID, MemberID string

	// FirstFactorEndsFailures is whether a primary authentication that leads to MFA
	// resets the count of consecutive failures that locks a Member. Stytch does not
	// document whether it does. If so, anyone with the password can guess codes without
	// limit. Set it before the first request.
	FirstFactorEndsFailures bool

	closed <-chan struct{} // ends the delays of faults
	end    func()
	logf   func(format string, args ...any)

	mu      sync.Mutex // guards the fields below
	state   state
	log     record
	faults  []Fault // one request each
	lasting []Fault
}

// NewServer starts a Server over plain http. The caller should call Close when
// finished, to shut it down. It panics if no port is available.
func NewServer() *Server {
	s := NewUnstartedServer()
	s.Start()
	return s
}

// NewTestServer starts a Server for a test, and closes it when the test ends. It
// logs each request and each SMS to t.
//
// With Go 1.27 or newer, it has no port: it uses package httptest's in-memory network,
// which only [Server.Client] and [Server.HTTPClient] reach, whatever the URL. So it
// works inside a testing/synctest bubble and follows the bubble's clock. With older Go,
// it listens on loopback.
func NewTestServer(t testing.TB) *Server {
	s := newServer()
	s.logf = func(format string, args ...any) {
		t.Helper()
		t.Logf("stytchtest: "+format, args...)
	}
	s.startForTest(t)
	t.Cleanup(s.Close)
	return s
}

// NewTLSServer starts a Server over https, with HTTP/1.1 and HTTP/2. It uses package
// httptest's certificate, which [Server.HTTPClient] trusts.
func NewTLSServer() *Server {
	s := NewUnstartedServer()
	s.EnableHTTP2 = true
	s.StartTLS()
	return s
}

// NewUnstartedServer returns a Server that listens, but does not answer yet.
// After changing its configuration, the caller should call Start or StartTLS.
func NewUnstartedServer() *Server {
	s := newServer()
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // It would log the handshakes and connections that tests break.
	return s
}

func newServer() *Server {
	s := &Server{
		ProjectID: "project-test-" + uuid(),
		Secret:    "secret-test-" + token(),
		logf:      func(string, ...any) {},
		state:     newState(),
	}
	ctx, end := context.WithCancel(context.Background())
	s.closed, s.end = ctx.Done(), end
	s.log.changed = make(chan struct{})
	org, _ := s.AddOrganization(Organization{})
	member, _ := s.AddMember(Member{
		OrganizationID:         org.OrganizationID,
		Name:                   "Ada Lovelace",
		EmailAddress:           "ada@example.com",
		Password:               "the Analytical Engine, 1843",
		MFAPhoneNumber:         "+12025550106",
		MFAPhoneNumberVerified: true,
		MFAEnrolled:            true,
	})
	s.OrganizationID, s.MemberID = org.OrganizationID, member.MemberID
	return s
}

// Close ends the delays of faults, shuts the server down, and waits for its requests
// to end.
func (s *Server) Close() {
	s.end()
	s.Server.Close()
}

// HTTPClient returns an HTTP client for the started server, which trusts its
// certificate. Close closes its idle connections.
func (s *Server) HTTPClient() *http.Client { return s.Server.Client() }

// Client returns a client of package stytchb2b for the started server. It
// panics if stytchb2b.NewClient returns an error, as for an invalid option.
func (s *Server) Client(opts ...stytchb2b.Option) *stytchb2b.Client {
	ours := []stytchb2b.Option{stytchb2b.WithBaseURL(s.URL)}
	if s.TLS != nil || s.Listener == nil { // The latter is an in-memory network.
		ours = append(ours, stytchb2b.WithHTTPClient(s.HTTPClient()))
	}
	return must(stytchb2b.NewClient(s.ProjectID, s.Secret, append(ours, opts...)...))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic("stytchtest: " + err.Error())
	}
	return v
}
