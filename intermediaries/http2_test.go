package intermediaries_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
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
	for code := uint32(0); code <= uint32(http2.ErrCodeHTTP11Required); code++ {
		name := http2.ErrCode(code).String()
		faults := map[string]func(*http2Conn, uint32) bool{
			"RST_STREAM": func(c *http2Conn, stream uint32) bool {
				c.write(frameRSTStream, 0, stream, binary.BigEndian.AppendUint32(nil, code))
				return true
			},
			"RST_STREAM after the headers": func(c *http2Conn, stream uint32) bool {
				c.write(frameHeaders, flagEndHeaders, stream, []byte{status200})
				c.write(frameRSTStream, 0, stream, binary.BigEndian.AppendUint32(nil, code))
				return true
			},
		}
		for name, last := range map[string]func(stream uint32) uint32{
			"none":           func(uint32) uint32 { return 0 },
			"the one before": func(stream uint32) uint32 { return max(stream, 2) - 2 },
			"this one":       func(stream uint32) uint32 { return stream },
			"any":            func(uint32) uint32 { return 1<<31 - 1 },
		} {
			faults["GOAWAY, last "+name] = func(c *http2Conn, stream uint32) bool {
				payload := binary.BigEndian.AppendUint32(nil, last(stream))
				c.write(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(payload, code))
				return false
			}
		}
		for fault, end := range faults {
			t.Run(fmt.Sprintf("%s, %s", fault, name), func(t *testing.T) {
				t.Parallel()
				l := newLab(t)
				// A GOAWAY ends other streams too. The more there are, the more often
				// net/http sends some of them again, and waits longer each time.
				l.atOnce = 2
				url := l.serveHTTP2(end)
				clients := append(l.clients(url), l.client(url, &http.Client{Transport: l.http2Transport()}))
				tally := l.check(l.send(max(12, *sends/10), false, clients...), onePromise)
				assert.NotZero(t, tally.sentAndFailed+tally.doubles, "Sends that failed, or were made again, after their SMS")
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

// As much of HTTP/2 (RFC 9113) as it takes to answer a POST, or not to.
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

	status200 = 0x88 // HPACK: the static table's entry (RFC 7541, appendix A)
)

// serveHTTP2 serves until the test ends, and returns the URL. The end of each
// Member's first stream is up to end, which reports whether the connection goes
// on. A client that prefers HTTP/1.1 is given that, and no fault.
func (l *lab) serveHTTP2(end func(*http2Conn, uint32) bool) string {
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
			c := &http2Conn{lab: l, conn: conn}
			c.serve(seen, end)
		},
	}
	server.StartTLS()
	l.Cleanup(server.Close)
	return server.URL
}

type http2Conn struct {
	lab  *lab
	conn net.Conn
}

// serve answers requests. It asks first whether a Member has not been seen.
func (c *http2Conn) serve(seen func(member string) bool, end func(*http2Conn, uint32) bool) {
	defer c.conn.Close()
	if _, err := io.ReadFull(c.conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	c.write(frameSettings, 0, 0, nil)
	bodies := map[uint32]*bytes.Buffer{}
	for {
		kind, flags, stream, payload, err := c.read()
		if err != nil {
			return
		}
		switch kind {
		case frameSettings:
			if flags&flagAck == 0 {
				c.write(frameSettings, flagAck, 0, nil)
			}
		case framePing:
			if flags&flagAck == 0 {
				c.write(framePing, flagAck, 0, payload)
			}
		case frameHeaders:
			bodies[stream] = &bytes.Buffer{}
		case frameData:
			body, ok := bodies[stream]
			if !ok {
				continue
			}
			body.Write(payload)
			if flags&flagEndStream == 0 {
				continue
			}
			delete(bodies, stream)
			member := memberOf(body.Bytes())
			answer := c.lab.process(body)
			if !seen(member) {
				if !end(c, stream) {
					return
				}
				continue
			}
			c.write(frameHeaders, flagEndHeaders, stream, []byte{status200})
			c.write(frameData, flagEndStream, stream, answer.Body.Bytes())
		}
	}
}

func (c *http2Conn) read() (kind, flags byte, stream uint32, payload []byte, err error) {
	var header [9]byte
	if _, err = io.ReadFull(c.conn, header[:]); err != nil {
		return
	}
	payload = make([]byte, uint32(header[0])<<16|uint32(header[1])<<8|uint32(header[2]))
	_, err = io.ReadFull(c.conn, payload)
	return header[3], header[4], binary.BigEndian.Uint32(header[5:]) & 0x7fffffff, payload, err
}

func (c *http2Conn) write(kind, flags byte, stream uint32, payload []byte) {
	n := len(payload)
	frame := append([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}, binary.BigEndian.AppendUint32(nil, stream)...)
	_, _ = c.conn.Write(append(frame, payload...)) // A client that is gone is no fault.
}
