package stytchtest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/eb715825/stytchb2b"
)

// A Fault makes a request fail. Its zero value changes nothing. The command fakestytch
// uses its JSON names.
type Fault struct {
	// MemberID, if set, restricts the fault to requests with this member_id.
	MemberID string `json:"member_id"`

	// Processed is whether the request takes effect before it fails: for a Send,
	// whether the SMS goes out. If neither StatusCode nor Reset is set, the request
	// always takes effect, and the answer is the real one.
	Processed bool `json:"processed"`

	// StatusCode, Header and Body replace the real answer. Header and Body need a
	// StatusCode.
	//
	// Without a Body, the answer is a Stytch error object if the StatusCode is one of
	// Stytch's (400, 401, 403, 404, 429, 499, 500 or 503) or if ErrorType is set.
	// Otherwise the answer has no body, like one from a gateway.
	StatusCode int         `json:"status_code"`
	Header     http.Header `json:"header"`
	Body       string      `json:"body"`

	// ErrorType is the error_type of that error object. If it is empty, the error_type
	// is one that Stytch documents for the status.
	ErrorType stytchb2b.ErrorType `json:"error_type"`

	// Delay is a pause before the answer's headers.
	Delay time.Duration `json:"delay"`

	// Reset breaks the connection before the answer: with a TCP RST over HTTP/1.1, or
	// with RST_STREAM over HTTP/2.
	Reset bool `json:"reset"`

	// Truncate breaks the connection in the middle of the answer's body.
	Truncate bool `json:"truncate"`

	// BodyDelay is a pause in the middle of the answer's body.
	BodyDelay time.Duration `json:"body_delay"`

	// Endless continues the answer's body until the client stops reading.
	Endless bool `json:"endless"`
}

// real reports whether the real answer is sent.
func (f Fault) real() bool { return f.StatusCode == 0 && !f.Reset }

// errorTypes maps a status to the default ErrorType.
var errorTypes = map[int]stytchb2b.ErrorType{
	400: stytchb2b.ErrorTypeBadRequest,
	401: stytchb2b.ErrorTypeUnauthorizedCredentials,
	403: stytchb2b.ErrorTypeOrganizationSuspended,
	404: stytchb2b.ErrorTypeRouteNotFound,
	429: stytchb2b.ErrorTypeTooManyRequests,
	499: stytchb2b.ErrorTypeClientClosedRequest,
	500: stytchb2b.ErrorTypeInternalServerError,
	503: stytchb2b.ErrorTypeServerUnavailable,
}

// answer returns the answer that replaces the real one.
func (f Fault) answer() answer {
	errorType := f.ErrorType
	if errorType == "" {
		errorType = errorTypes[f.StatusCode]
	}
	if f.Body != "" || errorType == "" {
		return answer{status: f.StatusCode, header: f.Header, body: []byte(f.Body)}
	}
	e := fail(f.StatusCode, string(errorType), "The test asked for this answer.")
	ans := e.answer()
	maps.Copy(ans.header, f.Header)
	return ans
}

// Fail makes the next requests fail, one per fault, in order.
func (s *Server) Fail(next ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, next...)
}

// FailAlways makes requests fail until [Server.Recover]. Faults from [Server.Fail],
// and earlier ones from FailAlways, take precedence.
func (s *Server) FailAlways(fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lasting = append(s.lasting, fault)
}

// Recover removes all faults.
func (s *Server) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.lasting = nil, nil
}

// nextFault returns the fault for a request, if there is one. s.mu is held.
func (s *Server) nextFault(body []byte) Fault {
	var p struct {
		MemberID string `json:"member_id"`
	}
	_ = json.Unmarshal(body, &p)
	meant := func(f Fault) bool { return f.MemberID == "" || f.MemberID == p.MemberID }
	if i := slices.IndexFunc(s.faults, meant); i >= 0 {
		fault := s.faults[i]
		s.faults = slices.Delete(s.faults, i, i+1)
		return fault
	}
	if i := slices.IndexFunc(s.lasting, meant); i >= 0 {
		return s.lasting[i]
	}
	return Fault{}
}

// write sends the answer, with the fault. stop ends delays.
func (f Fault) write(w http.ResponseWriter, r *http.Request, ans answer, stop <-chan struct{}) {
	if !pause(f.Delay, r, stop) {
		panic(http.ErrAbortHandler)
	}
	if f.Reset {
		reset(w)
	}
	maps.Copy(w.Header(), ans.header)
	w.WriteHeader(ans.status)
	first := len(ans.body)
	if f.Truncate || f.BodyDelay > 0 {
		first /= 2
	}
	_, _ = w.Write(ans.body[:first])
	if first < len(ans.body) {
		_ = http.NewResponseController(w).Flush()
	}
	if f.Truncate || !pause(f.BodyDelay, r, stop) {
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(ans.body[first:])
	for filler := bytes.Repeat([]byte(" "), 32<<10); f.Endless; _, _ = w.Write(filler) {
		if !pause(0, r, stop) {
			panic(http.ErrAbortHandler)
		}
	}
}

// pause waits, and reports whether the request should continue.
func pause(d time.Duration, r *http.Request, stop <-chan struct{}) bool {
	select {
	case <-stop:
		return false
	case <-r.Context().Done():
		return false
	case <-time.After(d):
		return true
	}
}

// reset breaks the connection. It does not return.
func reset(w http.ResponseWriter) {
	// HTTP/2 cannot be hijacked; the panic resets the stream.
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		raw := conn
		if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
			raw = t.NetConn()
		}
		if t, ok := raw.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // RST instead of FIN
		}
		_ = raw.Close()
	}
	panic(http.ErrAbortHandler)
}
