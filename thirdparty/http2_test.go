package thirdparty_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"
)

// TestHTTP2 has a server end the first stream of each Member once the SMS is
// out, with every code and in ways that tell the client to send it again.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required; code++ {
		faults := map[string]func(*http2.Framer, uint32) bool{
			"RST_STREAM": func(framer *http2.Framer, stream uint32) bool {
				_ = framer.WriteRSTStream(stream, code)
				return true
			},
			"RST_STREAM after the headers": func(framer *http2.Framer, stream uint32) bool {
				writeHeaders(framer, stream)
				_ = framer.WriteRSTStream(stream, code)
				return true
			},
		}
		for name, last := range map[string]func(stream uint32) uint32{
			"none":           func(uint32) uint32 { return 0 },
			"the one before": func(stream uint32) uint32 { return max(stream, 2) - 2 },
			"this one":       func(stream uint32) uint32 { return stream },
			"any":            func(uint32) uint32 { return 1<<31 - 1 },
		} {
			faults["GOAWAY, last "+name] = func(framer *http2.Framer, stream uint32) bool {
				_ = framer.WriteGoAway(last(stream), code, nil)
				return false
			}
		}
		for fault, end := range faults {
			t.Run(fmt.Sprintf("%s, %v", fault, code), func(t *testing.T) {
				t.Parallel()
				l := newLab(t)
				// A GOAWAY ends other streams too. The more there are, the more often
				// net/http sends some of them again, and waits longer each time.
				l.atOnce = 2
				url := l.serveHTTP2(end)
				clients := l.clients(url, nil, &http.Client{Transport: l.transport()}, &http.Client{Transport: l.http2Transport()})
				tally := l.check(l.send(max(18, *sends/10), false, clients))
				assert.NotZero(t, tally.sentAndFailed, "Sends that failed after their SMS")
			})
		}
	}
}

// http2Transport is that of golang.org/x/net, which some use by itself.
func (l *lab) http2Transport() http.RoundTripper {
	//lint:ignore SA1019 It is what those programs have.
	t := &http2.Transport{}
	//lint:ignore SA1019 It is a method of that.
	l.Cleanup(t.CloseIdleConnections)
	return t
}

// serveHTTP2 serves until the test ends, and returns the URL. The end of each
// Member's first stream is up to end, which reports whether the connection goes
// on. A client that prefers HTTP/1.1 is given that, and no fault.
func (l *lab) serveHTTP2(end func(*http2.Framer, uint32) bool) string {
	var members sync.Map
	seen := func(member string) bool {
		_, again := members.LoadOrStore(member, true)
		return again
	}
	server := httptest.NewUnstartedServer(l)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
			defer conn.Close()
			if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err == nil {
				l.serveFrames(http2.NewFramer(conn, conn), seen, end)
			}
		},
	}
	server.StartTLS()
	l.Cleanup(server.Close)
	return server.URL
}

// status200 is HPACK: the static table's entry (RFC 7541, appendix A).
const status200 = 0x88

// serveFrames has as much of HTTP/2 (RFC 9113) as it takes to answer a POST, or
// not to. It asks first whether a Member has not been seen. That a client is gone
// when something is written to it is no fault.
func (l *lab) serveFrames(framer *http2.Framer, seen func(member string) bool, end func(*http2.Framer, uint32) bool) {
	_ = framer.WriteSettings()
	bodies := map[uint32]*bytes.Buffer{}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = framer.WritePing(true, f.Data)
			}
		case *http2.HeadersFrame:
			bodies[f.StreamID] = &bytes.Buffer{}
		case *http2.DataFrame:
			body, ok := bodies[f.StreamID]
			if !ok {
				continue
			}
			body.Write(f.Data())
			if !f.StreamEnded() {
				continue
			}
			delete(bodies, f.StreamID)
			member := memberOf(body.Bytes())
			answer := l.process(member)
			if !seen(member) {
				if !end(framer, f.StreamID) {
					return
				}
				continue
			}
			writeHeaders(framer, f.StreamID)
			_ = framer.WriteData(f.StreamID, true, answer.Body.Bytes())
		}
	}
}

func writeHeaders(framer *http2.Framer, stream uint32) {
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte{status200}, EndHeaders: true})
}
