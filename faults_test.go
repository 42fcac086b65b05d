package stytchb2b_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/assert"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/internal/faults"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// The fault suite makes Sends over real connections that fail in many ways, to a server
// that counts the SMS. Errors are checked against that count. This prints the README's
// table:
//
//	go test -count=1 -run '^TestMix$' -v . -mix 3000

var mixSends = flag.Int("mix", 200, "how many Sends the mix makes with each client over each protocol")

// attempts is the maximum number of attempts of every client in the suite.
const attempts = 3

// A faultCase is one way for an attempt to fail.
type faultCase struct {
	name string
	mix  int // how many of 100 attempts of the seeded mix meet it
	// only lists the protocols with this fault; empty means all.
	only []faults.Protocol
	// safe is whether such an attempt certainly sent nothing and a retry may help, so
	// that a client should retry.
	safe bool
	// server makes the fault happen at the server...
	server *stytchtest.Fault
	// ...and network makes it happen on the way there.
	network faults.Network
	http2   *faults.HTTP2

	// How a Send ends if only its first attempt meets the fault:
	succeeds bool
	outcome  stytchb2b.Outcome // of the error; unknown if zero
	sms      int
}

const (
	slow    = time.Hour       // longer than anybody waits here
	timeout = 5 * time.Minute // of a call; only a busy machine comes near it
)

var faultCases = []faultCase{
	{name: "none", network: faults.Plain, succeeds: true, sms: 1},

	{name: "refused dial", mix: 5, safe: true, network: faults.RefusedDial, succeeds: true, sms: 1},
	{name: "DNS failure", mix: 1, safe: true, network: faults.DNSFailure, succeeds: true, sms: 1},
	{name: "connect timeout", mix: 1, safe: true, network: faults.ConnectTimeout, succeeds: true, sms: 1},
	{name: "proxy refuses CONNECT", mix: 1, only: []faults.Protocol{faults.HTTPS1, faults.HTTPS2}, safe: true, network: faults.ProxyRefuses, succeeds: true, sms: 1},
	{name: "TLS handshake failure", mix: 1, only: []faults.Protocol{faults.HTTPS1, faults.HTTPS2}, safe: true, network: faults.HandshakeFailure, succeeds: true, sms: 1},
	{name: "unknown certificate authority", mix: 1, only: []faults.Protocol{faults.HTTPS1, faults.HTTPS2}, network: faults.UnknownAuthority, outcome: stytchb2b.OutcomeNotApplied},
	{name: "closed keep-alive connection", mix: 1, only: []faults.Protocol{faults.HTTP1, faults.HTTPS1}, network: faults.ClosedKeepAlive, succeeds: true, sms: 1},
	{name: "transport that returns before it dials", mix: 1, safe: true, network: faults.ReturnsEarly, succeeds: true, sms: 1},
	{name: "buffering transport that returns before it dials", mix: 1, safe: true, network: faults.ReturnsEarlyBuffered, succeeds: true, sms: 1},
	{name: "GOAWAY before", mix: 1, only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{GoAway: true}},
	{name: "GOAWAY after", mix: 1, only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{GoAway: true, Processed: true}, sms: 1},
	{name: "REFUSED_STREAM before", mix: 1, only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{Code: 0x7}},
	{name: "REFUSED_STREAM after", mix: 1, only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{Code: 0x7, Processed: true}, sms: 1},
	{name: "PROTOCOL_ERROR after", mix: 1, only: []faults.Protocol{faults.HTTPS2}, http2: &faults.HTTP2{Code: 0x1, Processed: true}, sms: 1},

	{name: "reset before processing", mix: 1, server: &stytchtest.Fault{Reset: true}},
	{name: "reset after processing", mix: 1, server: &stytchtest.Fault{Reset: true, Processed: true}, sms: 1},
	{name: "429 with Retry-After", mix: 3, safe: true, server: &stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"0"}}}, succeeds: true, sms: 1},
	// It takes a second, over one protocol as over another.
	{name: "429 without Retry-After", mix: 1, only: []faults.Protocol{faults.HTTP1}, safe: true, server: &stytchtest.Fault{StatusCode: 429}, succeeds: true, sms: 1},
	{name: "429, locked Member", mix: 1, server: &stytchtest.Fault{StatusCode: 429, ErrorType: stytchb2b.ErrorTypeUserLockLimitReached}, outcome: stytchb2b.OutcomeNotApplied},
	{name: "400", mix: 1, server: &stytchtest.Fault{StatusCode: 400, ErrorType: stytchb2b.ErrorTypeInvalidPhoneNumber}, outcome: stytchb2b.OutcomeNotApplied},
	{name: "499", mix: 1, server: &stytchtest.Fault{StatusCode: 499, Processed: true}, sms: 1},
	{name: "500 before processing", mix: 1, server: &stytchtest.Fault{StatusCode: 500}},
	{name: "500 after processing", mix: 1, server: &stytchtest.Fault{StatusCode: 500, Processed: true}, sms: 1},

	{name: "gateway's 503, empty", mix: 1, server: &stytchtest.Fault{StatusCode: 503, Body: " "}},
	{name: "gateway's 502 after processing", mix: 1, server: &stytchtest.Fault{StatusCode: 502, Processed: true, Body: "<html>Bad Gateway</html>"}, sms: 1},
	{name: "gateway's 408 after processing", mix: 1, server: &stytchtest.Fault{StatusCode: 408, Processed: true, Body: "upstream request timeout"}, sms: 1},
	{name: "gateway's 403 after processing", mix: 1, server: &stytchtest.Fault{StatusCode: 403, Processed: true, Body: `{"message":"Forbidden"}`}, sms: 1},
	{name: "gateway's 404 after processing", server: &stytchtest.Fault{StatusCode: 404, Processed: true, Body: "<html>"}, sms: 1},
	{name: "gateway's 429 after processing", mix: 1, server: &stytchtest.Fault{StatusCode: 429, Processed: true, Body: "Too Many Requests", Header: http.Header{"Retry-After": {"0"}}}, sms: 1},
	{name: "gateway's 302 after processing", mix: 1, server: &stytchtest.Fault{StatusCode: 302, Processed: true, Header: http.Header{"Location": {"/sorry"}}}, sms: 1},
	{name: "307", mix: 1, server: &stytchtest.Fault{StatusCode: 307, Header: http.Header{"Location": {"/v1/b2b/otps/sms/send"}}}},
	{name: "302 to nowhere", mix: 1, server: &stytchtest.Fault{StatusCode: 302, Header: http.Header{"Location": {"https://%zz"}}}},

	{name: "200 of a captive portal", mix: 1, server: &stytchtest.Fault{StatusCode: 200, Body: "<html>Welcome</html>"}},
	{name: "200 of another service", server: &stytchtest.Fault{StatusCode: 200, Body: `{"hello":"world"}`}},
	{name: "200, garbage", mix: 1, server: &stytchtest.Fault{StatusCode: 200, Processed: true, Body: "\x1f\x8b garbage"}, sms: 1},
	{name: "200, truncated", mix: 1, server: &stytchtest.Fault{Truncate: true}, outcome: stytchb2b.OutcomeApplied, sms: 1},
	{name: "200, endless", mix: 1, server: &stytchtest.Fault{Endless: true}, outcome: stytchb2b.OutcomeApplied, sms: 1},
	{name: "slow headers", mix: 1, server: &stytchtest.Fault{Delay: slow}, sms: 1},
	{name: "slow body", mix: 1, server: &stytchtest.Fault{BodyDelay: slow}, outcome: stytchb2b.OutcomeApplied, sms: 1},
}

// A suiteCall is one of the library's calls: how the suite makes it, and how often
// the server has applied it for a member. A number that is verified shows that
// the server took the code.
type suiteCall struct {
	client     func(*lab) faults.Client
	applied    func(*stytchtest.Server, string) int
	maybeOther func(error) bool // of the other call
}

var (
	sendCall = suiteCall{
		(*lab).send,
		func(s *stytchtest.Server, member string) int { return len(s.SMSTo(member)) },
		stytchb2b.MaybeUsed,
	}
	authenticateCall = suiteCall{
		(*lab).authenticate,
		func(s *stytchtest.Server, member string) int {
			if m, _ := s.Member(member); m.MFAPhoneNumberVerified {
				return 1
			}
			return 0
		},
		stytchb2b.MaybeSent,
	}
)

// checkEach compares each call with the faults that it met: only safe ones before the
// last, and for the last what the table says.
func (l *lab) checkEach(t *testing.T, results []faults.Result) {
	for _, r := range results {
		drawn := l.drawn[r.Member]
		last := drawn[len(drawn)-1]
		if slices.ContainsFunc(drawn, func(fc faultCase) bool { return strings.HasPrefix(fc.name, "GOAWAY") }) {
			continue // It also ends the other streams of the connection.
		}
		if last.name == "closed keep-alive connection" && runtime.GOOS == "windows" {
			continue // It cannot be seen there.
		}
		for _, fc := range drawn[:len(drawn)-1] {
			// net/http does not always take the next connection; then atmostonce does.
			assert.True(t, fc.safe || fc.name == "closed keep-alive connection", "retried after %s", fc.name)
		}
		outcome, applied := max(last.outcome, stytchb2b.OutcomeUnknown), last.sms
		if last.safe && assert.Len(t, drawn, attempts, "a safe retry not taken, after %s", last.name) {
			outcome, applied = stytchb2b.OutcomeNotApplied, 0
		}
		assert.Equal(t, applied, l.call.applied(l.Stytch, r.Member), last.name)
		switch {
		case last.succeeds && !last.safe:
			assert.NoError(t, r.Err, last.name)
		case assert.Error(t, r.Err, last.name):
			assert.Equal(t, outcome, outcomeOf(r.Err), "%s: %v", last.name, r.Err)
			assert.Equal(t, outcome != stytchb2b.OutcomeNotApplied, r.MaybeSent, "%s: %v", last.name, r.Err)
			assert.False(t, l.call.maybeOther(r.Err), "it is not the other call")
		}
	}
}

// drawMix draws the fault of an attempt, the same for every client.
func drawMix(proto faults.Protocol, seed uint64) func(string, int) faultCase {
	var hundred []faultCase
	for _, fc := range faultCases {
		if len(fc.only) == 0 || slices.Contains(fc.only, proto) {
			hundred = append(hundred, slices.Repeat([]faultCase{fc}, fc.mix)...)
		}
	}
	hundred = append(hundred, slices.Repeat(faultCases[:1], 100-len(hundred))...)
	return func(member string, attempt int) faultCase {
		h := fnv.New64a()
		_, _ = io.WriteString(h, member)
		return hundred[rand.New(rand.NewPCG(seed, h.Sum64()+uint64(attempt))).IntN(100)]
	}
}

// TestMix makes thousands of Sends that meet all faults. With -v, it prints the table,
// which compares this library with what people use instead.
func TestMix(t *testing.T) {
	t.Parallel()
	const atOnce, seed = 64, 20260601
	clients := []func(*lab) faults.Client{(*lab).send, (*lab).atMostOnce}
	if testing.Verbose() {
		clients = append(clients, (*lab).netHTTP, (*lab).retryableHTTP)
	}
	type row struct {
		faults.Tally
		notRetried   int
		lies, inVain string
	}
	var mu sync.Mutex
	total := map[string]row{}
	t.Run("clients", func(t *testing.T) {
		for _, proto := range faults.Protocols {
			for i, newClient := range clients {
				l := newLab(t, proto, sendCall, drawMix(proto, seed))
				client := newClient(l)
				t.Run(client.Name+" over "+string(proto), func(t *testing.T) {
					t.Parallel()
					l.TB = t
					results := l.Send(*mixSends, atOnce, false, client)
					r := row{lies: "it does not say", inVain: "it does not say"}
					if client.MaybeSent == nil {
						r.Tally = l.End(results)
					} else {
						r.Tally = l.Check(results)
					}
					if i == 0 {
						l.checkEach(t, results)
					}
					mu.Lock()
					defer mu.Unlock()
					sum := total[client.Name]
					r.Sends += sum.Sends
					r.Well += sum.Well
					r.Doubles += sum.Doubles
					r.InVain += sum.InVain
					r.Lies += sum.Lies
					if client.MaybeSent != nil {
						r.lies, r.inVain = fmt.Sprint(r.Lies), fmt.Sprint(r.InVain)
					}
					r.notRetried = sum.notRetried + l.notRetried(results)
					total[client.Name] = r
				})
			}
		}
	})
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| client\t| ended well\t| members with more than one SMS\t| safe retries not taken\t| errors that deny an SMS that was sent\t| \"may be out\", though nothing was\t|")
	fmt.Fprintln(w, "| ---\t| ---:\t| ---:\t| ---:\t| ---:\t| ---:\t|")
	for _, name := range slices.Sorted(maps.Keys(total)) {
		r := total[name]
		fmt.Fprintf(w, "| %s\t| %.1f%%\t| %d\t| %d\t| %s\t| %s\t|\n", name, 100*float64(r.Well)/float64(r.Sends), r.Doubles, r.notRetried, r.lies, r.inVain)
	}
	_ = w.Flush()
	t.Logf("%d Sends each, %d at once, seed %d:\n%s", len(faults.Protocols)**mixSends, atOnce, seed, table.String())
}

// TestMixOfAuthenticate meets all faults with the other call.
func TestMixOfAuthenticate(t *testing.T) {
	t.Parallel()
	for _, proto := range faults.Protocols {
		t.Run(string(proto), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, proto, authenticateCall, drawMix(proto, 11))
			results := l.Send(*mixSends, 64, false, l.authenticate())
			l.End(results)
			l.checkEach(t, results)
		})
	}
}

// TestMixCanceled meets all faults while contexts are canceled at random.
func TestMixCanceled(t *testing.T) {
	t.Parallel()
	for _, call := range []suiteCall{sendCall, authenticateCall} {
		for _, proto := range faults.Protocols {
			l := newLab(t, proto, call, drawMix(proto, 7))
			client := call.client(l)
			t.Run(client.Name+" over "+string(proto), func(t *testing.T) {
				t.Parallel()
				// Only a few at once, so that most reach the server.
				results := l.Send(*mixSends/2, 4, true, client)
				l.End(results)
				canceled := 0
				for _, r := range results {
					applied := call.applied(l.Stytch, r.Member)
					assert.LessOrEqual(t, applied, 1)
					if r.Err == nil {
						assert.Equal(t, 1, applied)
						continue
					}
					assert.True(t, r.MaybeSent || applied == 0, "%v", r.Err)
					if errors.Is(r.Err, context.Canceled) {
						canceled++
					}
				}
				assert.NotZero(t, canceled)
			})
		}
	}
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

// A lab is one behind a network in which faults happen.
type lab struct {
	*faults.Lab
	call suiteCall
	draw func(member string, attempt int) faultCase

	mu    sync.Mutex
	drawn map[string][]faultCase              // by member, one for each attempt
	nets  map[string]func() http.RoundTripper // by the name of a fault, made once
}

func newLab(t *testing.T, proto faults.Protocol, call suiteCall, draw func(string, int) faultCase) *lab {
	return &lab{
		Lab:   faults.NewLab(t, proto, nil),
		call:  call,
		draw:  draw,
		drawn: map[string][]faultCase{},
		nets:  map[string]func() http.RoundTripper{},
	}
}

// network returns the network of a fault.
func (l *lab) network(fc faultCase) http.RoundTripper {
	if fc.http2 != nil {
		return l.HTTP2(*fc.http2).Network(l.Server)
	}
	return fc.network(l.Server)
}

// RoundTrip gives each attempt the fault that is drawn for it.
func (l *lab) RoundTrip(req *http.Request) (*http.Response, error) {
	member := faults.MemberOf(req.Context())
	l.mu.Lock()
	fc := l.draw(member, len(l.drawn[member])+1)
	l.drawn[member] = append(l.drawn[member], fc)
	where := fc
	if fc.server != nil {
		where = faultCases[0]
	}
	if l.nets[where.name] == nil {
		l.nets[where.name] = sync.OnceValue(func() http.RoundTripper { return l.network(where) })
	}
	next := l.nets[where.name]
	l.mu.Unlock()
	if fc.server != nil {
		fault := *fc.server
		fault.MemberID = member
		l.Stytch.Fail(fault)
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
		before := l.call.applied(l.Stytch, fault.MemberID) // by an earlier attempt
		go func() {
			defer cancel()
			assert.Eventually(l, func() bool { return ctx.Err() != nil || l.call.applied(l.Stytch, fault.MemberID) > before }, timeout, time.Millisecond)
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

func (l *lab) library() *stytchb2b.Client {
	return l.Library(stytchb2b.WithHTTPClient(&http.Client{Transport: l}), stytchb2b.WithTimeout(timeout))
}

func (l *lab) send() faults.Client { return l.Sends(l.library()) }

// authenticate enters the code of an SMS that was sent without faults.
func (l *lab) authenticate() faults.Client {
	client := l.library()
	return faults.Client{Name: "stytchb2b, Authenticate", Send: func(ctx context.Context, member string) error {
		l.Process(fmt.Appendf(nil, `{"organization_id":%q,"member_id":%q}`, l.Stytch.OrganizationID, member))
		_, err := client.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
			OrganizationID: l.Stytch.OrganizationID, MemberID: member,
			Code:                     l.Stytch.SMSTo(member)[0].Code,
			IntermediateSessionToken: l.Stytch.IntermediateSessionToken(member),
		})
		return err
	}, MaybeSent: stytchb2b.MaybeUsed}
}

func (l *lab) netHTTP() faults.Client {
	return l.ByHand("net/http", l.URL, &http.Client{Transport: l}, nil)
}

func (l *lab) atMostOnce() faults.Client {
	return l.ByHand("net/http on atmostonce", l.URL, &http.Client{Transport: &atmostonce.Transport{Base: l}}, atmostonce.MaybeSent)
}

// retryableHTTP is go-retryablehttp with its default policy; only its waits are
// shortened, and its attempts as many as the others'.
func (l *lab) retryableHTTP() faults.Client {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = attempts-1, time.Millisecond, 4*time.Millisecond
	client.HTTPClient = &http.Client{Transport: l}
	return l.ByHand("go-retryablehttp, default policy", l.URL, client.StandardClient(), nil)
}

// notRetried counts the safe retries that a client has not taken.
func (l *lab) notRetried(results []faults.Result) (n int) {
	for _, r := range results {
		if drawn := l.drawn[r.Member]; r.Err != nil && len(drawn) < attempts && drawn[len(drawn)-1].safe {
			n++
		}
	}
	return n
}
