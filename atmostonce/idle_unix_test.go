//go:build unix

package atmostonce_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// TestIdleConnection has a server that does something to a kept connection. The
// next request takes another one, at once, however many are dead.
func TestIdleConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(net.Conn) error
		// always is whether the end stays to be seen. Bytes do not, once net/http has
		// taken them in: it may not have closed the connection yet.
		always bool
	}{
		{"close", net.Conn.Close, true},
		{"reset", func(c net.Conn) error {
			if c, ok := c.(*tls.Conn); ok {
				_ = c.NetConn().(*net.TCPConn).SetLinger(0)
				return c.NetConn().Close()
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			return c.Close()
		}, true},
		{"half close", func(c net.Conn) error { return c.(interface{ CloseWrite() error }).CloseWrite() }, false},
		{"write text", func(c net.Conn) error { return write(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n") }, false},
		{"write a byte", func(c net.Conn) error { return write(c, "\n") }, false},
	} {
		for _, proto := range overHTTP1 {
			t.Run(tt.name+"/"+string(proto), func(t *testing.T) {
				t.Parallel()
				const conns = 8
				l := &ledger{}
				var mu sync.Mutex
				var kept []net.Conn
				s := faults.Serve(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPost {
						l.ServeHTTP(w, r)
						return
					}
					conn, rw, err := http.NewResponseController(w).Hijack()
					if err != nil {
						panic(err)
					}
					t.Cleanup(func() { _ = conn.Close() })
					mu.Lock()
					kept = append(kept, conn) // before the client has its answer
					mu.Unlock()
					_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
					_ = rw.Flush()
				}))
				client := &http.Client{Transport: own(t, s)}
				rounds, through := 6**times, 0
				for i := range rounds {
					open(t, client, s.URL, conns)
					mu.Lock()
					for _, conn := range kept {
						_ = tt.do(conn)
					}
					kept = nil
					mu.Unlock()
					order := fmt.Sprint("order ", i)
					got, err := post(t, client, l, s.URL, order)
					switch got.status {
					case http.StatusOK:
						through++
						assert.Equal(t, 1, got.acts)
					case http.StatusRequestTimeout:
						// net/http has read it before the request, and takes it for the
						// answer. It proves nothing.
						assert.LessOrEqual(t, got.acts, 1)
					default:
						assert.Zero(t, got.acts, "%v", err)
					}
				}
				if tt.always { // On a busy machine, the end may come late now and then.
					assert.GreaterOrEqual(t, through, rounds-rounds/6)
				} else {
					assert.Greater(t, 2*through, rounds)
				}
			})
		}
	}
}

func write(c net.Conn, text string) error {
	_, err := io.WriteString(c, text)
	return err
}

// TestNothingButDead has a Base that fails for each dead connection, as net/http
// does if it finds out at the same time. None of them costs a try. If a live one came
// after it, the request may have been sent.
func TestNothingButDead(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	s := faults.Serve(t, faults.HTTP1, l)
	left, next := 10, faults.Plain(s)
	base := faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		if left--; left < 0 {
			return next.RoundTrip(req)
		}
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		trace := httptrace.ContextClientTrace(req.Context())
		trace.GetConn("")
		trace.GotConn(httptrace.GotConnInfo{Conn: conn, Reused: true, WasIdle: true})
		if l.fault != nil {
			return next.RoundTrip(req)
		}
		return nil, io.EOF
	})
	client := &http.Client{Transport: &atmostonce.Transport{Base: base}}
	got, err := post(t, client, l, s.URL, "order")
	assert.Equal(t, end{200, true, 1}, got, "%v", err)

	left, l.fault = 1, breakOff
	got, err = post(t, client, l, s.URL, "broken")
	require.Error(t, err)
	assert.Equal(t, end{sent: true, acts: 1}, got, "%v", err)
}
