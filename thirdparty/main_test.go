package thirdparty_test

import (
	"encoding/pem"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

var sends = flag.Int("sends", 150, "the number of Sends in each scenario")

// serverPEM is the certificate of httptest's servers, which all servers here
// use.
var serverPEM []byte

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	serverPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	server.Close()

	dir, err := os.MkdirTemp("", "thirdparty")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, serverPEM, 0o600); err != nil {
		panic(err)
	}
	// With this also a client trusts the servers that is left its own transport.
	_ = os.Setenv("SSL_CERT_FILE", roots)
	// A container may not let it have the buffers that it wants; it works all
	// the same.
	_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	return m.Run()
}
