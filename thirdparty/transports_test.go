package thirdparty_test

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/PuerkitoBio/rehttp"
	"github.com/afex/hystrix-go/hystrix"
	"github.com/stretchr/testify/assert"

	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// patience is hystrix's timeout here: half the time of the slowest dial.
const patience = 25 * time.Millisecond

// slowDials makes a new connection for each request, slowly. Like an http.Transport, it
// continues a dial after its request has ended.
func slowDials(l *lab) http.RoundTripper {
	return l.transport(func(t *http.Transport) {
		t.DisableKeepAlives = true
		t.DialContext = func(_ context.Context, network, address string) (net.Conn, error) {
			<-time.After(rand.N(2 * patience))
			return new(net.Dialer).DialContext(context.Background(), network, address)
		}
	})
}

// usedConnections keeps connections open. Some break once the SMS is out.
func usedConnections(l *lab) http.RoundTripper {
	l.chance, l.fault = 0.3, resets
	return l.transport()
}

// sentThenRefused sends the SMS for a Member's first request and answers 503. It
// refuses further requests as Stytch does.
func sentThenRefused(l *lab) http.RoundTripper {
	for i := range *sends {
		l.Stytch.Fail(stytchtest.Fault{MemberID: faults.MemberID(i), StatusCode: 503, Processed: true})
		for range 8 {
			l.Stytch.Fail(stytchtest.Fault{MemberID: faults.MemberID(i), StatusCode: 429})
		}
	}
	return l.transport()
}

func TestTransports(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		network func(*lab) http.RoundTripper
		wrap    func(*lab, http.RoundTripper) http.RoundTripper
	}{
		{"hystrix", slowDials, circuitBreaker},
		{"rehttp", sentThenRefused, retries},
		{"rehttp, used connections", usedConnections, retries},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			results := l.Send(*sends, atOnce, false, l.clients(l.URL, &http.Client{Transport: tt.wrap(l, tt.network(l))})...)
			l.settle()
			tally := l.Check(results)
			assert.Less(t, tally.Well, tally.Sends, "the fault did not happen")
		})
	}
}

// circuitBreaker runs requests as hystrix commands. If one takes too long, hystrix
// returns and leaves it running.
func circuitBreaker(l *lab, next http.RoundTripper) http.RoundTripper {
	name := l.Name() // the command's name; its settings apply to the entire program
	hystrix.ConfigureCommand(name, hystrix.CommandConfig{
		Timeout:                int(patience.Milliseconds()),
		MaxConcurrentRequests:  1000,
		RequestVolumeThreshold: 1 << 30, // The circuit never opens.
	})
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		answers := make(chan *http.Response, 1)
		l.Late.Add(1)
		err := hystrix.Do(name, func() error {
			defer l.Late.Done()
			resp, err := next.RoundTrip(req)
			answers <- resp
			return err
		}, nil)
		if err == nil {
			return <-answers, nil
		}
		l.Late.Go(func() {
			if resp := <-answers; resp != nil {
				_ = resp.Body.Close() // The response is too late.
			}
		})
		return nil, err
	})
}

// retries repeats a request, with its body, after an error or a 503.
func retries(_ *lab, next http.RoundTripper) http.RoundTripper {
	return rehttp.NewTransport(next, rehttp.RetryAll(
		rehttp.RetryMaxRetries(2),
		rehttp.RetryAny(rehttp.RetryStatuses(503), rehttp.RetryIsErr(func(err error) bool { return err != nil })),
	), rehttp.ConstDelay(time.Millisecond))
}
