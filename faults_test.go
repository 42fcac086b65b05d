package stytchb2b_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// The fault suite makes Sends over real connections that fail in many ways, to a
// server that counts the SMS. What it counts is the truth that errors are held
// against. This prints the README's table:
//
//	go test -count=1 -run '^TestMix$' -v . -mix 3000

var mixSends = flag.Int("mix", 400, "how many Sends the mix makes with each client over each protocol")

// attempts is how often every client of the suite may try.
const attempts = 3

// A faultCase is one way for an attempt to fail.
type faultCase struct {
	name string
	// only are the protocols that the fault is one of; all if empty.
	only []faults.Protocol
	// safe is whether such an attempt certainly sent nothing, and trying again
	// may help: a client that can should.
	safe bool
	// server has the fault happen at the server...
	server *stytchtest.Fault
	// ...and network has it happen on the way there.
	network faults.Network
	http2   *faults.HTTP2

	// What a Send ends with if only its first attempt meets the fault.
	succeeds bool
	outcome  stytchb2b.Outcome // of the error; unknown if zero
	sms      int
}

const slow = time.Minute // longer than anybody waits here

var faultCases = []faultCase{
	{name: "none", network: faults.Plain, succeeds: true, sms: 1},

	{name: "refused dial", safe: true, network: faults.RefusedDial, succeeds: true, sms: 1},
	{name: "DNS failure", safe: true, network: faults.DNSFailure, succeeds: true, sms: 1},
	{name: "connect timeout", safe: true, network: faults.ConnectTimeout, succeeds: true, sms: 1},
	{name: "proxy refuses CONNECT", only: []faults.Protocol{faults.HTTPS1, faults.HTTPS2}, safe: true, network: faults.ProxyRefuses, succeeds: true, sms: 1},
	{name: "TLS handshake failure", only: []faults.Protocol{faults.HTTPS1, faults.HTTPS2}, safe: true, network: faults.HandshakeFailure, succeeds: true, sms: 1},
	{name: "unknown certificate authority", only: []faults.Protocol{faults.HTTPS1, faults.HTTPS2}, network: faults.UnknownAuthority, outcome: stytchb2b.OutcomeNotApplied},
	{name: "closed keep-alive connection", only: []faults.Protocol{faults.HTTP1, faults.HTTPS1}, network: faults.ClosedKeepAlive, succeeds: true, sms: 1},
	{name: "transport that returns before it dials", safe: true, network: faults.ReturnsEarly, succeeds: true, sms: 1},
	{name: "buffering transport that returns before it dials", safe: true, network: faults.ReturnsEarlyBuffered, succeeds: true, sms: 1},
	{name: "GOAWAY before", only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{GoAway: true}},
	{name: "GOAWAY after", only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{GoAway: true, Processed: true}, sms: 1},
	{name: "REFUSED_STREAM before", only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{Code: 0x7}},
	{name: "REFUSED_STREAM after", only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{Code: 0x7, Processed: true}, sms: 1},
	{name: "PROTOCOL_ERROR after", only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{Code: 0x1, Processed: true}, sms: 1},

	{name: "reset before processing", server: &stytchtest.Fault{Reset: true}},
	{name: "reset after processing", server: &stytchtest.Fault{Reset: true, Processed: true}, sms: 1},
	{name: "429 with Retry-After", safe: true, server: &stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"0"}}}, succeeds: true, sms: 1},
	// It takes a second, over one protocol as over another.
	{name: "429 without Retry-After", only: []faults.Protocol{faults.HTTP1}, safe: true, server: &stytchtest.Fault{StatusCode: 429}, succeeds: true, sms: 1},
	{name: "429, locked Member", server: &stytchtest.Fault{StatusCode: 429, ErrorType: stytchb2b.ErrorTypeUserLockLimitReached}, outcome: stytchb2b.OutcomeNotApplied},
	{name: "400", server: &stytchtest.Fault{StatusCode: 400, ErrorType: stytchb2b.ErrorTypeInvalidPhoneNumber}, outcome: stytchb2b.OutcomeNotApplied},
	{name: "499", server: &stytchtest.Fault{StatusCode: 499, Processed: true}, sms: 1},
	{name: "500 before processing", server: &stytchtest.Fault{StatusCode: 500}},
	{name: "500 after processing", server: &stytchtest.Fault{StatusCode: 500, Processed: true}, sms: 1},

	{name: "gateway's 503, empty", server: &stytchtest.Fault{StatusCode: 503, Body: " "}},
	{name: "gateway's 502 after processing", server: &stytchtest.Fault{StatusCode: 502, Processed: true, Body: "<html>Bad Gateway</html>"}, sms: 1},
	{name: "gateway's 408 after processing", server: &stytchtest.Fault{StatusCode: 408, Processed: true, Body: "upstream request timeout"}, sms: 1},
	{name: "gateway's 403 after processing", server: &stytchtest.Fault{StatusCode: 403, Processed: true, Body: `{"message":"Forbidden"}`}, sms: 1},
	{name: "gateway's 404 after processing", server: &stytchtest.Fault{StatusCode: 404, Processed: true, Body: "<html>"}, sms: 1},
	{name: "gateway's 429 after processing", server: &stytchtest.Fault{StatusCode: 429, Processed: true, Body: "Too Many Requests", Header: http.Header{"Retry-After": {"0"}}}, sms: 1},
	{name: "gateway's 302 after processing", server: &stytchtest.Fault{StatusCode: 302, Processed: true, Header: http.Header{"Location": {"/sorry"}}}, sms: 1},
	{name: "307", server: &stytchtest.Fault{StatusCode: 307, Header: http.Header{"Location": {"/v1/b2b/otps/sms/send"}}}},
	{name: "302 to nowhere", server: &stytchtest.Fault{StatusCode: 302, Header: http.Header{"Location": {"https://%zz"}}}},

	{name: "200 of a captive portal", server: &stytchtest.Fault{StatusCode: 200, Body: "<html>Welcome</html>"}},
	{name: "200 of another service", server: &stytchtest.Fault{StatusCode: 200, Body: `{"hello":"world"}`}},
	{name: "200, garbage", server: &stytchtest.Fault{StatusCode: 200, Processed: true, Body: "\x1f\x8b garbage"}, sms: 1},
	{name: "200, truncated", server: &stytchtest.Fault{Truncate: true}, outcome: stytchb2b.OutcomeApplied, sms: 1},
	{name: "200, endless", server: &stytchtest.Fault{Endless: true}, outcome: stytchb2b.OutcomeApplied, sms: 1},
	{name: "slow headers", server: &stytchtest.Fault{Delay: slow}, sms: 1},
	{name: "slow body", server: &stytchtest.Fault{BodyDelay: slow}, outcome: stytchb2b.OutcomeApplied, sms: 1},
}

// atOnce is how many calls may meet the fault at once.
func (fc faultCase) atOnce() int {
	if strings.HasPrefix(fc.name, "GOAWAY") {
		return 1 // It ends the other streams of the connection too.
	}
	return 8
}

// A suiteCall is one of the library's calls: how the suite makes it, and how often
// the server has applied it for a member. A number that is verified shows that
// the server took the code.
type suiteCall struct {
	op           stytchb2b.Op
	do           func(suiteClient) func(context.Context, string) error
	applied      func(*stytchtest.Server, string) int
	maybeApplied func(error) bool
	maybeOther   func(error) bool // of the other call
}

var suiteCalls = []suiteCall{
	{
		stytchb2b.OpSMSSend,
		func(c suiteClient) func(context.Context, string) error { return c.send },
		func(s *stytchtest.Server, member string) int { return len(s.SMSTo(member)) },
		stytchb2b.MaybeSent, stytchb2b.MaybeUsed,
	},
	{
		stytchb2b.OpSMSAuthenticate,
		func(c suiteClient) func(context.Context, string) error { return c.authenticate },
		func(s *stytchtest.Server, member string) int {
			if m, _ := s.Member(member); m.MFAPhoneNumberVerified {
				return 1
			}
			return 0
		},
		stytchb2b.MaybeUsed, stytchb2b.MaybeSent,
	},
}

// TestFaults meets each fault alone, in the first attempt of some calls at once.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, call := range suiteCalls {
		for _, proto := range faults.Protocols {
			t.Run(string(call.op)+" over "+string(proto), func(t *testing.T) {
				t.Parallel()
				for _, fc := range faultCases {
					if len(fc.only) > 0 && !slices.Contains(fc.only, proto) {
						continue
					}
					if fc.name == "closed keep-alive connection" && runtime.GOOS == "windows" {
						continue // It cannot be seen there.
					}
					t.Run(fc.name, func(t *testing.T) {
						t.Parallel()
						l := newLab(t, proto, func(_ string, attempt int) faultCase {
							if attempt == 1 {
								return fc
							}
							return faultCase{network: faults.Plain}
						})
						l.applied = call.applied
						results := l.run(8, fc.atOnce(), context.Background, call.do(l.client(30*time.Second)))
						for _, r := range results {
							fc.check(t, r.err, call.applied(l.stytch, r.member), call.maybeApplied)
							assert.False(t, r.err != nil && call.maybeOther(r.err), "it is not the other call")
						}
						tally := l.tally(results, stytchb2b.MaybeSent)
						assert.Zero(t, tally.notRetried, tally.notRetriedFor)
					})
				}
			})
		}
	}
}

// check holds what a call ended with against what the server did: how often it
// sent an SMS, or took the code.
func (fc faultCase) check(t *testing.T, err error, applied int, maybeApplied func(error) bool) {
	switch {
	case fc.succeeds:
		assert.NoError(t, err)
	case assert.Error(t, err):
		assert.Equal(t, max(fc.outcome, stytchb2b.OutcomeUnknown), outcomeOf(err), "%v", err)
		assert.Equal(t, fc.outcome != stytchb2b.OutcomeNotApplied, maybeApplied(err))
	}
	assert.Equal(t, fc.sms, applied)
}

// Whatever code a stream is reset with, and whoever resets it each time, a call is
// applied at most once. net/http would send the request again after some codes.
func TestStreamIsResetAfterProcessing(t *testing.T) {
	t.Parallel()
	for _, call := range suiteCalls {
		for code := range uint32(0xe) {
			t.Run(fmt.Sprintf("%s, %#x", call.op, code), func(t *testing.T) {
				t.Parallel()
				fc := faultCase{name: "reset", http2: &faults.HTTP2{Code: code, Processed: true}, sms: 1, outcome: stytchb2b.OutcomeUnknown}
				l := newLab(t, faults.HTTPS2, func(string, int) faultCase { return fc })
				for _, r := range l.run(4, 2, context.Background, call.do(l.client(suiteTimeout))) {
					fc.check(t, r.err, call.applied(l.stytch, r.member), call.maybeApplied)
					assert.Len(t, l.drawn[r.member], 1)
				}
			})
		}
	}
}

// TestMixOfAuthenticate meets all faults, also while contexts are canceled.
func TestMixOfAuthenticate(t *testing.T) {
	t.Parallel()
	for _, proto := range faults.Protocols {
		for name, newContext := range map[string]func() context.Context{"": context.Background, ", canceled": canceledSoon} {
			t.Run(string(proto)+name, func(t *testing.T) {
				t.Parallel()
				l := newLab(t, proto, drawMix(proto, 11))
				l.applied = suiteCalls[1].applied
				well, unknown := 0, 0
				for _, r := range l.run(*mixSends/4, 16, newContext, l.stytchb2b().authenticate) {
					m, _ := l.stytch.Member(r.member)
					switch {
					case r.err == nil:
						well++
						assert.True(t, m.MFAPhoneNumberVerified)
					case stytchb2b.MaybeUsed(r.err):
						unknown++
						drawn := l.drawn[r.member]
						assert.NotEmpty(t, drawn)
						for _, fc := range drawn[:len(drawn)-1] {
							// A GOAWAY for one stream may come before another has left.
							assert.True(t, fc.safe || strings.HasPrefix(fc.name, "GOAWAY"), "tried again after %s", fc.name)
						}
					default:
						assert.False(t, m.MFAPhoneNumberVerified, "%v", r.err)
					}
				}
				if name == "" { // On a machine that is slow just then, all may be canceled early.
					assert.NotZero(t, well)
					assert.NotZero(t, unknown)
				}
			})
		}
	}
}

// mix is what goes wrong in 100 attempts of the seeded mix; none in the rest.
var mix = map[string]int{
	"refused dial": 5, "DNS failure": 1, "connect timeout": 1, "proxy refuses CONNECT": 1,
	"TLS handshake failure": 1, "unknown certificate authority": 1, "closed keep-alive connection": 1,
	"transport that returns before it dials": 1, "buffering transport that returns before it dials": 1,
	"GOAWAY before": 1, "GOAWAY after": 1, "REFUSED_STREAM before": 1, "REFUSED_STREAM after": 1, "PROTOCOL_ERROR after": 1,
	"reset before processing": 1, "reset after processing": 1,
	"429 with Retry-After": 3, "429 without Retry-After": 1, "429, locked Member": 1, "400": 1, "499": 1,
	"500 before processing": 1, "500 after processing": 1,
	"gateway's 503, empty": 1, "gateway's 502 after processing": 1, "gateway's 408 after processing": 1,
	"gateway's 403 after processing": 1, "gateway's 429 after processing": 1, "gateway's 302 after processing": 1,
	"307": 1, "302 to nowhere": 1, "200 of a captive portal": 1, "200, garbage": 1, "200, truncated": 1, "200, endless": 1,
	"slow headers": 1, "slow body": 1,
}

// drawMix draws the fault of an attempt, the same for every client.
func drawMix(proto faults.Protocol, seed uint64) func(string, int) faultCase {
	var hundred []faultCase
	for _, fc := range faultCases {
		if len(fc.only) == 0 || slices.Contains(fc.only, proto) {
			hundred = append(hundred, slices.Repeat([]faultCase{fc}, mix[fc.name])...)
		}
	}
	hundred = append(hundred, slices.Repeat(faultCases[:1], 100-len(hundred))...)
	return func(member string, attempt int) faultCase {
		h := fnv.New64a()
		_, _ = io.WriteString(h, member)
		return hundred[rand.New(rand.NewPCG(seed, h.Sum64()+uint64(attempt))).IntN(100)]
	}
}

// TestMix meets all faults, in thousands of Sends at once. Where it prints the
// table, with -v, it holds this library against what people use instead.
func TestMix(t *testing.T) {
	t.Parallel()
	const atOnce, seed = 64, 20260601
	sends := *mixSends
	clients := []func(*lab) suiteClient{(*lab).stytchb2b, (*lab).atMostOnce}
	if testing.Verbose() {
		clients = append(clients, (*lab).netHTTP, (*lab).retryableHTTP)
	}
	var mu sync.Mutex
	total := map[string]tally{}
	t.Run("clients", func(t *testing.T) {
		for _, proto := range faults.Protocols {
			for _, newClient := range clients {
				l := newLab(t, proto, drawMix(proto, seed))
				client := newClient(l)
				t.Run(client.name+" over "+string(proto), func(t *testing.T) {
					t.Parallel()
					tally := l.tally(l.run(sends, atOnce, context.Background, client.send), client.maybeSent)
					if client.maybeSent != nil {
						assert.Zero(t, tally.double, "members with more than one SMS")
						assert.Zero(t, tally.lies, "errors that deny an SMS")
						assert.Greater(t, tally.well, sends/10)
					} else {
						assert.NotZero(t, tally.double+tally.notRetried, "the mix shows nothing")
					}
					if client.name == ours {
						assert.Zero(t, tally.notRetried, "safe retries not taken: %s", tally.notRetriedFor)
					}
					mu.Lock()
					defer mu.Unlock()
					total[client.name] = total[client.name].add(tally)
				})
			}
		}
	})
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| client\t| ended well\t| members with more than one SMS\t| safe retries not taken\t| errors that deny an SMS that was sent\t|")
	fmt.Fprintln(w, "| ---\t| ---:\t| ---:\t| ---:\t| ---:\t|")
	for _, name := range slices.Sorted(maps.Keys(total)) {
		c := total[name]
		lies := "it does not say"
		if c.says {
			lies = fmt.Sprint(c.lies)
		}
		fmt.Fprintf(w, "| %s\t| %.1f%%\t| %d\t| %d\t| %s\t|\n", name, 100*float64(c.well)/float64(c.sends), c.double, c.notRetried, lies)
	}
	_ = w.Flush()
	t.Logf("%d Sends each, %d at once, seed %d:\n%s", len(faults.Protocols)*sends, atOnce, seed, table.String())
	t.Logf("%s: nothing sent, but the outcome is unknown: %v", ours, total[ours].inVain)
}

// TestMixCanceled meets all faults while contexts are canceled at random.
func TestMixCanceled(t *testing.T) {
	t.Parallel()
	for _, proto := range faults.Protocols {
		t.Run(string(proto), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, proto, drawMix(proto, 7))
			// So few at once that most get as far as the server.
			results := l.run(*mixSends, 4, canceledSoon, l.stytchb2b().send)
			tally := l.tally(results, stytchb2b.MaybeSent)
			assert.Zero(t, tally.double)
			assert.Zero(t, tally.lies)
			canceled, denied := 0, 0
			for _, r := range results {
				if errors.Is(r.err, context.Canceled) {
					canceled++
					if !stytchb2b.MaybeSent(r.err) {
						denied++
					}
				}
			}
			assert.NotZero(t, canceled)
			t.Logf("%d Sends, %d canceled, %d of them certainly not sent, %d well; more than one SMS: %d, lies: %d",
				tally.sends, canceled, denied, tally.well, tally.double, tally.lies)
		})
	}
}

// canceledSoon returns a context that is canceled at random.
func canceledSoon() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(rand.N(10*time.Millisecond), cancel)
	return ctx
}

// outcomeOf returns the outcome that an error of the library carries.
func outcomeOf(err error) stytchb2b.Outcome {
	if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
		return e.Outcome
	}
	if e := (*stytchb2b.TransportError)(nil); errors.As(err, &e) {
		return e.Outcome
	}
	panic(fmt.Sprintf("an error of neither type: %T", err))
}

// A lab is a fake Stytch behind a network in which faults happen.
type lab struct {
	*testing.T
	stytch  *stytchtest.Server // answers through server; its own listener is not used
	server  *faults.Server
	draw    func(member string, attempt int) faultCase
	timeout time.Duration // of a call
	// applied tells how often the server has applied a call. An attempt at a slow
	// server is given up once it has.
	applied func(*stytchtest.Server, string) int

	mu    sync.Mutex
	drawn map[string][]faultCase              // by member, one for each attempt
	nets  map[string]func() http.RoundTripper // by the name of a fault, made once
}

func newLab(t *testing.T, proto faults.Protocol, draw func(string, int) faultCase) *lab {
	l := &lab{
		T:       t,
		timeout: suiteTimeout,
		applied: suiteCalls[0].applied,
		stytch:  stytchtest.NewUnstartedServer(),
		draw:    draw,
		drawn:   map[string][]faultCase{},
		nets:    map[string]func() http.RoundTripper{},
	}
	_ = l.stytch.Listener.Close()
	l.server = faults.Serve(t, proto, l.stytch)
	return l
}

// network returns the network of a fault.
func (l *lab) network(fc faultCase) http.RoundTripper {
	if fc.http2 == nil {
		return fc.network(l.server)
	}
	h, seen := *fc.http2, map[string]bool{}
	var mu sync.Mutex
	h.Meets = func(body []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		member, _ := named(body)
		first := !seen[member]
		seen[member] = true
		return first
	}
	h.Process = func(body []byte) []byte {
		path := "/v1/b2b/otps/sms/send"
		if _, code := named(body); code != "" {
			path = "/v1/b2b/otps/sms/authenticate"
		}
		return l.ask(path, bytes.NewReader(body)).Body.Bytes()
	}
	return h.Network(l.server)
}

// named returns what a request's body names.
func named(body []byte) (member, code string) {
	var p struct {
		MemberID string `json:"member_id"`
		Code     string `json:"code"`
	}
	_ = json.Unmarshal(body, &p)
	return p.MemberID, p.Code
}

// memberKey is that of a context's value that names the Member of a call.
type memberKey struct{}

// RoundTrip has each attempt meet the fault that is drawn for it.
func (l *lab) RoundTrip(req *http.Request) (*http.Response, error) {
	member := req.Context().Value(memberKey{}).(string)
	l.mu.Lock()
	fc := l.draw(member, len(l.drawn[member])+1)
	l.drawn[member] = append(l.drawn[member], fc)
	where := fc
	if fc.server != nil {
		where = faultCase{network: faults.Plain}
	}
	if l.nets[where.name] == nil {
		l.nets[where.name] = sync.OnceValue(func() http.RoundTripper { return l.network(where) })
	}
	next := l.nets[where.name]
	l.mu.Unlock()
	if fc.server != nil {
		fault := *fc.server
		fault.MemberID = member
		l.stytch.Fail(fault)
		if fault.Delay+fault.BodyDelay > 0 {
			return l.giveUp(next(), req, fault)
		}
	}
	return next().RoundTrip(req)
}

// giveUp ends an attempt as a timeout does, once the server has done its part:
// before the answer's headers if they are what is slow, and otherwise when a part
// of its body has come.
func (l *lab) giveUp(next http.RoundTripper, req *http.Request, fault stytchtest.Fault) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	if fault.Delay > 0 {
		defer cancel()
		go func() {
			defer cancel()
			assert.Eventually(l, func() bool { return ctx.Err() != nil || l.applied(l.stytch, fault.MemberID) > 0 }, time.Minute, time.Millisecond)
		}()
	}
	resp, err := next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = givenUpBody{resp.Body, cancel}
	return resp, nil
}

type givenUpBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b givenUpBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.cancel()
	}
	return n, err
}

func (b givenUpBody) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}

type roundTripper = faults.RoundTripper

// A suiteClient is a way to send. It returns nil for a success.
type suiteClient struct {
	name string
	send func(ctx context.Context, member string) error
	// maybeSent says whether an SMS may have gone out; nil if nobody can.
	maybeSent func(error) bool
	// authenticate enters the code of an SMS that was sent without faults. Only
	// this library's client has it.
	authenticate func(ctx context.Context, member string) error
}

const (
	ours         = "stytchb2b" // the name of this library's
	suiteTimeout = 5 * time.Second
)

func (l *lab) client(timeout time.Duration) suiteClient {
	l.timeout = timeout
	client, err := stytchb2b.NewClient(l.stytch.ProjectID, l.stytch.Secret,
		stytchb2b.WithBaseURL(l.server.URL),
		stytchb2b.WithHTTPClient(&http.Client{Transport: l}),
		stytchb2b.WithTimeout(timeout),
		stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond}))
	require.NoError(l, err)
	return suiteClient{name: ours, maybeSent: stytchb2b.MaybeSent, send: func(ctx context.Context, member string) error {
		_, err := client.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{OrganizationID: l.stytch.OrganizationID, MemberID: member})
		return err
	}, authenticate: func(ctx context.Context, member string) error {
		l.ask("/v1/b2b/otps/sms/send", l.body(member))
		_, err := client.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
			OrganizationID: l.stytch.OrganizationID, MemberID: member,
			Code:                     l.stytch.SMSTo(member)[0].Code,
			IntermediateSessionToken: l.stytch.IntermediateSessionToken(member),
		})
		return err
	}}
}

func (l *lab) stytchb2b() suiteClient { return l.client(suiteTimeout) }

// netHTTP is what one writes by hand.
func (l *lab) netHTTP() suiteClient {
	return l.byHand("net/http", l, nil)
}

// atMostOnce is the same on the lower storey.
func (l *lab) atMostOnce() suiteClient {
	return l.byHand("net/http on atmostonce", &atmostonce.Transport{Base: l, NeedsBody: true}, atmostonce.MaybeSent)
}

func (l *lab) byHand(name string, transport http.RoundTripper, maybeSent func(error) bool) suiteClient {
	client := &http.Client{Transport: transport}
	return suiteClient{name: name, maybeSent: maybeSent, send: func(ctx context.Context, member string) error {
		ctx, cancel := context.WithTimeout(ctx, suiteTimeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.server.URL+"/v1/b2b/otps/sms/send", l.body(member))
		if err != nil {
			return err
		}
		l.setHeader(req)
		return read(client.Do(req))
	}}
}

// retryableHTTP is go-retryablehttp with its default policy; only its waits are
// shortened, and its attempts as many as the others'.
func (l *lab) retryableHTTP() suiteClient {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = attempts-1, time.Millisecond, 4*time.Millisecond
	client.HTTPClient = &http.Client{Transport: l, Timeout: suiteTimeout}
	return suiteClient{name: "go-retryablehttp, default policy", send: func(ctx context.Context, member string) error {
		req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, l.server.URL+"/v1/b2b/otps/sms/send", l.body(member))
		if err != nil {
			return err
		}
		l.setHeader(req.Request)
		return read(client.Do(req))
	}}
}

func (l *lab) body(member string) *bytes.Reader {
	return bytes.NewReader(fmt.Appendf(nil, `{"organization_id":%q,"member_id":%q}`, l.stytch.OrganizationID, member))
}

// ask makes a request without a network and its faults.
func (l *lab) ask(path string, body io.Reader) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, path, body)
	l.setHeader(req)
	resp := httptest.NewRecorder()
	l.stytch.ServeHTTP(resp, req)
	return resp
}

func (l *lab) setHeader(req *http.Request) {
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(l.stytch.ProjectID, l.stytch.Secret)
}

// read reads an answer as one does by hand, but for a limit.
func read(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d", resp.StatusCode)
	}
	var answer struct {
		RequestID string `json:"request_id"`
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer)
}

type result struct {
	member string
	err    error
	took   time.Duration
}

// run makes a Send for each of n members, some at once, and returns when the
// server has ended all requests.
func (l *lab) run(n, atOnce int, newContext func() context.Context, send func(context.Context, string) error) []result {
	results := make([]result, n)
	places := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i := range results {
		m, err := l.stytch.AddMember(stytchtest.Member{MemberID: fmt.Sprintf("member-%d", i), MFAPhoneNumber: "+12025550106"})
		require.NoError(l, err)
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			ctx, cancel := context.WithCancel(context.WithValue(newContext(), memberKey{}, m.MemberID))
			defer cancel()
			start := time.Now()
			err := send(ctx, m.MemberID)
			results[i] = result{m.MemberID, err, time.Since(start)}
		})
	}
	wg.Wait()
	l.server.Late.Wait()
	l.stytch.Close()
	l.server.Close()
	return results
}

// A tally is what came of many Sends.
type tally struct {
	sends, well, double, notRetried, lies int
	says                                  bool // whether an SMS may have gone out

	notRetriedFor string         // the last of them
	inVain        map[string]int // sent nothing, and could not know: by the fault
}

func (t tally) add(o tally) tally {
	sum := tally{t.sends + o.sends, t.well + o.well, t.double + o.double, t.notRetried + o.notRetried, t.lies + o.lies, o.says, o.notRetriedFor, map[string]int{}}
	for _, inVain := range []map[string]int{t.inVain, o.inVain} {
		for name, n := range inVain {
			sum.inVain[name] += n
		}
	}
	return sum
}

func (l *lab) tally(results []result, maybeSent func(error) bool) tally {
	sms := map[string]int{}
	for _, m := range l.stytch.SMS() {
		sms[m.MemberID]++
	}
	t := tally{sends: len(results), says: maybeSent != nil, inVain: map[string]int{}}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range results {
		drawn := l.drawn[r.member]
		if sms[r.member] > 1 {
			t.double++
		}
		switch {
		case r.err == nil:
			t.well++
		case maybeSent == nil:
		case !maybeSent(r.err) && sms[r.member] > 0:
			t.lies++
			l.Logf("%s: %v, but the server sent %d", drawn[len(drawn)-1].name, r.err, sms[r.member])
		case maybeSent(r.err) && sms[r.member] == 0 && len(drawn) > 0:
			t.inVain[drawn[len(drawn)-1].name]++
		}
		// On a machine that is slow just then, there may be no time left to wait and
		// try again.
		inTime := r.took < l.timeout-3*time.Second
		if r.err != nil && inTime && len(drawn) < attempts && len(drawn) > 0 && drawn[len(drawn)-1].safe {
			t.notRetried++
			t.notRetriedFor = fmt.Sprintf("%s, after %v: %v", drawn[len(drawn)-1].name, r.took, r.err)
		}
	}
	return t
}
