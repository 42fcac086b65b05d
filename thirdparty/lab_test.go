package thirdparty_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/atmostonce"
	"github.com/eb715825/stytchb2b/stytchtest"
)

// atOnce is how many Sends are under way at a time, where a lab does not say.
const atOnce = 16

// A lab is a Stytch that counts its SMS, served by the origin: the server that
// all intermediaries lead to. The count is the truth that clients are held to.
type lab struct {
	*testing.T
	stytch *stytchtest.Server // answers through origin; its own listener is not used
	origin *httptest.Server

	atOnce  int          // Sends under way at a time
	arrived atomic.Int64 // requests
	usual   atomic.Int64 // how long a Send took that was not canceled
	// event, if set, is called in every eventEvery-th request, when the SMS is
	// out and the answer is not.
	event func()
	// chance is how likely a request meets the fault.
	chance float64
	fault  stytchtest.Fault
	// late counts what goes on after the Sends have returned.
	late sync.WaitGroup
}

const eventEvery = 50

func newLab(t *testing.T) *lab {
	l := &lab{T: t, stytch: stytchtest.NewUnstartedServer(), atOnce: atOnce}
	l.usual.Store(int64(slower.Delay))
	_ = l.stytch.Listener.Close()
	l.origin = httptest.NewUnstartedServer(l)
	l.origin.Config.ErrorLog = log.New(io.Discard, "", 0) // It would be of broken connections.
	l.origin.Start()
	t.Cleanup(l.close)
	return l
}

// ServeHTTP is the origin's handler.
func (l *lab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := l.arrived.Add(1)
	if rand.Float64() < l.chance {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // It was canceled on its way.
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		fault := l.fault
		fault.MemberID = memberOf(body)
		l.stytch.Fail(fault)
	}
	l.stytch.ServeHTTP(w, r)
	if l.event != nil && n%eventEvery == 0 {
		l.event()
	}
}

// process lets a request take effect without an answer.
func (l *lab) process(member string) *httptest.ResponseRecorder {
	resp := httptest.NewRecorder()
	l.arrived.Add(1)
	l.stytch.ServeHTTP(resp, l.request(context.Background(), l.stytch.URL, member))
	return resp
}

const sendPath = "/v1/b2b/otps/sms/send"

// memberOf returns the Member that a request's body names.
func memberOf(body []byte) string {
	var p struct {
		MemberID string `json:"member_id"`
	}
	_ = json.Unmarshal(body, &p)
	return p.MemberID
}

func (l *lab) close() {
	l.stytch.Close()
	l.origin.Close()
}

// A client sends an SMS to a Member.
type client func(ctx context.Context, member string) result

type result struct {
	member    string
	err       error
	maybeSent bool // what the client says of err
	status    int  // of the answer, if that is the error
}

// timeout bounds a Send.
const timeout = 5 * time.Second

// clients makes three clients for each http.Client: one of the library, and two
// of net/http on atmostonce, the second of which says that the server needs the
// body. With nil they use transports of their own.
func (l *lab) clients(url string, httpClients ...*http.Client) []client {
	var clients []client
	for _, httpClient := range httpClients {
		clients = append(clients, l.library(url, httpClient), l.plain(url, httpClient, false), l.plain(url, httpClient, true))
	}
	return clients
}

func (l *lab) library(url string, httpClient *http.Client) client {
	opts := []stytchb2b.Option{
		stytchb2b.WithBaseURL(url),
		stytchb2b.WithTimeout(timeout),
		stytchb2b.WithRetry(stytchb2b.RetryPolicy{MinBackoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond}),
	}
	if httpClient != nil {
		opts = append(opts, stytchb2b.WithHTTPClient(httpClient))
	}
	c, err := stytchb2b.NewClient(l.stytch.ProjectID, l.stytch.Secret, opts...)
	require.NoError(l, err)
	return func(ctx context.Context, member string) result {
		_, err := c.OTPs.SMS.Send(ctx, stytchb2b.SMSSendParams{OrganizationID: l.stytch.OrganizationID, MemberID: member})
		r := result{member: member, err: err, maybeSent: stytchb2b.MaybeSent(err)}
		if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
			r.status = e.StatusCode
		}
		return r
	}
}

// plain is net/http on an atmostonce.Transport. It takes any answer but 200 for
// an unknown end.
func (l *lab) plain(url string, httpClient *http.Client, needsBody bool) client {
	c := http.Client{}
	if httpClient != nil {
		c = *httpClient
	}
	c.Transport = &atmostonce.Transport{Base: c.Transport, NeedsBody: needsBody}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	l.Cleanup(c.CloseIdleConnections)
	return func(ctx context.Context, member string) result {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		r := result{member: member, maybeSent: true}
		var resp *http.Response
		if resp, r.err = c.Do(l.request(ctx, url, member)); r.err != nil {
			r.maybeSent = atmostonce.MaybeSent(r.err)
			return r
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			r.status, r.err = resp.StatusCode, errors.New(resp.Status)
			return r
		}
		_, r.err = io.Copy(io.Discard, resp.Body)
		return r
	}
}

// request makes a Send's request by hand.
func (l *lab) request(ctx context.Context, url, member string) *http.Request {
	body := fmt.Sprintf(`{"organization_id":%q,"member_id":%q}`, l.stytch.OrganizationID, member)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+sendPath, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(l.stytch.ProjectID, l.stytch.Secret)
	return req
}

// transport makes a transport as applications do, changed by the options.
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

// send makes n Sends, each to a Member of its own, by the clients in turn. If
// canceled is set, all but every fifth have a context that is canceled at
// random.
func (l *lab) send(n int, canceled bool, clients []client) []result {
	results := make([]result, n)
	places := make(chan struct{}, l.atOnce)
	var wg sync.WaitGroup
	for i := range results {
		m, err := l.stytch.AddMember(stytchtest.Member{MemberID: member(i), MFAPhoneNumber: "+12025550106"})
		require.NoError(l, err)
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			ctx, start := context.Background(), time.Now()
			if canceled && i%5 > 0 { // There are 3, 6 or 9 clients.
				ctx = l.canceledSoon()
			}
			results[i] = clients[i%len(clients)](ctx, m.MemberID)
			if i%5 == 0 {
				l.usual.Store(int64(time.Since(start)))
			}
		})
	}
	wg.Wait()
	return results
}

// member returns the ID of the Member that the ith Send is for.
func member(i int) string { return fmt.Sprintf("member-%d", i) }

// canceledSoon returns a context that is canceled at random, before or after a
// Send that takes as long as the last one with nothing against it.
func (l *lab) canceledSoon() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(rand.N(2*time.Duration(l.usual.Load())), cancel)
	return ctx
}

// settle returns when requests have ceased to arrive. A Send that was canceled
// may have left one on its way, whose SMS counts.
func (l *lab) settle() {
	l.late.Wait()
	last, since := l.arrived.Load(), time.Now()
	for range time.Tick(10 * time.Millisecond) {
		if n := l.arrived.Load(); n != last {
			last, since = n, time.Now()
		} else if time.Since(since) > 150*time.Millisecond {
			return
		}
	}
}

// A tally is what came of many Sends.
type tally struct {
	sends, well, unknown, notSent int

	doubles int // Sends with more than one SMS
	lies    int // errors that deny an SMS that went out
	missing int // Sends that ended well without an SMS

	sentAndFailed   int         // errors of Sends whose SMS went out
	unsentAndFailed int         // errors of Sends without an SMS
	statuses        map[int]int // of answers that Sends failed with
	example         string      // of what is wrong
}

// check ends the lab, and holds the results against what the server counted.
func (l *lab) check(results []result) tally {
	l.late.Wait()
	l.close()
	sms := map[string]int{}
	for _, m := range l.stytch.SMS() {
		sms[m.MemberID]++
	}
	t := tally{sends: len(results), statuses: map[int]int{}}
	for _, r := range results {
		n := sms[r.member]
		wrong := ""
		if n > 1 {
			t.doubles++
			wrong = "more than one SMS"
		}
		switch {
		case r.err == nil:
			t.well++
			if n == 0 {
				t.missing++
				wrong = "a success without an SMS"
			}
		case r.maybeSent:
			t.unknown++
		default:
			t.notSent++
			if n > 0 {
				t.lies++
				wrong = "a lie"
			}
		}
		if r.err != nil && n > 0 {
			t.sentAndFailed++
		}
		if r.err != nil && n == 0 {
			t.unsentAndFailed++
		}
		if r.status != 0 {
			t.statuses[r.status]++
		}
		if wrong != "" && t.example == "" {
			t.example = fmt.Sprintf("%s: %d SMS, %.300v", wrong, n, r.err)
		}
	}
	l.Log(t)
	assert.Zero(l, t.doubles, "Sends with more than one SMS, such as %s", t.example)
	assert.Zero(l, t.lies, "errors that deny an SMS that went out, such as %s", t.example)
	assert.Zero(l, t.missing, "Sends that ended well without an SMS, such as %s", t.example)
	return t
}

func (t tally) String() string {
	var statuses strings.Builder
	for _, status := range slices.Sorted(maps.Keys(t.statuses)) {
		fmt.Fprintf(&statuses, ", %d with %d", t.statuses[status], status)
	}
	return fmt.Sprintf("%d Sends: %d ended well, %d unknown, %d certainly not sent (failed after the SMS: %d, without one: %d%s); more than one SMS: %d, lies: %d",
		t.sends, t.well, t.unknown, t.notSent, t.sentAndFailed, t.unsentAndFailed, statuses.String(), t.doubles, t.lies)
}
