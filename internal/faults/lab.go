package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/byhand"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// A Lab makes Sends to a fake Stytch and counts the SMS. Clients are checked against
// the count.
type Lab struct {
	testing.TB
	*Server
	Stytch *stytchtest.Server // answers through Server; its own listener is not used
	sends  int
	usual  atomic.Int64 // duration of the last Send that was not canceled
}

// NewLab starts a lab. The handler, if it is not nil, is in front of the fake.
func NewLab(tb testing.TB, proto Protocol, handler http.Handler) *Lab {
	l := &Lab{TB: tb, Stytch: stytchtest.NewUnstartedServer()}
	_ = l.Stytch.Listener.Close()
	if handler == nil {
		handler = l.Stytch
	}
	l.Server = Serve(tb, proto, handler)
	tb.Cleanup(l.Stytch.Close) // This ends requests that hang.
	return l
}

// A Client sends an SMS to a Member.
type Client struct {
	Name string
	Send func(ctx context.Context, member string) error
	// MaybeSent reports whether an SMS may have gone out in a Send that failed. It is
	// nil if the client cannot tell.
	MaybeSent func(error) bool
}

// Timeout is the timeout of the lab's clients for a Send.
const Timeout = 30 * time.Second

// Library is a client of this library with short waits before retries.
func (l *Lab) Library(opts ...stytchb2b.Option) *stytchb2b.Client {
	client, err := stytchb2b.NewClient(l.Stytch.ProjectID, l.Stytch.Secret, append([]stytchb2b.Option{
		stytchb2b.WithBaseURL(l.URL),
		stytchb2b.WithTimeout(Timeout),
		stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond}),
	}, opts...)...)
	require.NoError(l, err)
	return client
}

// Sends makes a Client from a client of this library.
func (l *Lab) Sends(client *stytchb2b.Client) Client {
	return Client{"stytchb2b", func(ctx context.Context, member string) error {
		_, err := client.OTPs.SMS.Send(ctx, l.params(member))
		return err
	}, stytchb2b.MaybeSent}
}

// ByHand is a client written by hand with net/http.
func (l *Lab) ByHand(name, url string, client *http.Client, maybeSent func(error) bool) Client {
	c := byhand.Client{HTTP: client, BaseURL: url, ProjectID: l.Stytch.ProjectID, Secret: l.Stytch.Secret, Timeout: Timeout}
	return Client{name, func(ctx context.Context, member string) error {
		var answer struct {
			RequestID string `json:"request_id"`
		}
		return c.Send(ctx, l.params(member), &answer)
	}, maybeSent}
}

func (l *Lab) params(member string) stytchb2b.SMSSendParams {
	return stytchb2b.SMSSendParams{OrganizationID: l.Stytch.OrganizationID, MemberID: member}
}

func statusOf(err error) int {
	if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
		return e.StatusCode
	}
	status := byhand.StatusError(0)
	errors.As(err, &status)
	return int(status)
}

// Named returns the Member and the code in a request's body.
func Named(body []byte) (member, code string) {
	var p struct {
		MemberID string `json:"member_id"`
		Code     string `json:"code"`
	}
	_ = json.Unmarshal(body, &p)
	return p.MemberID, p.Code
}

// SendPath is the path of Stytch's endpoint.
const SendPath = "/v1/b2b/otps/sms/send"

// Process carries out a request without a network. It returns the answer's body.
func (l *Lab) Process(body []byte) []byte {
	path := SendPath
	if _, code := Named(body); code != "" {
		path = "/v1/b2b/otps/sms/authenticate"
	}
	req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(l.Stytch.ProjectID, l.Stytch.Secret)
	resp := httptest.NewRecorder()
	l.Stytch.ServeHTTP(resp, req)
	return resp.Body.Bytes()
}

// HTTP2 gives the first request for each Member the fault. Requests take effect at the
// lab's Stytch.
func (l *Lab) HTTP2(h HTTP2) HTTP2 {
	var seen sync.Map
	h.Meets = func(body []byte) bool {
		member, _ := Named(body)
		_, again := seen.LoadOrStore(member, true)
		return !again
	}
	h.Process = l.Process
	return h
}

// A Result is the result of a Send.
type Result struct {
	Member    string
	Err       error
	MaybeSent bool // what the client says about Err; true if it cannot tell
	Took      time.Duration
}

// MemberID returns the Member's ID in the ith Send.
func MemberID(i int) string { return fmt.Sprintf("member-%d", i) }

type memberKey struct{}

// MemberOf returns the Member that a Send with this context is for.
func MemberOf(ctx context.Context) string { return ctx.Value(memberKey{}).(string) }

// Send makes n Sends, each to a different Member, with the clients in turn. If canceled
// is set, all but every fifth have a context that is canceled at a random time, within
// twice the duration of a recent Send.
func (l *Lab) Send(n, atOnce int, canceled bool, clients ...Client) []Result {
	results := make([]Result, n)
	places := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i := range results {
		m, err := l.Stytch.AddMember(stytchtest.Member{MemberID: MemberID(l.sends), MFAPhoneNumber: "+12025550106"})
		require.NoError(l, err)
		l.sends++
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			ctx, cancel := context.WithCancel(context.WithValue(context.Background(), memberKey{}, m.MemberID))
			defer cancel()
			toTheEnd := !canceled || i%5 == 0
			if !toTheEnd {
				time.AfterFunc(rand.N(time.Duration(max(2*l.usual.Load(), int64(time.Millisecond)))), cancel)
			}
			c, start := clients[i%len(clients)], time.Now()
			r := Result{Member: m.MemberID, Err: c.Send(ctx, m.MemberID), Took: time.Since(start)}
			r.MaybeSent = r.Err != nil && (c.MaybeSent == nil || c.MaybeSent(r.Err))
			results[i] = r
			if toTheEnd {
				l.usual.Store(int64(min(r.Took, 100*time.Millisecond)))
			}
		})
	}
	wg.Wait()
	return results
}

// A Tally sums up many Sends.
type Tally struct {
	Sends, Well, Unknown, NotSent int
	InVain                        int // unknown, and no SMS went out

	Doubles int // Sends with more than one SMS
	Lies    int // errors that deny an SMS that went out
	Missing int // Sends that succeeded without an SMS

	SentAndFailed   int         // errors of Sends whose SMS went out
	UnsentAndFailed int         // errors of Sends without an SMS
	Statuses        map[int]int // counts the statuses of failed Sends
	Example         string      // an example of what is wrong
}

// Tally compares the results with the SMS that the lab counted.
func (l *Lab) Tally(results []Result) Tally {
	sms := map[string]int{}
	for _, m := range l.Stytch.SMS() {
		sms[m.MemberID]++
	}
	t := Tally{Sends: len(results), Statuses: map[int]int{}}
	for _, r := range results {
		n := sms[r.Member]
		wrong := func(count *int, what string) {
			*count++
			t.Example = fmt.Sprintf("%s: %d SMS, %.300v", what, n, r.Err)
		}
		if n > 1 {
			wrong(&t.Doubles, "more than one SMS")
		}
		if r.Err == nil {
			t.Well++
			if n == 0 {
				wrong(&t.Missing, "a success without an SMS")
			}
			continue
		}
		if status := statusOf(r.Err); status > 0 {
			t.Statuses[status]++
		}
		switch {
		case r.MaybeSent:
			t.Unknown++
			if n == 0 {
				t.InVain++
			}
		case n > 0:
			wrong(&t.Lies, "a lie")
			fallthrough
		default:
			t.NotSent++
		}
		if n > 0 {
			t.SentAndFailed++
		} else {
			t.UnsentAndFailed++
		}
	}
	return t
}

// End waits until all requests have ended, ends the lab, and returns the final tally.
func (l *Lab) End(results []Result) Tally {
	l.Late.Wait()
	l.Stytch.Close()
	l.Close()
	return l.Tally(results)
}

// Check is End for clients that all make the promises.
func (l *Lab) Check(results []Result) Tally {
	t := l.End(results)
	l.Logf("%+v", t)
	assert.Zero(l, t.Doubles, "Sends with more than one SMS, such as %s", t.Example)
	assert.Zero(l, t.Lies, "errors that deny an SMS that went out, such as %s", t.Example)
	assert.Zero(l, t.Missing, "Sends that ended well without an SMS, such as %s", t.Example)
	return t
}
