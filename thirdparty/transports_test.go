package thirdparty_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/rehttp"
	"github.com/afex/hystrix-go/hystrix"
	"github.com/stretchr/testify/assert"

	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// patience is how long the transports here wait for the one below, and half of
// what the slowest dial takes.
const patience = 25 * time.Millisecond

// slowDials takes its time for a connection, and makes one for each request. It
// goes on with a dial whose request is over, as an http.Transport does.
func slowDials(l *lab) http.RoundTripper {
	return l.transport(func(t *http.Transport) {
		t.DisableKeepAlives = true
		t.DialContext = func(_ context.Context, network, address string) (net.Conn, error) {
			<-time.After(rand.N(2 * patience))
			return new(net.Dialer).DialContext(context.Background(), network, address)
		}
	})
}

// refusedDials cannot make every other connection.
func refusedDials(l *lab) http.RoundTripper {
	var n atomic.Int64
	return l.transport(func(t *http.Transport) {
		t.DisableKeepAlives = true
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if n.Add(1)%2 == 0 {
				address = "127.0.0.1:1" // Nobody listens there.
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	})
}

// usedConnections keeps connections open. Some break when the SMS is out.
func usedConnections(l *lab) http.RoundTripper {
	l.chance, l.fault = 0.3, resets
	return l.transport()
}

// sentThenRefused sends the SMS for a Member's first request and answers 503,
// and refuses the next ones as Stytch does.
func sentThenRefused(l *lab) http.RoundTripper {
	for i := range *sends {
		l.Stytch.Fail(stytchtest.Fault{MemberID: faults.MemberID(i), StatusCode: 503, Processed: true})
		for range 8 {
			l.Stytch.Fail(stytchtest.Fault{
				MemberID: faults.MemberID(i), StatusCode: 429,
				Header: http.Header{"Content-Type": {"application/json"}},
				Body: `{"status_code":429,"request_id":"request-id-test-1","error_type":"too_many_requests",` +
					`"error_message":"Too many requests have been made.","error_url":"https://stytch.com/docs/api/errors/429"}`,
			})
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
		timeout time.Duration // of the http.Client
		fails   bool          // some Sends, or the fault did not happen
	}{
		{name: "slow dials alone", network: slowDials, wrap: alone},
		{name: "slow dials, timeout of the http.Client", network: slowDials, wrap: alone, timeout: patience, fails: true},
		{name: "slow dials, timeout by context", network: slowDials, wrap: contextTimeout, fails: true},
		{name: "hystrix", network: slowDials, wrap: circuitBreaker, fails: true},
		{name: "early", network: slowDials, wrap: early(same), fails: true},
		{name: "early, reads the body first", network: slowDials, wrap: early(buffered), fails: true},
		{name: "early, reads the body first and anew", network: slowDials, wrap: early(replayable), fails: true},
		{name: "early, asks for another body", network: slowDials, wrap: early(anotherBody), fails: true},
		{name: "early, without the cancel", network: slowDials, wrap: early(detached), fails: true},
		{name: "early, reads the body first, without the cancel", network: slowDials, wrap: early(func(req *http.Request) (*http.Request, error) {
			return buffered(req.WithContext(context.WithoutCancel(req.Context())))
		}), fails: true},
		{name: "early, reads the body first, without the context", network: slowDials, wrap: early(func(req *http.Request) (*http.Request, error) {
			return buffered(req.WithContext(context.Background()))
		}), fails: true},
		{name: "early, with an answer of its own", network: slowDials, wrap: fallback, fails: true},
		{name: "loses answers", network: func(l *lab) http.RoundTripper { return l.transport() }, wrap: losesAnswers, fails: true},
		{name: "telemetry, refused dials", network: refusedDials, wrap: telemetry},
		{name: "telemetry, used connections", network: usedConnections, wrap: telemetry, fails: true},
		{name: "buffered, refused dials", network: refusedDials, wrap: changed(buffered)},
		{name: "buffered, used connections", network: usedConnections, wrap: changed(buffered), fails: true},
		{name: "Idempotency-Key", network: usedConnections, wrap: changed(withKey), fails: true},
		// With a body that can be had again, net/http would send these again by itself.
		{name: "Idempotency-Key and a body of its own", network: usedConnections, wrap: changed(func(req *http.Request) (*http.Request, error) {
			req, err := replayable(req)
			if err != nil {
				return nil, err
			}
			return withKey(req)
		}), fails: true},
		{name: "rehttp", network: sentThenRefused, wrap: retries, fails: true},
		{name: "rehttp, used connections", network: usedConnections, wrap: retries, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			clients := l.clients(l.URL, &http.Client{Transport: tt.wrap(l, tt.network(l)), Timeout: tt.timeout})
			results := l.Send(*sends, atOnce, false, clients...)
			l.settle()
			tally := l.Check(results)
			if tt.fails {
				assert.Less(t, tally.Well, tally.Sends)
			} else {
				assert.NotZero(t, tally.Well)
			}
		})
	}
}

func alone(_ *lab, next http.RoundTripper) http.RoundTripper { return next }

// contextTimeout bounds a request as net/http has it.
func contextTimeout(_ *lab, next http.RoundTripper) http.RoundTripper {
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(req.Context(), patience)
		resp, err := next.RoundTrip(req.WithContext(ctx))
		if err != nil {
			cancel()
			return nil, err
		}
		resp.Body = closer{resp.Body, cancel}
		return resp, nil
	})
}

type closer struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c closer) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}

// circuitBreaker runs requests as hystrix commands. When one takes too long,
// hystrix returns and leaves it running.
func circuitBreaker(l *lab, next http.RoundTripper) http.RoundTripper {
	name := l.Name() // of the command; its settings are the whole program's
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
		if err != nil {
			closeLate(l, answers)
			return nil, err
		}
		return <-answers, nil
	})
}

// closeLate closes the body of an answer that comes too late.
func closeLate(l *lab, answers <-chan *http.Response) {
	l.Late.Go(func() {
		if resp := <-answers; resp != nil {
			_ = resp.Body.Close()
		}
	})
}

var errPatience = errors.New("out of patience")

// early returns when its patience ends, and leaves the transport below to go on
// with the request that change returns.
func early(change func(*http.Request) (*http.Request, error)) func(*lab, http.RoundTripper) http.RoundTripper {
	return func(l *lab, next http.RoundTripper) http.RoundTripper {
		return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
			req, err := change(req)
			if err != nil {
				return nil, err
			}
			answers, failures := make(chan *http.Response, 1), make(chan error, 1)
			l.Late.Go(func() {
				resp, err := next.RoundTrip(req)
				if err != nil {
					failures <- err
				}
				answers <- resp
			})
			select {
			case resp := <-answers:
				if resp == nil {
					return nil, <-failures
				}
				return resp, nil
			case <-time.After(patience):
				closeLate(l, answers)
				return nil, errPatience
			}
		})
	}
}

// fallback is early, and answers 429 by itself.
func fallback(l *lab, next http.RoundTripper) http.RoundTripper {
	inner := early(same)(l, next)
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := inner.RoundTrip(req)
		if errors.Is(err, errPatience) {
			return &http.Response{
				StatusCode: http.StatusTooManyRequests,
				ProtoMajor: 1, ProtoMinor: 1,
				Header:  http.Header{"Retry-After": {"0"}},
				Body:    io.NopCloser(bytes.NewReader([]byte(`{"message":"busy"}`))),
				Request: req,
			}, nil
		}
		return resp, err
	})
}

// changed passes on the request that change returns.
func changed(change func(*http.Request) (*http.Request, error)) func(*lab, http.RoundTripper) http.RoundTripper {
	return func(_ *lab, next http.RoundTripper) http.RoundTripper {
		return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
			req, err := change(req)
			if err != nil {
				return nil, err
			}
			return next.RoundTrip(req)
		})
	}
}

func same(req *http.Request) (*http.Request, error) { return req, nil }

// buffered reads the body, and passes on a copy.
func buffered(req *http.Request) (*http.Request, error) {
	req, err := replayable(req)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil
	return req, nil
}

// replayable is buffered with a body that can be had again.
func replayable(req *http.Request) (*http.Request, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	_ = req.Body.Close()
	req = req.Clone(req.Context())
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, err = req.GetBody()
	return req, err
}

// anotherBody leaves the body alone and asks for another one, if there is one.
func anotherBody(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body = body
	return req, nil
}

// detached keeps the context's values only, so that the request goes on when
// the Send has returned.
func detached(req *http.Request) (*http.Request, error) {
	return req.WithContext(context.WithoutCancel(req.Context())), nil
}

// withKey has net/http take a POST for one that can be sent twice.
func withKey(req *http.Request) (*http.Request, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Idempotency-Key", "key")
	return req, nil
}

// losesAnswers returns an error instead of every other answer.
func losesAnswers(_ *lab, next http.RoundTripper) http.RoundTripper {
	var n atomic.Int64
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err != nil || n.Add(1)%2 == 0 {
			return resp, err
		}
		_ = resp.Body.Close()
		return nil, errors.New("the answer is lost")
	})
}

// telemetry does to a request what OpenTelemetry's transport does: it passes on
// a copy, whose context has a value and hooks of its own more and whose body is
// counted.
func telemetry(_ *lab, next http.RoundTripper) http.RoundTripper {
	type key struct{}
	return faults.RoundTripper(func(req *http.Request) (*http.Response, error) {
		ctx := context.WithValue(req.Context(), key{}, "span")
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) {}})
		req = req.Clone(ctx)
		if req.Body != nil && req.Body != http.NoBody {
			req.Body = &counted{ReadCloser: req.Body}
		}
		req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		return next.RoundTrip(req)
	})
}

type counted struct {
	io.ReadCloser
	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// retries sends a request again, with its body, after an error or a 503.
func retries(_ *lab, next http.RoundTripper) http.RoundTripper {
	return rehttp.NewTransport(next, rehttp.RetryAll(
		rehttp.RetryMaxRetries(2),
		rehttp.RetryAny(rehttp.RetryStatuses(503), rehttp.RetryIsErr(func(err error) bool { return err != nil })),
	), rehttp.ConstDelay(time.Millisecond))
}
