package thirdparty_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"

	"github.com/eb715825/stytchb2b/internal/faults"
)

// In TestHTTP2, a server ends the first stream of each Member once the SMS is out, with
// every code and in ways that tell the client to send the request again. The transport
// is golang.org/x/net's, which some programs use directly.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required; code++ {
		ends := map[string]faults.HTTP2{
			"RST_STREAM":                  {},
			"RST_STREAM after the header": {Answering: true},
		}
		for name, last := range map[string]func(stream uint32) uint32{
			"none":           func(uint32) uint32 { return 0 },
			"the one before": func(stream uint32) uint32 { return max(stream, 2) - 2 },
			"this one":       func(stream uint32) uint32 { return stream },
			"any":            func(uint32) uint32 { return 1<<31 - 1 },
		} {
			ends["GOAWAY, last "+name] = faults.HTTP2{GoAway: true, Last: last}
		}
		for name, end := range ends {
			t.Run(fmt.Sprintf("%s, %v", name, code), func(t *testing.T) {
				t.Parallel()
				l := newLab(t)
				end.Processed, end.Code = true, uint32(code)
				//lint:ignore SA1019 Those programs use it.
				transport := &http2.Transport{}
				//lint:ignore SA1019 It is a method of that.
				t.Cleanup(transport.CloseIdleConnections)
				clients := l.clients(l.HTTP2(end).Serve(t).URL, &http.Client{Transport: transport})
				// A GOAWAY also ends other streams. The more there are, the more often
				// net/http sends some of them again, with longer waits each time.
				tally := l.Check(l.Send(6, 2, false, clients...))
				assert.NotZero(t, tally.SentAndFailed, "Sends that failed after their SMS")
			})
		}
	}
}
