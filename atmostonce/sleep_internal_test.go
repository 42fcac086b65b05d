package atmostonce

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A machine that was asleep is one on which the wall clock is ahead of the
// monotonic one. Only from inside can one be put forward.
func TestSleep(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ahead time.Duration
		dials int
	}{
		"awake":              {0, 1},
		"asleep for a while": {idleTimeout - 5*time.Second, 1},
		"asleep for long":    {idleTimeout + time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			defer s.Close()
			base := NewBase().(*http.Transport)
			defer base.CloseIdleConnections()
			dials := 0
			dial := base.DialContext
			base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials++
				return dial(ctx, network, address)
			}
			transport := &Transport{Base: base}
			client := &http.Client{Transport: transport}
			post := func() {
				resp, err := client.Post(s.URL, "text/plain", strings.NewReader("order"))
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			}
			post()
			transport.sleep.look(time.Now(), time.Now().Add(tt.ahead).Round(0))
			post()
			post() // A sleep is forgotten.
			assert.Equal(t, tt.dials, dials)
		})
	}
}
