package atmostonce_test

import (
	"flag"
	"io"
	"log"
	"testing"

	"github.com/eb715825/stytchb2b/internal/leaktest"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "32") // The tests wait more than they work.
	log.SetOutput(io.Discard)           // net/http writes of connections that are over.
	leaktest.Main(m)
}
