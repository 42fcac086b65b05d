package stytchb2b_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
)

// net/http's server cannot be made to reset a stream with any error code or to
// send a GOAWAY that leaves one out. This one can: it has as much of HTTP/2 (RFC
// 9113) as it takes to answer a POST, or not to.

// An http2Fault is what a request is answered with.
type http2Fault struct {
	processed bool // the request took effect before
	goAway    bool // GOAWAY; otherwise RST_STREAM
	code      uint32
}

var (
	goAwayBefore = http2Fault{goAway: true}
	goAwayAfter  = http2Fault{goAway: true, processed: true}
)

func resetBefore(code uint32) http2Fault { return http2Fault{code: code} }
func resetAfter(code uint32) http2Fault  { return http2Fault{code: code, processed: true} }

const (
	frameData      = 0x0
	frameHeaders   = 0x1
	frameRSTStream = 0x3
	frameSettings  = 0x4
	framePing      = 0x6
	frameGoAway    = 0x7

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
)

// rawHTTP2 is a network to a server that meets the first request of each member
// with the fault.
func rawHTTP2(fault http2Fault) func(*lab) http.RoundTripper {
	return func(l *lab) http.RoundTripper {
		listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
			Certificates: l.server.TLS.Certificates,
			NextProtos:   []string{"h2"},
		})
		require.NoError(l, err)
		s := &http2Server{lab: l, fault: fault, seen: map[string]bool{}}
		s.wg.Go(func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				s.wg.Go(func() {
					// The transport keeps a connection on which a request was canceled
					// just before the end.
					defer context.AfterFunc(l.Context(), func() { _ = conn.Close() })()
					s.serve(conn)
				})
			}
		})
		t := l.transport(func(t *http.Transport) {
			t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
			}
		})
		l.Cleanup(func() {
			t.CloseIdleConnections()
			_ = listener.Close()
			s.wg.Wait()
		})
		return t
	}
}

type http2Server struct {
	lab   *lab
	fault http2Fault
	wg    sync.WaitGroup
	mu    sync.Mutex
	seen  map[string]bool // by member
}

func (s *http2Server) serve(conn net.Conn) {
	defer conn.Close()
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	writeFrame(conn, frameSettings, 0, 0, nil)
	bodies := map[uint32]*bytes.Buffer{}
	var processed uint32 // the last stream that was
	for {
		kind, flags, stream, payload, err := readFrame(conn)
		if err != nil {
			return
		}
		switch kind {
		case frameSettings:
			if flags&flagAck == 0 {
				writeFrame(conn, frameSettings, flagAck, 0, nil)
			}
		case framePing:
			if flags&flagAck == 0 {
				writeFrame(conn, framePing, flagAck, 0, payload)
			}
		case frameHeaders:
			bodies[stream] = &bytes.Buffer{}
		case frameData:
			body, ok := bodies[stream]
			if !ok {
				continue // of a stream that was refused
			}
			body.Write(payload)
			if flags&flagEndStream == 0 {
				continue
			}
			delete(bodies, stream)
			if !s.answer(conn, stream, &processed, body.Bytes()) {
				return
			}
		}
	}
}

// answer ends a stream, and reports whether the connection goes on.
func (s *http2Server) answer(conn net.Conn, stream uint32, processed *uint32, body []byte) (goesOn bool) {
	defer func() {
		// The fake breaks a connection so, for a fault that an attempt before this
		// one was to meet, and that was canceled on its way.
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	var p struct {
		MemberID string `json:"member_id"`
		Code     string `json:"code"`
	}
	_ = json.Unmarshal(body, &p)
	s.mu.Lock()
	first := !s.seen[p.MemberID]
	s.seen[p.MemberID] = true
	s.mu.Unlock()
	var resp *httptest.ResponseRecorder
	if !first || s.fault.processed {
		*processed = max(*processed, stream)
		path := "/v1/b2b/otps/sms/send" // It does not read the header.
		if p.Code != "" {
			path = "/v1/b2b/otps/sms/authenticate"
		}
		resp = s.lab.ask(path, bytes.NewReader(body))
	}
	switch {
	case first && s.fault.goAway:
		writeFrame(conn, frameGoAway, 0, 0, goAway(*processed))
		return false
	case first:
		writeFrame(conn, frameRSTStream, 0, stream, binary.BigEndian.AppendUint32(nil, s.fault.code))
		return true
	}
	const status200 = 0x88 // HPACK: the static table's entry (RFC 7541, appendix A)
	writeFrame(conn, frameHeaders, flagEndHeaders, stream, []byte{status200})
	writeFrame(conn, frameData, flagEndStream, stream, resp.Body.Bytes())
	return true
}

// goAway is the payload of a GOAWAY without an error.
func goAway(lastStream uint32) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(lastStream)<<32)
}

func readFrame(r io.Reader) (kind, flags byte, stream uint32, payload []byte, err error) {
	var header [9]byte
	if _, err = io.ReadFull(r, header[:]); err != nil {
		return
	}
	payload = make([]byte, uint32(header[0])<<16|uint32(header[1])<<8|uint32(header[2]))
	_, err = io.ReadFull(r, payload)
	return header[3], header[4], binary.BigEndian.Uint32(header[5:]) & 0x7fffffff, payload, err
}

func writeFrame(w io.Writer, kind, flags byte, stream uint32, payload []byte) {
	n := len(payload)
	frame := append([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}, binary.BigEndian.AppendUint32(nil, stream)...)
	_, _ = w.Write(append(frame, payload...)) // A client that is gone is no fault.
}

// Whatever code a stream is reset with, and whoever resets it each time, a call is
// applied at most once. net/http would send the request again after some codes.
func TestStreamIsResetAfterProcessing(t *testing.T) {
	t.Parallel()
	for _, call := range suiteCalls {
		for code := range uint32(0xe) {
			t.Run(fmt.Sprintf("%s, %#x", call.op, code), func(t *testing.T) {
				t.Parallel()
				fc := faultCase{name: "reset", network: rawHTTP2(resetAfter(code)), sms: 1, outcome: stytchb2b.OutcomeUnknown}
				l := newLab(t, https2, func(string, int) faultCase { return fc })
				for _, r := range l.run(4, 2, context.Background, call.do(l.client(suiteTimeout))) {
					fc.check(t, r.err, call.applied(l.stytch, r.member), call.maybeApplied)
					assert.Len(t, l.drawn[r.member], 1)
				}
			})
		}
	}
}
