package stytchtest

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A Fault makes one request end badly. Its zero value changes nothing.
type Fault struct {
	// MemberID, if set, keeps the fault for the next request that names this
	// Member so.
	MemberID string

	// Processed is whether the request takes effect, the SMS included, before it
	// goes wrong. It always does where the answer is the real one, which is
	// where StatusCode and Reset are not set.
	Processed bool

	// StatusCode, Header and Body are the answer in the place of the real one.
	// Header and Body count only with a StatusCode.
	StatusCode int
	Header     http.Header
	Body       string

	// Delay passes before the answer's headers.
	Delay time.Duration

	// Reset breaks the connection before the answer: with a TCP RST over
	// HTTP/1.1, and an RST_STREAM over HTTP/2.
	Reset bool

	// Truncate breaks the connection in the middle of the answer's body.
	Truncate bool

	// BodyDelay passes in the middle of the answer's body.
	BodyDelay time.Duration

	// Endless goes on with the answer's body until the client has enough.
	Endless bool
}

// real reports whether the fault leaves the answer to the request.
func (f Fault) real() bool { return f.StatusCode == 0 && !f.Reset }

// A Chance is a Fault and how likely it is.
type Chance struct {
	Probability float64 // from 0 to 1
	Fault       Fault   // what happens then
}

// faults says which one is next.
type faults struct {
	queue []Fault
	seed  uint64
	mix   []Chance
	drawn map[string]uint64 // requests so far, by member_id
}

// Fail makes the next requests fail, one for each fault, in this order. These
// faults come before those of [Server.FailAtRandom].
func (s *Server) Fail(next ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault.queue = append(s.fault.queue, next...)
}

// FailAtRandom makes requests fail at random, with at most one of the faults of
// the mix each, until it is called again; without a mix, none. The nth request
// for a Member meets the same fault whenever the seed is the same, whatever
// other requests are made beside it. It panics if the probabilities are not
// between 0 and 1 in all.
func (s *Server) FailAtRandom(seed uint64, mix ...Chance) {
	sum := 0.0
	for _, c := range mix {
		if c.Probability < 0 {
			panic("stytchtest: a probability is negative")
		}
		sum += c.Probability
	}
	if sum > 1+1e-9 {
		panic("stytchtest: the probabilities add up to more than 1")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault.seed, s.fault.mix, s.fault.drawn = seed, mix, map[string]uint64{}
}

// next takes the fault for a request, if it is to have one.
func (f *faults) next(body []byte) (Fault, bool) {
	if len(f.queue) == 0 && len(f.mix) == 0 {
		return Fault{}, false
	}
	var p struct {
		MemberID string `json:"member_id"`
	}
	_ = json.Unmarshal(body, &p)
	for i, fault := range f.queue {
		if fault.MemberID == "" || fault.MemberID == p.MemberID {
			f.queue = slices.Delete(f.queue, i, i+1)
			return fault, true
		}
	}
	if len(f.mix) == 0 {
		return Fault{}, false
	}
	if len(f.drawn) > maxRecords {
		clear(f.drawn)
	}
	n := f.drawn[p.MemberID]
	f.drawn[p.MemberID]++
	h := fnv.New64a()
	_, _ = h.Write([]byte(p.MemberID))
	x := rand.New(rand.NewPCG(f.seed, h.Sum64()+n)).Float64()
	for _, c := range f.mix {
		if x -= c.Probability; x < 0 {
			return c.Fault, true
		}
	}
	return Fault{}, false
}

// write sends the answer as the fault has it. stop ends what it holds up.
func (f Fault) write(w http.ResponseWriter, r *http.Request, ans answer, stop <-chan struct{}) {
	if !pause(f.Delay, r, stop) {
		panic(http.ErrAbortHandler)
	}
	if f.Reset {
		reset(w)
	}
	maps.Copy(w.Header(), ans.header)
	if !f.Endless {
		w.Header().Set("Content-Length", strconv.Itoa(len(ans.body)))
	}
	w.WriteHeader(ans.status)
	half := len(ans.body) / 2
	if !f.Truncate && f.BodyDelay == 0 {
		half = len(ans.body)
	}
	_, _ = w.Write(ans.body[:half])
	if f.Truncate || f.BodyDelay > 0 {
		_ = http.NewResponseController(w).Flush()
	}
	if f.Truncate || !pause(f.BodyDelay, r, stop) {
		panic(http.ErrAbortHandler)
	}
	_, err := w.Write(ans.body[half:])
	for filler := bytes.Repeat([]byte(" "), 32<<10); f.Endless && err == nil; {
		if _, err = w.Write(filler); !pause(0, r, stop) {
			panic(http.ErrAbortHandler)
		}
	}
}

// pause waits, and reports whether there is still a reason to go on.
func pause(d time.Duration, r *http.Request, stop <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-stop:
		return false
	case <-r.Context().Done():
		return false
	case <-timer.C:
		return true
	}
}

// reset breaks the connection, and does not return.
func reset(w http.ResponseWriter) {
	// HTTP/2 cannot be hijacked; the panic resets the stream.
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		raw := conn
		if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
			raw = t.NetConn()
		}
		if t, ok := raw.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // RST in the place of FIN
		}
		_ = raw.Close()
	}
	panic(http.ErrAbortHandler)
}
