package stytchtest

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// maxRequest is the maximum size of a request body, in bytes.
const maxRequest = 64 << 10

// ServeHTTP answers as Stytch would, or with a fault.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, bodyErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))

	s.mu.Lock()
	fault := s.nextFault(body)
	ans := fault.answer()
	if fault.Processed || fault.real() {
		if processed := s.process(r, body, bodyErr); fault.real() {
			ans = processed
		}
	}
	s.log.addRequest(Request{r.Method, r.URL.Path, r.Header.Clone(), string(body), ans.status})
	s.mu.Unlock()
	s.logf("%s %s: %s", r.Method, r.URL.Path, ans)

	fault.write(w, r, ans, s.closed)
}

// process carries out the request. s.mu is held.
func (s *Server) process(r *http.Request, body []byte, bodyErr error) answer {
	if projectID, ok := strings.CutPrefix(r.URL.Path, "/v1/b2b/sessions/jwks/"); ok && r.Method == http.MethodGet {
		return s.jwks(projectID) // Keys are public: no credentials are needed.
	}
	endpoint, err := s.route(r, bodyErr)
	if err != nil {
		return err.answer()
	}
	o, err := endpoint(body)
	if err != nil {
		return err.answer()
	}
	return newAnswer(http.StatusOK, o)
}

// route returns the endpoint of a request that is well-formed and authorized.
func (s *Server) route(r *http.Request, bodyErr error) (func([]byte) (object, *apiError), *apiError) {
	if user, password, _ := r.BasicAuth(); user != s.ProjectID || password != s.Secret {
		return nil, fail(401, "unauthorized_credentials", "Unauthorized credentials.")
	}
	if endpoint := s.memberEndpoint(r); endpoint != nil {
		return endpoint, nil
	}
	endpoint := map[string]func([]byte) (object, *apiError){
		"/v1/b2b/passwords/authenticate": s.authenticatePassword,
		"/v1/b2b/sessions/authenticate":  s.authenticateSession,
		"/v1/b2b/sessions/revoke":        s.revokeSession,
		"/v1/b2b/otps/sms/send":          s.send,
		"/v1/b2b/otps/sms/authenticate":  s.authenticate,
	}[r.URL.Path]
	if endpoint == nil || r.Method != http.MethodPost {
		return nil, fail(404, "route_not_found", "The requested route could not be found.")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, fail(400, "bad_request", "The Content-Type must be application/json.")
	}
	if bodyErr != nil {
		return nil, fail(413, "bad_request", "The submitted request is too large.")
	}
	return endpoint, nil
}

// decode reads the parameters of a request.
func decode(body []byte, params any) *apiError {
	if err := json.Unmarshal(body, params); err != nil {
		return fail(400, "bad_request", "The submitted request is not valid: "+err.Error()+".")
	}
	return nil
}

// An answer is the response to a request.
type answer struct {
	status    int
	header    http.Header
	body      []byte
	errorType string // for a log
}

// newAnswer makes an answer from an object, and adds the two fields that all answers
// have.
func newAnswer(status int, o object) answer {
	fields := must(json.Marshal(o)) // It fails for metadata that is not JSON.
	body := fmt.Appendf(nil, `{"status_code":%d,"request_id":%q`, status, requestID())
	if len(o) > 0 {
		body = append(body, ',')
	}
	body = append(body, fields[1:]...)
	errorType, _ := o["error_type"].(string)
	return answer{status, http.Header{"Content-Type": {"application/json"}}, body, errorType}
}

func requestID() string { return "request-id-test-" + uuid() }

// String describes the answer for a log.
func (a answer) String() string {
	if a.status == 0 {
		return "no answer"
	}
	return strings.TrimSpace(fmt.Sprint(a.status, " ", a.errorType))
}

// An apiError is an answer outside 2xx.
type apiError struct {
	status    int
	errorType string
	message   string
}

func fail(status int, errorType, message string) *apiError {
	return &apiError{status, errorType, message}
}

func (e *apiError) answer() answer {
	return newAnswer(e.status, object{
		"error_type":    e.errorType,
		"error_message": e.message,
		"error_url":     e.url(),
	})
}

func (e *apiError) url() string {
	return fmt.Sprintf("https://stytch.com/docs/api-reference/b2b/api/errors/%d#%s", e.status, e.errorType)
}
