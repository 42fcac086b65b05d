package stytchb2b

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/eb715825/stytchb2b/atmostonce"
)

// An attempt is one HTTP exchange: what came back, whose answer that is, and what
// it proves.
type attempt struct {
	took time.Duration

	status  int         // of the answer; 0 if none came
	header  http.Header // of the answer
	body    []byte      // of the answer
	bodyErr error       // why the body is not whole
	refusal *refusal    // Stytch's error, if the answer is one
	err     error       // why no answer came

	outcome Outcome
}

// exchange makes one attempt. If connect is positive, it bounds how long that waits
// for a connection.
func exchange(transport *atmostonce.Transport, req *http.Request, connect time.Duration) (*http.Response, *attempt) {
	start := time.Now()
	a := &attempt{outcome: OutcomeUnknown}
	resp, err := transport.Once(req, connect)
	if err != nil {
		a.err = err
	} else {
		a.read(resp)
	}
	a.took = time.Since(start)
	if err != nil && !atmostonce.MaybeSent(err) || a.refusal != nil && a.refusal.certain() {
		a.outcome = OutcomeNotApplied
	}
	return resp, a
}

// read takes in an answer, so that its connection can be used again.
func (a *attempt) read(resp *http.Response) {
	a.status, a.header = resp.StatusCode, resp.Header
	if resp.Body != nil {
		if resp.StatusCode != http.StatusSwitchingProtocols { // Its body is the connection.
			a.body, a.bodyErr = readBody(resp)
		}
		_ = resp.Body.Close()
	}
	resp.Body = http.NoBody
	if a.bodyErr == nil && !a.success() {
		a.refusal = decodeRefusal(a.status, a.body)
	}
}

// success reports whether the answer's status is a success. Whether the answer
// is Stytch's shows in its body.
func (a *attempt) success() bool { return a.status >= 200 && a.status < 300 }

// maxBody is the largest body of an answer that is read, in bytes.
const maxBody = 1 << 20

// readBody reads a body to its end or to the limit.
func readBody(resp *http.Response) ([]byte, error) {
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= maxBody {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && b.Len() > maxBody {
		b.Truncate(maxBody)
		err = errors.New("the body is over 1 MiB")
	}
	return b.Bytes(), err
}

// describeBody describes the body without quoting it: what a stranger writes may
// echo the request in any encoding.
func (a *attempt) describeBody() string {
	mediaType, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	switch mediaType {
	case "application/json", "application/problem+json", "application/xml", "text/html", "text/plain", "text/xml":
	case "":
		mediaType = "no Content-Type"
	default:
		mediaType = "another Content-Type"
	}
	return fmt.Sprintf("%s, %d bytes", mediaType, len(a.body))
}

// certain reports whether Stytch certainly refused the request.
//
// 499 is Stytch's own for a connection that went away while it worked
// (https://stytch.com/docs/api-reference/b2b/api/errors/499). 408 and 460
// also report a time or a connection that ended.
func (r *refusal) certain() bool {
	switch r.StatusCode {
	case http.StatusRequestTimeout, 460, 499:
		return false
	}
	return r.StatusCode >= 400 && r.StatusCode < 500 && r.ErrorType != ErrorTypeClientClosedRequest
}
