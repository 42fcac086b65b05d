package atmostonce

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSleep has a machine that was asleep: its wall clock is ahead of the monotonic
// one. Only from inside can one be put forward.
func TestSleep(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ahead time.Duration
		dials int
	}{
		"awake":               {0, 1},
		"asleep for a while":  {idleTimeout - time.Second, 1},
		"asleep for too long": {idleTimeout - time.Second + time.Millisecond, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dials := 0
				base := NewBase().(*http.Transport)
				defer base.CloseIdleConnections()
				base.DialContext = func(context.Context, string, string) (net.Conn, error) {
					dials++
					ours, theirs := net.Pipe()
					go func() {
						defer theirs.Close()
						for r := bufio.NewReader(theirs); ; {
							req, err := http.ReadRequest(r)
							if err != nil {
								return
							}
							_, _ = io.Copy(io.Discard, req.Body)
							_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
						}
					}()
					return ours, nil
				}
				transport := &Transport{Base: base}
				post := func() {
					resp, err := (&http.Client{Transport: transport}).Post("http://example.com", "text/plain", strings.NewReader("order"))
					require.NoError(t, err)
					require.NoError(t, resp.Body.Close())
					time.Sleep(time.Second)
				}
				post()
				transport.sleep.look(time.Now(), time.Now().Add(tt.ahead).Round(0))
				post()
				post() // A sleep is forgotten.
				assert.Equal(t, tt.dials, dials)
			})
		})
	}
}
