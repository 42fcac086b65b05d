package redisstore_test

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proxy stands between a client and a server.
type proxy struct {
	addr string
	lose atomic.Bool  // close the connection instead of the answer to the next script
	lost atomic.Int64 // how often
}

func newProxy(t *testing.T, server string) *proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{addr: listener.Addr().String()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	closed := false
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, client, upstream)
			if closed {
				_, _ = client.Close(), upstream.Close()
			}
			mu.Unlock()
			var doomed atomic.Bool
			wg.Go(func() {
				pass(client, upstream, func(data []byte) bool {
					if bytes.Contains(data, []byte("evalsha")) && p.lose.CompareAndSwap(true, false) {
						doomed.Store(true)
					}
					return true
				})
			})
			wg.Go(func() {
				pass(upstream, client, func([]byte) bool {
					if doomed.Load() {
						p.lost.Add(1)
						return false
					}
					return true
				})
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		closed = true
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return p
}

// pass copies what comes, while it may, and then closes both.
func pass(from, to net.Conn, may func([]byte) bool) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !may(buf[:n]) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
