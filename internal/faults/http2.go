package faults

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"
)

// net/http's server cannot reset a stream with an arbitrary error code, or send a
// GOAWAY that excludes a stream. This server can. It implements just enough of HTTP/2
// (RFC 9113) to answer a POST.

// An HTTP2 is a server that ends some requests with a fault.
type HTTP2 struct {
	Processed bool   // the request takes effect before the fault
	OnHeader  bool   // the fault does not wait for the body
	Answering bool   // the answer's header comes before the fault
	GoAway    bool   // the fault is a GOAWAY, not an RST_STREAM
	Code      uint32 // the error code of either
	// Last returns the last stream of a GOAWAY that ends this stream. If it is nil, the
	// last stream is the last that took effect.
	Last func(stream uint32) uint32

	// Meets reports whether the request with this body gets the fault.
	Meets func(body []byte) bool
	// Process lets a request take effect and returns the answer's body.
	Process func(body []byte) []byte
}

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

// Serve starts the server. It ends with the test.
func (h HTTP2) Serve(tb testing.TB) *Server {
	return Serve(tb, HTTPS2, http.NotFoundHandler(), func(s *http.Server) {
		s.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
			"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { h.serve(conn) },
		}
	})
}

// Network is a network that leads to this server instead of s.
func (h HTTP2) Network(s *Server) http.RoundTripper {
	return dialing(s, dialTo(h.Serve(s.tb).Listener.Addr().String()))
}

func (h HTTP2) serve(conn net.Conn) {
	defer conn.Close()
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	writeFrame(conn, frameSettings, 0, 0, nil)
	bodies := map[uint32]*bytes.Buffer{}
	var processed uint32 // the last stream that took effect
	for {
		kind, flags, stream, payload, err := readFrame(conn)
		if err != nil {
			return
		}
		ends := flags&flagEndStream != 0
		switch kind {
		case frameSettings:
			if flags&flagAck == 0 {
				writeFrame(conn, frameSettings, flagAck, 0, nil)
			}
			continue
		case framePing:
			if flags&flagAck == 0 {
				writeFrame(conn, framePing, flagAck, 0, payload)
			}
			continue
		case frameHeaders:
			bodies[stream] = &bytes.Buffer{}
			ends = ends || h.OnHeader
		case frameData:
			body, ok := bodies[stream]
			if !ok {
				continue // The stream was refused.
			}
			body.Write(payload)
		default:
			continue
		}
		if ends {
			body := bodies[stream].Bytes()
			delete(bodies, stream)
			if !h.answer(conn, stream, &processed, body) {
				return
			}
		}
	}
}

// answer ends a stream, and reports whether the connection stays open.
func (h HTTP2) answer(conn net.Conn, stream uint32, processed *uint32, body []byte) (goesOn bool) {
	defer func() {
		// With this panic, a handler breaks the connection.
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	meets := h.Meets(body)
	var answer []byte
	if !meets || h.Processed {
		*processed = max(*processed, stream)
		answer = h.Process(body)
	}
	if !meets || h.Answering {
		const status200 = 0x88 // HPACK: the static table's entry (RFC 7541, appendix A)
		writeFrame(conn, frameHeaders, flagEndHeaders, stream, []byte{status200})
	}
	code := binary.BigEndian.AppendUint32(nil, h.Code)
	switch {
	case !meets:
		writeFrame(conn, frameData, flagEndStream, stream, answer)
	case !h.GoAway:
		writeFrame(conn, frameRSTStream, 0, stream, code)
	default:
		last := *processed
		if h.Last != nil {
			last = h.Last(stream)
		}
		writeFrame(conn, frameGoAway, 0, 0, append(binary.BigEndian.AppendUint32(nil, last), code...))
		return false
	}
	return true
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
	_, _ = w.Write(append(frame, payload...)) // The client may have left.
}
