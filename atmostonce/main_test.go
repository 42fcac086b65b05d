package atmostonce_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/internal/leaktest"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16") // The tests wait more than they work.
	log.SetOutput(io.Discard)           // net/http writes of connections that are over.
	leaktest.Main(m)
}

// limit is how long a test waits for one thing.
const limit = time.Minute

// limited returns a context that ends what hangs.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errors.New("it hangs"))
	t.Cleanup(cancel)
	return ctx
}

// newRequest makes a request that ends within the limit.
func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(limited(t), method, url, body)
	require.NoError(t, err)
	return req
}

// within fails the test if do hangs.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Error(what + " hangs")
	}
}
