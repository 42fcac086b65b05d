package atmostonce

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// ownConnectTimeout bounds each step to a connection, and with a Transport's own
// Base all of them, so that a host or a proxy that does not answer leaves time to
// try again.
const ownConnectTimeout = 3 * time.Second

// idleTimeout is less than the 60 s of common load balancers: if the other side
// is just closing the connection, the outcome of a request on it is unknown.
const idleTimeout = 45 * time.Second

// NewTransport returns the transport that a [Transport] uses by default, for
// programs that wrap it and set the result as Base.
//
// It is a clone of [http.DefaultTransport], with its dialer and proxy, that speaks
// HTTP/1.1, gives up connecting after 3 seconds, resumes TLS sessions, and keeps up
// to 256 idle connections to a host (net/http keeps 2) for 45 seconds, also by the
// wall clock, which goes on while a machine is asleep. If the program has replaced
// http.DefaultTransport with something other than an [*http.Transport], such as a
// mock, NewTransport returns that.
func NewTransport() http.RoundTripper {
	defaultTransport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t := defaultTransport.Clone()
	t.DialContext = aging(dialWithin(ownConnectTimeout, t.DialContext))
	t.DialTLSContext = dialWithin(ownConnectTimeout, t.DialTLSContext)
	t.TLSHandshakeTimeout = ownConnectTimeout
	t.MaxIdleConns = 256
	t.MaxIdleConnsPerHost = 256
	t.IdleConnTimeout = idleTimeout
	// Over HTTP/2, proxies reset streams that they have processed in a way that
	// asks for another try (https://github.com/haproxy/haproxy/issues/3414), and
	// one broken connection leaves the outcome of many requests unknown.
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = nil
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	if t.TLSClientConfig.ClientSessionCache == nil {
		t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	return t
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialWithin bounds the time of dial, if there is one.
func dialWithin(timeout time.Duration, dial dialFunc) dialFunc {
	if dial == nil {
		return nil
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return dial(ctx, network, addr)
	}
}

// aging makes connections whose idle time is also counted by the wall clock.
func aging(dial dialFunc) dialFunc {
	if dial == nil {
		return nil
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c := &agingConn{Conn: conn}
		c.use()
		return c, nil
	}
}

// An agingConn knows when it was last used, by the wall clock. While a machine
// is asleep, its monotonic clock stands still, and with it the one that
// IdleConnTimeout goes by; what is on the way forgets the connection meanwhile.
type agingConn struct {
	net.Conn
	used atomic.Int64 // Unix time in nanoseconds
}

func (c *agingConn) use() { c.used.Store(time.Now().UnixNano()) }

// expired reports whether the connection was idle for too long. A clock that was
// set back does no harm.
func (c *agingConn) expired() bool {
	return time.Now().UnixNano()-c.used.Load() > int64(idleTimeout)
}

func (c *agingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.use()
	return n, err
}

func (c *agingConn) Write(p []byte) (int, error) {
	c.use()
	return c.Conn.Write(p)
}

// SyscallConn is for what looks at the socket.
func (c *agingConn) SyscallConn() (syscall.RawConn, error) {
	if conn, ok := c.Conn.(syscall.Conn); ok {
		return conn.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
