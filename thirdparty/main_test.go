package thirdparty_test

import (
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/eb715825/stytchb2b/internal/faults"
)

var sends = flag.Int("sends", 60, "the least number of Sends in each scenario")

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "thirdparty")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, certPEM(), 0o600); err != nil {
		panic(err)
	}
	// So clients that use their own transport trust the servers.
	_ = os.Setenv("SSL_CERT_FILE", roots)
	// A container may refuse the buffers that quic-go asks for. It works anyway.
	_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	return m.Run()
}

// certPEM is the certificate of all servers here.
func certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: faults.Certificate().Certificate[0]})
}
