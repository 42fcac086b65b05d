package thirdparty_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// atOnce is the default number of concurrent Sends.
const atOnce = 16

// A lab adds faults at the origin, the server behind all intermediaries.
type lab struct {
	*faults.Lab
	arrived atomic.Int64 // requests
	// event, if set, is called in every eventEvery-th request, between the SMS and the
	// answer.
	event func()
	// chance is the probability that a request gets the fault.
	chance float64
	fault  stytchtest.Fault
}

const eventEvery = 50

func newLab(t *testing.T) *lab {
	l := &lab{}
	l.Lab = faults.NewLab(t, faults.HTTP1, l)
	return l
}

// ServeHTTP is the origin's handler.
func (l *lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := l.arrived.Add(1)
	if rand.Float64() < l.chance {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // It was canceled before it arrived.
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		fault := l.fault
		fault.MemberID, _ = faults.Named(body)
		l.Stytch.Fail(fault)
	}
	l.Stytch.ServeHTTP(w, r)
	if l.event != nil && n%eventEvery == 0 {
		l.event()
	}
}

// clients makes two clients for each http.Client: the library, and net/http with
// atmostonce. If it is nil, they use their own transports.
func (l *lab) clients(url string, httpClients ...*http.Client) []faults.Client {
	var clients []faults.Client
	for _, c := range httpClients {
		opts := []stytchb2b.Option{stytchb2b.WithBaseURL(url)}
		if c == nil {
			c = &http.Client{}
		} else {
			opts = append(opts, stytchb2b.WithHTTPClient(c))
		}
		clients = append(clients, l.Sends(l.Library(opts...)))
		plain := &http.Client{
			Transport:     &atmostonce.Transport{Base: c.Transport},
			Timeout:       c.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		l.Cleanup(plain.CloseIdleConnections)
		clients = append(clients, l.ByHand("net/http on atmostonce", url, plain, atmostonce.MaybeSent))
	}
	return clients
}

// transport makes a transport like an application's, changed by the options.
func (l *lab) transport(change ...func(*http.Transport)) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = atOnce
	for _, c := range change {
		c(t)
	}
	l.Cleanup(t.CloseIdleConnections)
	return t
}

// What the origin does once the SMS is out.
var (
	slow   = stytchtest.Fault{Delay: 3 * time.Millisecond}
	slower = stytchtest.Fault{Delay: 20 * time.Millisecond}
	hangs  = stytchtest.Fault{Delay: time.Hour}
	resets = stytchtest.Fault{Reset: true, Processed: true}
)

// settle returns when no more requests arrive. A canceled Send may have left a request
// in transit, and its SMS counts.
func (l *lab) settle() {
	l.Late.Wait()
	last, since := l.arrived.Load(), time.Now()
	require.Eventually(l, func() bool {
		if n := l.arrived.Load(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 150*time.Millisecond
	}, time.Minute, 10*time.Millisecond)
}
