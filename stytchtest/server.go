package stytchtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/eb715825/stytchb2b"
)

// A Server is a Stytch on a loopback address. Its methods are safe for
// concurrent use.
type Server struct {
	// URL is the base URL, such as "http://127.0.0.1:49152". Start and StartTLS
	// set it.
	URL string

	// ProjectID and Secret are the credentials that requests must carry. They
	// may be changed before the server is started.
	ProjectID, Secret string

	// OrganizationID and MemberID name the Organization and the Member that the
	// server begins with. The Member is active, enrolled in MFA, and has a verified
	// number in the US, an email address and a password: [Server.Member] returns
	// them. The Organization leaves MFA to its Members.
	OrganizationID, MemberID string

	// Listener is what the server listens on. It is a loopback listener, and may be
	// replaced before the server is started.
	Listener net.Listener

	// Config may be changed before the server is started, such as to wrap
	// Config.Handler.
	Config *http.Server

	// Hosts are names, besides localhost, that the certificate of StartTLS is for.
	// They may be set before.
	Hosts []string

	// EnableHTTP2 is whether the server offers HTTP/2 over TLS. It may be set
	// before StartTLS; NewTLSServer sets it.
	EnableHTTP2 bool

	server *httptest.Server
	closed chan struct{} // ends what faults hold up
	once   sync.Once
	ca     []byte // of StartTLS
	logf   func(format string, args ...any)

	mu      sync.Mutex // guards what follows
	signing *signingKey
	state   state
	log     record
	faults  []Fault // for one request each
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
// With Go 1.27 or newer it has no port: it is on an in-memory network of package
// httptest, which only [Server.Client] and [Server.HTTPClient] reach, whatever
// the URL. It can then be made and used in a bubble of package testing/synctest,
// whose clock it goes by. With an older Go it is a server on loopback.
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

// NewTLSServer starts a Server over https, with HTTP/1.1 and HTTP/2 and a
// certificate of its own, which [Server.HTTPClient] trusts.
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
	s.server = httptest.NewUnstartedServer(s)
	// Its own log would be of handshakes and connections that tests break.
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.server.Config.ReadHeaderTimeout = 10 * time.Second
	s.Listener, s.Config = s.server.Listener, s.server.Config
	return s
}

func newServer() *Server {
	s := &Server{
		ProjectID: "project-test-" + uuid(),
		Secret:    "secret-test-" + token(),
		closed:    make(chan struct{}),
		logf:      func(string, ...any) {},
		state:     newState(),
	}
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

// Start starts a server from NewUnstartedServer over plain http.
func (s *Server) Start() {
	s.useListener()
	s.server.Start()
	s.URL = s.server.URL
}

// StartTLS starts a server from NewUnstartedServer over https.
func (s *Server) StartTLS() {
	s.useListener()
	cert := newCertificate(s.Hosts)
	s.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.server.EnableHTTP2 = s.EnableHTTP2
	s.server.StartTLS()
	s.URL = s.server.URL
}

func (s *Server) useListener() {
	if s.Listener != s.server.Listener {
		_ = s.server.Listener.Close()
		s.server.Listener = s.Listener
	}
}

// Close ends what faults hold up, shuts the server down and waits until its
// requests have ended.
func (s *Server) Close() {
	s.once.Do(func() { close(s.closed) })
	s.server.Close()
	s.spareKey()
}

// CertificatePEM returns the certificate of a server that StartTLS started, for
// programs that are to trust it, or nil. It is its own issuer, and made anew
// for each server.
func (s *Server) CertificatePEM() []byte { return bytes.Clone(s.ca) }

// HTTPClient returns an HTTP client for the started server, which trusts its
// certificate. Close closes its idle connections.
func (s *Server) HTTPClient() *http.Client { return s.server.Client() }

// Client returns a client of package stytchb2b for the started server. It
// panics if stytchb2b.NewClient returns an error, as for an invalid option.
func (s *Server) Client(opts ...stytchb2b.Option) *stytchb2b.Client {
	ours := []stytchb2b.Option{stytchb2b.WithBaseURL(s.URL)}
	if s.ca != nil || s.Listener == nil {
		ours = append(ours, stytchb2b.WithHTTPClient(s.HTTPClient()))
	}
	client, err := stytchb2b.NewClient(s.ProjectID, s.Secret, append(ours, opts...)...)
	if err != nil {
		panic("stytchtest: " + err.Error())
	}
	return client
}

// newCertificate makes a certificate for loopback addresses and the hosts that
// vouches for itself.
func newCertificate(hosts []string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("stytchtest: " + err.Error())
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: "stytchtest"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		DNSNames:              append([]string{"localhost"}, hosts...),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic("stytchtest: " + err.Error())
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
