package atmostonce_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
)

// A pipeNet is a network inside a synctest bubble.
type pipeNet struct {
	*faults.Pipe
	wait   func(n int) time.Duration    // for the nth dial
	report func(*httptrace.ClientTrace) // what a net.Dialer would report; nil: that it connects
	dials  atomic.Int32
}

func (p *pipeNet) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n := p.dials.Add(1)
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.ConnectStart != nil {
		if p.report != nil {
			p.report(trace)
		} else {
			trace.ConnectStart("tcp", "")
		}
	}
	select {
	case <-time.After(p.wait(int(n))):
	case <-p.Closed():
	}
	return p.DialContext(context.WithoutCancel(ctx), network, address)
}

const forever = 24 * time.Hour

// TestConnect has dials that take their time. What plain net/http delivers within
// the caller's time is delivered.
func TestConnect(t *testing.T) {
	t.Parallel()
	always := func(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }
	tlsServer := faults.Serve(t, faults.HTTPS1, &ledger{})
	firstHangs := func(n int) time.Duration {
		if n == 1 {
			return forever
		}
		return 0
	}
	for name, tt := range map[string]struct {
		dial     func(n int) time.Duration
		tls      bool          // the time is that of the handshake
		deadline time.Duration // 0: none
		once     time.Duration // connect, for Once
		change   func(*http.Transport)
		report   func(*httptrace.ClientTrace)
		answers  time.Duration // how long that takes
		want     end
		at       time.Duration // when it ends, without the waits
		dials    int
	}{
		"slow":                        {dial: always(1500 * time.Millisecond), deadline: 2 * time.Second, want: end{200, true, 1}, at: 1500 * time.Millisecond, dials: 2},
		"a dead name server":          {dial: always(5050 * time.Millisecond), deadline: 10 * time.Second, want: end{200, true, 1}, at: 5050 * time.Millisecond, dials: 1},
		"slow, within the share":      {dial: always(3500 * time.Millisecond), deadline: 10 * time.Second, want: end{200, true, 1}, at: 3500 * time.Millisecond, dials: 1},
		"slow, without a deadline":    {dial: always(time.Minute), want: end{200, true, 1}, at: time.Minute, dials: 1},
		"slow, a short deadline":      {dial: always(700 * time.Millisecond), deadline: 900 * time.Millisecond, want: end{200, true, 1}, at: 700 * time.Millisecond, dials: 1},
		"the first hangs":             {dial: firstHangs, deadline: 10 * time.Second, want: end{200, true, 1}, at: 5 * time.Second, dials: 2},
		"slow handshake":              {dial: always(3500 * time.Millisecond), tls: true, deadline: 10 * time.Second, want: end{200, true, 1}, at: 3500 * time.Millisecond, dials: 1},
		"the first handshake hangs":   {dial: firstHangs, tls: true, deadline: 10 * time.Second, want: end{200, true, 1}, at: 5 * time.Second, dials: 2},
		"all hang":                    {dial: always(forever), deadline: 10 * time.Second, at: 10 * time.Second, dials: 3},
		"slow answer":                 {dial: always(0), answers: 8 * time.Second, deadline: 10 * time.Second, want: end{200, true, 1}, at: 8 * time.Second, dials: 1},
		"the first name server hangs": {dial: firstHangs, report: resolves, deadline: 10 * time.Second, want: end{200, true, 1}, at: 5 * time.Second, dials: 2},
		"once":                        {dial: always(2 * time.Second), once: time.Second, deadline: 10 * time.Second, at: time.Second, dials: 1},
		"once, in time":               {dial: always(2 * time.Second), once: 3 * time.Second, want: end{200, true, 1}, at: 2 * time.Second, dials: 1},
		"once, with a limit of conns": {dial: always(2 * time.Second), once: time.Second, change: limitConns, at: time.Second, dials: 1},
	} {
		for _, wrapped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/wrapped=%v", name, wrapped), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					n := &pipeNet{Pipe: faults.NewPipe(), wait: tt.dial, report: tt.report}
					l := &ledger{fault: func(http.ResponseWriter, *http.Request) { time.Sleep(tt.answers) }}
					server := &http.Server{Handler: l, ErrorLog: log.New(io.Discard, "", 0)}
					defer server.Close()
					base := atmostonce.NewBase().(*http.Transport)
					base.DialContext = n.dial
					url := "http://127.0.0.1"
					if tt.tls {
						url = "https://127.0.0.1"
						tlsServer.Trust(base)
						n.wait = always(0)
						n.report = func(*httptrace.ClientTrace) {} // as another dialer
						var handshakes atomic.Int64
						go func() {
							_ = server.Serve(tls.NewListener(n, &tls.Config{
								Certificates: tlsServer.TLS.Certificates,
								// A net.Pipe has no room for tickets that nobody reads yet.
								SessionTicketsDisabled: true,
								GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
									select {
									case <-time.After(tt.dial(int(handshakes.Add(1)))):
										return nil, nil
									case <-n.Closed():
										return nil, net.ErrClosed
									}
								},
							}))
						}()
					} else {
						go func() { _ = server.Serve(n) }()
					}
					if tt.change != nil {
						tt.change(base)
					}
					defer base.CloseIdleConnections()
					transport := &atmostonce.Transport{Base: base}
					if wrapped {
						transport.Base = faults.RoundTripper(base.RoundTrip)
					}
					ctx := context.Background()
					if tt.deadline > 0 {
						c, cancel := context.WithTimeout(ctx, tt.deadline)
						defer cancel()
						ctx = c
					}
					req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("order"))
					require.NoError(t, err)
					start := time.Now()
					var resp *http.Response
					if tt.once > 0 {
						resp, err = transport.Once(req, tt.once)
					} else {
						resp, err = transport.RoundTrip(req)
					}
					took := time.Since(start)
					got := end{sent: atmostonce.MaybeSent(err), acts: l.of("order")}
					if err == nil {
						got.status = resp.StatusCode
						_ = resp.Body.Close()
					}
					assert.Equal(t, tt.want, got, "%v", err)
					assert.GreaterOrEqual(t, took, tt.at)
					assert.LessOrEqual(t, took, tt.at+500*time.Millisecond)
					assert.EqualValues(t, tt.dials, n.dials.Load())
				})
			})
		}
	}
}

func limitConns(t *http.Transport) { t.MaxConnsPerHost = 1 }

func resolves(t *httptrace.ClientTrace) { t.DNSStart(httptrace.DNSStartInfo{}) }

// TestCancel has a request that its Cancel channel ends: at once, not after a
// retry.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]time.Duration{"before": 0, "in the dial": 10 * time.Millisecond, "in the wait": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				base := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					if name == "in the dial" {
						time.Sleep(time.Minute)
					}
					return nil, errors.New("connection refused")
				}}
				cancel := make(chan struct{})
				req, err := http.NewRequest(http.MethodPost, "http://example.com", io.MultiReader(strings.NewReader("order")))
				require.NoError(t, err)
				//lint:ignore SA1019 http.Client sets it.
				req.Cancel = cancel
				time.AfterFunc(when, func() { close(cancel) })
				if when == 0 {
					synctest.Wait()
				}
				start := time.Now()
				_, err = (&atmostonce.Transport{Base: base}).RoundTrip(req)
				require.Error(t, err)
				assert.False(t, atmostonce.MaybeSent(err), "%v", err)
				assert.Equal(t, when, time.Since(start))
				time.Sleep(time.Minute)
			})
		})
	}
}
