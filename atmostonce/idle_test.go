package atmostonce_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

var times = flag.Int("times", 1, "how many times as much the tests of idle connections do")

var overHTTP1 = []faults.Protocol{faults.HTTP1, faults.HTTPS1}

// own makes a Transport with a Base as it would be its own, that trusts the server.
func own(t *testing.T, s *faults.Server) *atmostonce.Transport {
	base := atmostonce.NewBase().(*http.Transport)
	s.Trust(base)
	t.Cleanup(base.CloseIdleConnections)
	return &atmostonce.Transport{Base: base}
}

// open leaves n idle connections to a server that answers a GET with a body. A
// connection is busy until that is read.
func open(t *testing.T, client *http.Client, url string, n int) {
	client.CloseIdleConnections()
	var answers []*http.Response
	for range n {
		resp, err := client.Do(newRequest(t, http.MethodGet, url, nil))
		require.NoError(t, err)
		answers = append(answers, resp)
	}
	for _, resp := range answers {
		_, err := io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
}

// TestLiveConnection keeps connections that are alive, with TLS 1.3's session
// tickets among what has come on them.
func TestLiveConnection(t *testing.T) {
	t.Parallel()
	for _, proto := range faults.Protocols {
		for _, atOnce := range []int{1, 16} {
			t.Run(fmt.Sprintf("%s/%d at once", proto, atOnce), func(t *testing.T) {
				t.Parallel()
				l := &ledger{}
				s := faults.Serve(t, proto, l)
				var dials atomic.Int64
				base := s.Transport(func(t *http.Transport) {
					t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
						dials.Add(1)
						return new(net.Dialer).DialContext(ctx, network, address)
					}
				})
				client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
				open(t, client, s.URL, atOnce)
				opened := dials.Load()
				var wg sync.WaitGroup
				for i := range atOnce {
					wg.Go(func() {
						for j := range 48 * *times / atOnce {
							order := fmt.Sprint(i, "-", j)
							got, err := post(t, client, l, s.URL, order)
							assert.Equal(t, end{200, true, 1}, got, "%v", err)
						}
					})
				}
				wg.Wait()
				// net/http itself drops one now and then, on a busy machine.
				assert.LessOrEqual(t, dials.Load()-opened, int64(16**times))
				t.Logf("%d connections more", dials.Load()-opened)
			})
		}
	}
}
