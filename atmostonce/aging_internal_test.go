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
// monotonic one. Only from inside can a connection be made older.
func TestAging(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		older time.Duration
		dials int
	}{
		"just used":          {0, 1},
		"a while ago":        {idleTimeout - 5*time.Second, 1},
		"asleep in between":  {idleTimeout + time.Second, 2},
		"the clock set back": {-24 * time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			defer s.Close()
			base := NewTransport().(*http.Transport)
			defer base.CloseIdleConnections()
			var conns []*agingConn
			dial := base.DialContext
			base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if err == nil {
					conns = append(conns, conn.(*agingConn))
				}
				return conn, err
			}
			client := &http.Client{Transport: &Transport{Base: base}}
			for range 2 {
				resp, err := client.Post(s.URL, "text/plain", strings.NewReader("order"))
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				conns[0].used.Add(-int64(tt.older))
			}
			assert.Len(t, conns, tt.dials)
		})
	}
}
