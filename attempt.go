package stytchb2b

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"time"
)

// An attempt is one HTTP exchange and what its end proved.
type attempt struct {
	took time.Duration

	status  int         // of the answer; 0 if none came
	header  http.Header // of the answer
	body    []byte      // of the answer
	bodyErr error       // why the body is not whole
	refusal *refusal    // Stytch's error, if the answer is one
	err     error       // why no answer came

	outcome  Outcome
	unsent   bool // certainly not sent, whatever was answered
	repeated bool // the transport sent the request more than once
	evidence evidence
}

// try makes one attempt. A connectTimeout of more than 0 bounds the time until
// the transport has a connection for it.
func try(req *http.Request, transport http.RoundTripper, payload []byte, connectTimeout time.Duration) (*http.Response, *attempt) {
	start := time.Now()
	a := &attempt{outcome: OutcomeUnknown}
	e := &a.evidence
	e.payload = payload
	ctx := req.Context()
	if connectTimeout > 0 {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer time.AfterFunc(connectTimeout, func() {
			if !e.connected() {
				cancel(fmt.Errorf("no connection within %v: %w", connectTimeout, os.ErrDeadlineExceeded))
			}
		}).Stop()
	}
	req = req.WithContext(httptrace.WithClientTrace(ctx, e.trace()))
	req.ContentLength = int64(len(payload))
	req.Body = e.newBody()
	req.GetBody = e.getBody

	resp, err := transport.RoundTrip(req)
	switch {
	case err != nil:
		a.err = err
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		resp = nil // Beside an error it is against the rules.
	case resp == nil:
		a.err = errors.New("the http.RoundTripper returned neither a response nor an error")
	default:
		a.read(resp)
	}
	a.took = time.Since(start)
	a.unsent, a.repeated = e.seal()
	switch {
	case a.unsent && (a.status < 200 || a.status > 299):
		a.outcome = OutcomeNotApplied
	case a.refusal != nil && a.refusal.certain() && !a.repeated:
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

// Evidence tells whether a request left. Either of two proofs shows that it did
// not, and never will:
//
//   - Its body was not read. The attempt is over and has sealed it, so nobody
//     who still holds the request can read it. This holds with any transport.
//   - The transport asked for a connection and was not handed one. This serves
//     for transports that read the body before they have a connection.
//
// GetBody refuses once the body was read. Otherwise net/http would send the
// request again over HTTP/2 after a GOAWAY, a REFUSED_STREAM or a
// PROTOCOL_ERROR, and some proxies send these after they have processed the
// request (https://github.com/haproxy/haproxy/issues/3414).
type evidence struct {
	payload []byte

	mu       sync.Mutex
	read     bool // a part of the body was read
	asked    bool // for a connection
	handed   bool // a connection
	remote   bool // one that leads somewhere; httputil.DumpRequestOut's does not
	repeated bool // handed another one after the body was read
	sealed   bool // the attempt is over
}

// seal ends the attempt. unsent is whether the request certainly did not leave.
func (e *evidence) seal() (unsent, repeated bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sealed = true
	return e.unsent(), e.repeated
}

func (e *evidence) unsent() bool { return !e.read || e.asked && !e.handed }

func (e *evidence) connected() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.handed
}

func (e *evidence) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.asked = true
		},
		GotConn: func(info httptrace.GotConnInfo) {
			e.mu.Lock()
			defer e.mu.Unlock()
			switch {
			case !e.sealed:
				e.repeated = e.repeated || e.remote && e.read
				e.remote = e.remote || info.Conn == nil || info.Conn.RemoteAddr() != nil
				e.handed = true
			case e.read && e.unsent() && info.Conn != nil:
				// A transport that returned before it had a connection still
				// holds a copy of the body. The attempt counts as not sent:
				// keep it so.
				_ = info.Conn.Close()
			}
		},
	}
}

var (
	errSealed = errors.New("the attempt is over")
	errResend = errors.New("the connection failed, and the request is not sent again because it may have been processed")
)

// newBody returns a reader of the request's body.
func (e *evidence) newBody() io.ReadCloser { return &requestBody{evidence: e} }

// getBody is the request's GetBody.
func (e *evidence) getBody() (io.ReadCloser, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.sealed:
		return nil, errSealed
	case e.read:
		return nil, errResend
	}
	return e.newBody(), nil
}

type requestBody struct {
	*evidence
	offset int
}

func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed {
		return 0, errSealed
	}
	b.read = true
	if b.offset == len(b.payload) {
		return 0, io.EOF
	}
	n := copy(p, b.payload[b.offset:])
	b.offset += n
	return n, nil
}

func (b *requestBody) Close() error { return nil }
