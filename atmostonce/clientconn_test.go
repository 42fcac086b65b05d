//go:build go1.26

package atmostonce_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestClientConn has a Base that goes another way, which reports no connection, when
// its proxy refuses.
func TestClientConn(t *testing.T) {
	t.Parallel()
	for _, proto := range faults.Protocols {
		for _, tries := range []int{1, 2} {
			t.Run(string(proto), func(t *testing.T) {
				t.Parallel()
				l := &ledger{fault: breakOff}
				s := faults.Serve(t, proto, l)
				plain := s.Transport()
				proxied := s.Transport(func(t *http.Transport) {
					t.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://" + faults.Nobody) }
				})
				base := faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
					_, err := proxied.RoundTrip(req)
					require.Error(t, err)
					for range tries {
						var conn *http.ClientConn
						conn, err = plain.NewClientConn(req.Context(), req.URL.Scheme, net.JoinHostPort(req.URL.Hostname(), req.URL.Port()))
						require.NoError(t, err)
						defer conn.Close()
						again := req.Clone(req.Context())
						if again.Body, err = req.GetBody(); err != nil {
							break
						}
						var resp *http.Response
						if resp, err = conn.RoundTrip(again); err == nil {
							return resp, nil
						}
					}
					return nil, err
				})
				got, err := post(t, &http.Client{Transport: &atmostonce.Transport{Base: base}}, l, s.URL, "order")
				require.Error(t, err)
				require.NotErrorIs(t, err, io.ErrClosedPipe)
				assert.Equal(t, end{sent: true, acts: 1}, got, "%v", err)
			})
		}
	}
}
