package stytchb2b_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

var params = stytchb2b.SMSSendParams{OrganizationID: "organization-test-1", MemberID: "member-test-1"}

// An end is the result of an attempt, without a network.
type end struct {
	status     int    // of an answer, or 0 for an error
	retryAfter string // header of the answer
	connected  bool   // the error came after a connection was handed over
	err        error
	body       string
	refusal    stytchb2b.ErrorType // of a Stytch error object that is the body
}

var (
	errNetwork = errors.New("the network failed")

	refused   = end{err: errNetwork}
	broken    = end{err: errNetwork, connected: true}
	untrusted = end{err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}
	limited   = end{status: 429, refusal: stytchb2b.ErrorTypeTooManyRequests, retryAfter: "0"}
	garbage   = end{status: 200, body: "<html>"}

	// ok is a success of both calls.
	ok = end{status: 200, body: `{"status_code":200,"request_id":"request-id-test-1","member_id":"member-test-1",` +
		`"session_token":"a token","session_jwt":"a.b.c","member_session":{"member_session_id":"member-session-test-1"}}`}
)

// stytchError is the body of an error of Stytch's.
func stytchError(status int, errorType stytchb2b.ErrorType) string {
	return fmt.Sprintf(`{"status_code":%d,"request_id":"request-id-test-0","error_type":%q,"error_message":"A message.","error_url":"https://stytch.com/docs"}`, status, errorType)
}

// do ends an attempt as net/http's transport would.
func (e end) do(req *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(req.Context())
	trace.GetConn("stytch:443")
	if e.connected || e.status != 0 {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	_, _ = io.Copy(io.Discard, req.Body)
	_ = req.Body.Close()
	if e.err != nil {
		return nil, e.err
	}
	body := e.body
	if e.refusal != "" {
		body = stytchError(e.status, e.refusal)
	}
	resp := &http.Response{StatusCode: e.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}
	if e.retryAfter != "" {
		resp.Header.Set("Retry-After", e.retryAfter)
	}
	return resp, nil
}

// A script is a transport with a given result for each attempt; the last one repeats. It
// records the times of the attempts.
type script struct {
	ends []end
	at   []time.Time
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	e := s.ends[min(len(s.at), len(s.ends)-1)]
	s.at = append(s.at, time.Now())
	return e.do(req)
}

// waits are the times between the attempts.
func (s *script) waits() []time.Duration {
	var waits []time.Duration
	for i := 1; i < len(s.at); i++ {
		waits = append(waits, s.at[i].Sub(s.at[i-1]))
	}
	return waits
}

func newClient(t testing.TB, transport http.RoundTripper, opts ...stytchb2b.Option) *stytchb2b.Client {
	client, err := stytchb2b.NewClient("project-test-1", "secret-test-1",
		append([]stytchb2b.Option{stytchb2b.WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
	require.NoError(t, err)
	return client
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const timeout = 8 * time.Second
	patient := stytchb2b.RetryPolicy{MaxWait: time.Minute}
	for _, tc := range []struct {
		name       string
		retryAfter string
		policy     stytchb2b.RetryPolicy
		wait       time.Duration // at least, and at most a backoff longer; -1 for no second attempt
		told       time.Duration // RetryAfter of the error, then
	}{
		{name: "seconds", retryAfter: "3", wait: 3 * time.Second},
		{name: "zero", retryAfter: "0", wait: 0},
		{name: "a date", retryAfter: "Sat, 01 Jan 2000 00:00:04 GMT", wait: 4 * time.Second}, // A bubble starts at 2000-01-01.
		{name: "a date of RFC 850", retryAfter: "Saturday, 01-Jan-00 00:00:04 GMT", wait: 4 * time.Second},
		{name: "a date in the past", retryAfter: "Fri, 31 Dec 1999 23:59:59 GMT", wait: 0},
		{name: "as long as MaxWait", retryAfter: "5", wait: 5 * time.Second},
		{name: "longer than MaxWait", retryAfter: "6", wait: -1, told: 6 * time.Second},
		{name: "longer than the caller's MaxWait", retryAfter: "3", policy: stytchb2b.RetryPolicy{MaxWait: 2 * time.Second}, wait: -1, told: 3 * time.Second},
		{name: "never to wait", retryAfter: "0", policy: stytchb2b.RetryPolicy{MaxWait: -1}, wait: -1},
		{name: "to a second before the deadline", retryAfter: "7", policy: patient, wait: 7 * time.Second},
		{name: "to the deadline", retryAfter: "8", policy: patient, wait: -1, told: 8 * time.Second},
		{name: "past the deadline", retryAfter: "9", policy: patient, wait: -1, told: 9 * time.Second},
		{name: "more than a Duration holds", retryAfter: "9999999999999", wait: -1, told: math.MaxInt64},
		{name: "more than an int64 holds", retryAfter: "99999999999999999999999", wait: -1, told: math.MaxInt64},
		{name: "no retries", retryAfter: "0", policy: stytchb2b.RetryPolicy{MaxAttempts: 1}, wait: -1},
		// What is not a Retry-After is none: the wait is a second.
		{name: "none", wait: time.Second},
		{name: "a negative number", retryAfter: "-1", wait: time.Second},
		{name: "a sign", retryAfter: "+1", wait: time.Second},
		{name: "a fraction", retryAfter: "1.5", wait: time.Second},
		{name: "a unit", retryAfter: "1s", wait: time.Second},
		{name: "a space", retryAfter: " ", wait: time.Second},
		{name: "a date of RFC 3339", retryAfter: "2000-01-01T00:00:04Z", wait: time.Second},
		{name: "none, with a shorter MaxWait", policy: stytchb2b.RetryPolicy{MaxWait: time.Millisecond}, wait: -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limited := limited
				limited.retryAfter = tc.retryAfter
				s := &script{ends: []end{limited, ok}}
				client := newClient(t, s, stytchb2b.WithRetry(tc.policy), stytchb2b.WithTimeout(timeout))
				start := time.Now()
				resp, err := client.OTPs.SMS.Send(t.Context(), params)
				if tc.wait >= 0 {
					require.NoError(t, err)
					require.Len(t, s.waits(), 1)
					assert.GreaterOrEqual(t, s.waits()[0], tc.wait)
					assert.Less(t, s.waits()[0], max(tc.wait, 200*time.Millisecond)+1)
					return
				}
				assert.Nil(t, resp)
				assert.Zero(t, time.Since(start), "returned at once")
				assert.Equal(t, tc.told, stytchb2b.RetryAfter(err))
				assert.Equal(t, 1, attemptsOf(err))
				assert.False(t, stytchb2b.MaybeSent(err))
			})
		})
	}
}

// A wait that leaves no time for an attempt would turn a certain "no SMS was sent"
// into a timeout.
func TestWaitLeavesRoom(t *testing.T) {
	t.Parallel()
	limited := limited
	limited.retryAfter = "1"
	for _, tc := range []struct {
		name            string
		first           end
		timeout, answer time.Duration // of the call, of each attempt
		attempts        int
	}{
		{"room", limited, 3 * time.Second, 300 * time.Millisecond, 2},
		{"room in a short call", refused, time.Second, 10 * time.Millisecond, 2},
		{"no room", limited, 1200 * time.Millisecond, 50 * time.Millisecond, 1},
		{"no room for an answer as slow as the last", limited, 5 * time.Second, 2500 * time.Millisecond, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{ends: []end{tc.first, ok}}
				slowly := roundTripper(func(req *http.Request) (*http.Response, error) {
					resp, err := s.RoundTrip(req)
					time.Sleep(tc.answer)
					return resp, err
				})
				_, err := newClient(t, slowly, stytchb2b.WithTimeout(tc.timeout)).OTPs.SMS.Send(t.Context(), params)
				assert.Len(t, s.at, tc.attempts)
				if tc.attempts == 1 {
					var apiErr *stytchb2b.APIError
					require.ErrorAs(t, err, &apiErr)
					assert.False(t, stytchb2b.MaybeSent(err))
				} else {
					assert.NoError(t, err)
				}
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		policy stytchb2b.RetryPolicy
		bounds []time.Duration
	}{
		{"default", stytchb2b.RetryPolicy{}, []time.Duration{200 * time.Millisecond, 400 * time.Millisecond}},
		{"to the maximum", stytchb2b.RetryPolicy{MaxAttempts: 7}, []time.Duration{
			200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond, 2 * time.Second, 2 * time.Second,
		}},
		{"the caller's", stytchb2b.RetryPolicy{MaxAttempts: 4, MinBackoff: time.Second, MaxBackoff: 3 * time.Second}, []time.Duration{
			2 * time.Second, 3 * time.Second, 3 * time.Second,
		}},
		{"a long MinBackoff alone", stytchb2b.RetryPolicy{MaxAttempts: 2, MinBackoff: time.Minute}, []time.Duration{time.Minute}},
		{"that would overflow", stytchb2b.RetryPolicy{MaxAttempts: 3, MinBackoff: math.MaxInt64 / 3 * 2, MaxBackoff: math.MaxInt64}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const rounds = 300
				longest := make([]time.Duration, len(tc.bounds))
				for range rounds {
					s := &script{ends: []end{refused}}
					client := newClient(t, s, stytchb2b.WithRetry(tc.policy), stytchb2b.WithTimeout(time.Hour))
					_, err := client.OTPs.SMS.Send(t.Context(), params)
					require.ErrorIs(t, err, errNetwork)
					if tc.bounds == nil {
						continue // No panic, and no wait past the deadline.
					}
					require.Len(t, s.waits(), len(tc.bounds))
					for i, wait := range s.waits() {
						require.GreaterOrEqual(t, wait, max(tc.policy.MinBackoff, 100*time.Millisecond))
						require.LessOrEqual(t, wait, tc.bounds[i])
						longest[i] = max(longest[i], wait)
					}
				}
				for i, bound := range tc.bounds {
					assert.Greater(t, longest[i], bound*9/10, "the whole range is drawn from") // but for 1 in 10^7
				}
			})
		})
	}
}

// model is the table of MaybeSent, written down a second time: it says what becomes
// of a call whose attempts end so.
func model(ends []end, p stytchb2b.RetryPolicy) (attempts int, succeeds, maybeApplied bool) {
	for _, e := range ends {
		attempts++
		var retry bool
		switch {
		case e.err != nil && e.connected:
			maybeApplied, retry = true, p.RetryUnknown
		case e.err != nil:
			retry = e.err == errNetwork
		case e.status >= 200 && e.status < 300:
			return attempts, e.body == ok.body, true
		case e.refusal == stytchb2b.ErrorTypeTooManyRequests:
			retry = e.status == 429 && e.retryAfter != "60"
		case e.refusal != "" && e.status >= 400 && e.status < 500 && e.status != 499:
		default:
			maybeApplied, retry = true, p.RetryUnknown && (e.status == 0 || e.status == 429 || e.status >= 500 && e.status != 501)
		}
		if !retry || attempts == p.MaxAttempts {
			break
		}
	}
	return attempts, false, maybeApplied
}

// FuzzAttempts compares calls with the model, for any sequence of results.
func FuzzAttempts(f *testing.F) {
	slowly := limited
	slowly.retryAfter = "5"
	tooSlowly := limited
	tooSlowly.retryAfter = "60"
	all := []end{
		refused, broken, untrusted, ok, garbage,
		{status: 200}, {status: 204}, {status: 301}, {status: 400, body: "{"}, {status: 401}, {status: 404}, {status: 408},
		limited, {status: 429, refusal: stytchb2b.ErrorTypeTooManyRequests}, slowly, tooSlowly,
		{status: 400, refusal: stytchb2b.ErrorTypeTooManyRequests, retryAfter: "0"}, {status: 429, refusal: stytchb2b.ErrorTypeUserLockLimitReached, retryAfter: "0"},
		{status: 429, retryAfter: "0", body: `{"error_type":"too_many_requests"}`},
		{status: 429}, {status: 429, retryAfter: "2"}, {status: 499, refusal: stytchb2b.ErrorTypeClientClosedRequest},
		{status: 404, refusal: stytchb2b.ErrorTypeMemberNotFound}, {status: 302, refusal: stytchb2b.ErrorTypeBadRequest},
		{status: 500, refusal: stytchb2b.ErrorTypeInternalServerError},
		{connected: true}, // an answer without a status
		{status: 500}, {status: 501}, {status: 502, body: "<html>"}, {status: 503, retryAfter: "1"}, {status: 600}, {status: 999},
	}
	for i := range all {
		f.Add([]byte{byte(i)}, uint8(3), false)
		f.Add([]byte{0, byte(i)}, uint8(2), true)
		f.Add([]byte{12, byte(i), 1, 16, 3}, uint8(5), true)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		sequence := make([]byte, 1+random.IntN(6))
		for i := range sequence {
			sequence[i] = byte(random.IntN(len(all)))
		}
		f.Add(sequence, uint8(random.IntN(6)), random.IntN(2) == 0)
	}
	f.Fuzz(func(t *testing.T, sequence []byte, maxAttempts uint8, retryUnknown bool) {
		if len(sequence) == 0 {
			return
		}
		policy := stytchb2b.RetryPolicy{MaxAttempts: 1 + int(maxAttempts)%8, RetryUnknown: retryUnknown}
		var ends []end
		for _, b := range sequence {
			ends = append(ends, all[int(b)%len(all)])
		}
		for len(ends) < policy.MaxAttempts {
			ends = append(ends, ends[len(ends)-1]) // as script does
		}
		for i, call := range calls {
			if i == 1 {
				policy.RetryUnknown = false // Authenticate ignores it.
			}
			attempts, succeeds, maybeApplied := model(ends, policy)
			policy.RetryUnknown = retryUnknown
			synctest.Test(t, func(t *testing.T) {
				s := &script{ends: ends}
				err := call.do(t.Context(), newClient(t, s, stytchb2b.WithRetry(policy), stytchb2b.WithTimeout(time.Hour)))
				assert.Len(t, s.at, attempts)
				for i, wait := range s.waits() {
					backoff := min(200*time.Millisecond<<i, 2*time.Second)
					least, _ := time.ParseDuration(ends[i].retryAfter + "s")
					if ends[i].retryAfter == "" && ends[i].refusal == stytchb2b.ErrorTypeTooManyRequests {
						least = time.Second
					}
					assert.GreaterOrEqual(t, wait, max(least, 100*time.Millisecond))
					assert.LessOrEqual(t, wait, max(least, backoff))
				}
				assert.Equal(t, succeeds, err == nil, "%v", err)
				if err == nil {
					return
				}
				assert.Equal(t, maybeApplied, call.maybe(err), "%v", err)
				assert.False(t, calls[1-i].maybe(err), "it is not the other call")
				assert.Equal(t, maybeApplied, outcomeOf(err) != stytchb2b.OutcomeNotApplied)
				assert.Equal(t, attempts, attemptsOf(err))
				assert.Contains(t, err.Error(), call.says[maybeApplied])
				assert.NotContains(t, err.Error(), "while waiting")
				assertOneLine(t, err)
			})
		}
	})
}

func attemptsOf(err error) int {
	if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
		return e.Attempts
	}
	e := (*stytchb2b.TransportError)(nil)
	errors.As(err, &e)
	return e.Attempts
}

// The context ends while the call waits to retry. What the last attempt ended with,
// and why the context was canceled, are both in the error.
func TestCanceledInWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{ends: []end{{status: 429, retryAfter: "4", refusal: stytchb2b.ErrorTypeTooManyRequests}, ok}}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errFraud) })
		start := time.Now()
		resp, err := newClient(t, s).OTPs.SMS.Send(ctx, params)
		assert.Nil(t, resp)
		assert.Equal(t, time.Second, time.Since(start))
		assert.Len(t, s.at, 1)
		assert.ErrorIs(t, err, context.Canceled)
		assert.ErrorIs(t, err, errFraud)
		var apiErr *stytchb2b.APIError
		require.ErrorAs(t, err, &apiErr)
		assert.Equal(t, stytchb2b.ErrorTypeTooManyRequests, apiErr.ErrorType)
		assert.False(t, stytchb2b.MaybeSent(err))
	})
	synctest.Test(t, func(t *testing.T) { // in an attempt, by a transport that does not say why
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errFraud) })
		_, err := newClient(t, roundTripper(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return end{err: errNetwork}.do(req)
		})).OTPs.SMS.Send(ctx, params)
		assert.ErrorIs(t, err, context.Canceled)
		assert.ErrorIs(t, err, errFraud)
	})
	synctest.Test(t, func(t *testing.T) {
		s := &script{ends: []end{broken, refused}}
		policy := stytchb2b.RetryPolicy{RetryUnknown: true, MaxAttempts: 1000, MinBackoff: time.Second}
		_, err := newClient(t, s, stytchb2b.WithRetry(policy)).OTPs.SMS.Send(t.Context(), params)
		assert.True(t, stytchb2b.MaybeSent(err), "the first attempt was unknown: %v", err)
	})
}

// An attempt that is not the last gives up a slow connection in time for another
// one, which takes the connection if it comes. The last one waits.
func TestSlowConnection(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		connect     time.Duration
		maxAttempts int
		ends        time.Duration
		attempts    int // of an error; 0 for a success
	}{
		{"that the first attempt waits for", 4 * time.Second, 3, 4 * time.Second, 0},
		{"that comes for the second attempt", 6 * time.Second, 3, 6 * time.Second, 0},
		{"that comes for the last attempt", 9 * time.Second, 3, 9 * time.Second, 0},
		{"that the only attempt waits for", 9 * time.Second, 1, 9 * time.Second, 0},
		{"that does not come", time.Minute, 3, 10 * time.Second, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// HTTP/1.1: Go 1.25's HTTP/2 shares channels between bubbles, which they forbid.
				pipe, srv := faults.NewPipe(), stytchtest.NewUnstartedServer()
				_ = srv.Listener.Close()
				srv.Listener = pipe
				srv.Start()
				defer srv.Close()
				httpClient := srv.HTTPClient()
				defer httpClient.CloseIdleConnections()
				defer time.Sleep(time.Hour) // net/http has its connections by then.
				httpClient.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					time.Sleep(tc.connect)
					return pipe.DialContext(ctx, network, addr)
				}
				start := time.Now()
				_, err := srv.Client(stytchb2b.WithHTTPClient(httpClient), stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxAttempts: tc.maxAttempts})).
					OTPs.SMS.Send(t.Context(), stytchb2b.SMSSendParams{OrganizationID: srv.OrganizationID, MemberID: srv.MemberID})
				assert.Equal(t, tc.ends, time.Since(start))
				if tc.attempts == 0 {
					assert.NoError(t, err)
					return
				}
				assert.Equal(t, tc.attempts, attemptsOf(err))
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.False(t, stytchb2b.MaybeSent(err))
			})
		})
	}
}

// An http.Client's Timeout bounds each attempt, and only the attempt.
func TestHTTPClientTimeoutIsPerAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		hang := roundTripper(func(req *http.Request) (*http.Response, error) {
			if attempts++; attempts == 3 {
				return ok.do(req)
			}
			<-req.Context().Done()
			return end{err: req.Context().Err()}.do(req)
		})
		client, err := stytchb2b.NewClient("project-test-1", "secret-test-1",
			stytchb2b.WithHTTPClient(&http.Client{Transport: hang, Timeout: time.Second}),
			stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1, MaxBackoff: 1}))
		require.NoError(t, err)
		start := time.Now()
		resp, err := client.OTPs.SMS.Send(t.Context(), params)
		require.NoError(t, err)
		assert.Equal(t, "request-id-test-1", resp.RequestID)
		assert.Equal(t, 2*time.Second, time.Since(start).Round(time.Millisecond))
	})
}

// What a transport of the caller's returns, it need not have from the network.
func TestForeignTransports(t *testing.T) {
	t.Parallel()
	connection, _ := io.Pipe() // Reading from it would take forever.
	for _, tc := range []struct {
		name      string
		returns   func(*http.Request) (*http.Response, error)
		attempts  int
		maybeSent bool
		says      string
	}{
		{"passes a copy on", func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Header.Set("Traceparent", "00-1-2-01")
			return http.DefaultTransport.RoundTrip(req)
		}, 3, false, "refused"},
		{"wraps a certificate error", func(req *http.Request) (*http.Response, error) {
			return end{err: fmt.Errorf("pinned: %w", untrusted.err)}.do(req)
		}, 1, false, "pinned"},
		{"returns no body", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ContentLength: 5}, nil
		}, 1, true, "empty"},
		{"returns no header, and claims a huge body", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 302, Body: io.NopCloser(strings.NewReader("")), ContentLength: 1 << 60}, nil
		}, 1, true, "302"},
		{"switches protocols", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 101, Body: connection}, nil
		}, 1, true, "101"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, roundTripper(tc.returns), stytchb2b.WithBaseURL("http://"+faults.Nobody),
				stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: 1, MaxBackoff: 1}))
			resp, err := client.OTPs.SMS.Send(t.Context(), params)
			assert.Nil(t, resp)
			require.Error(t, err)
			assert.Equal(t, tc.attempts, attemptsOf(err))
			assert.Equal(t, tc.maybeSent, stytchb2b.MaybeSent(err), "%v", err)
			assert.Contains(t, err.Error(), tc.says)
			if tc.says == "101" {
				_, err := connection.Read(nil)
				assert.ErrorIs(t, err, io.ErrClosedPipe)
			}
		})
	}
}

// A transport is shared with other traffic. When the library gives up, it closes
// none of its connections, and changes nothing of the http.Client.
func TestSharedTransport(t *testing.T) {
	t.Parallel()
	connections := map[string]bool{}
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { connections[r.RemoteAddr] = true }))
	defer other.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	shared := &http.Client{Transport: transport, Timeout: time.Minute}
	visit := func() {
		resp, err := shared.Get(other.URL)
		require.NoError(t, err)
		_ = resp.Body.Close()
	}
	client := newClient(t, nil, stytchb2b.WithHTTPClient(shared), stytchb2b.WithBaseURL("http://"+faults.Nobody), stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxBackoff: 1}))
	visit()
	err := calls[0].do(t.Context(), client)
	require.Equal(t, 3, attemptsOf(err))
	visit()
	client.CloseIdleConnections()
	visit()
	assert.Len(t, connections, 1, "all visits were on one connection")
	assert.Equal(t, &http.Client{Transport: transport, Timeout: time.Minute}, shared)

	// What is done to the http.Client later does not reach the library's copy.
	shared.Transport = &script{ends: []end{ok}}
	assert.Error(t, calls[0].do(t.Context(), client))
}

// The logger gets each attempt, its outcome and the wait, and the call.
func TestAttemptsAreLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{
			Level: slog.LevelDebug,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "error" {
					return slog.Attr{}
				}
				return a
			},
		}))
		limited := limited
		limited.retryAfter = "3"
		s := &script{ends: []end{limited, broken, {status: 429, body: "<html>"}, {status: 404, refusal: "member_not_found"}, ok}}
		client := newClient(t, s, stytchb2b.WithLogger(logger),
			stytchb2b.WithRetry(stytchb2b.RetryPolicy{MaxAttempts: 4, RetryUnknown: true, MinBackoff: 1, MaxBackoff: 1}))
		_, err := client.OTPs.SMS.Send(t.Context(), params)
		require.Error(t, err)
		_, err = client.OTPs.SMS.Authenticate(t.Context(), authenticateParams)
		require.NoError(t, err)
		attempt := `level=DEBUG msg="stytchb2b: attempt" op=OTPs.SMS.Send duration=0s`
		lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
		require.Len(t, lines, 7)
		assert.Equal(t, attempt+` outcome="not applied" attempt=1 wait=3s status=429 request_id=request-id-test-0`, lines[0])
		assert.Equal(t, attempt+` outcome=unknown attempt=2 wait=1ns`, lines[1])
		assert.Equal(t, attempt+` outcome=unknown attempt=3 wait=1ns status=429`, lines[2])
		assert.Equal(t, attempt+` outcome="not applied" attempt=4 status=404 request_id=request-id-test-0`, lines[3])
		assert.Equal(t, `level=WARN msg="stytchb2b: call" op=OTPs.SMS.Send duration=3.000000002s outcome=unknown attempts=4 status=404 request_id=request-id-test-0`, lines[4])
		assert.Equal(t, `level=DEBUG msg="stytchb2b: attempt" op=OTPs.SMS.Authenticate duration=0s outcome=applied attempt=1 status=200 request_id=request-id-test-1`, lines[5])
		assert.Equal(t, `level=DEBUG msg="stytchb2b: call" op=OTPs.SMS.Authenticate duration=0s outcome=applied attempts=1 status=200 request_id=request-id-test-1`, lines[6])
	})
}
