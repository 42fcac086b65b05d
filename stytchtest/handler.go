package stytchtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/eb715825/stytchb2b"
)

// maxRequest is the largest request body that is read, in bytes.
const maxRequest = 64 << 10

// An apiError is an answer outside 2xx.
type apiError struct {
	status     int
	errorType  string
	message    string
	retryAfter int // seconds; 0 for none
}

func fail(status int, errorType, message string) *apiError {
	return &apiError{status: status, errorType: errorType, message: message}
}

// ServeHTTP answers as Stytch would, or as the faults say.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, bodyErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))

	s.mu.Lock()
	fault, faulty := s.nextFault(body)
	ans := fault.answer()
	if !faulty || fault.Processed || fault.real() {
		if processed := s.process(r, body, bodyErr); !faulty || fault.real() {
			ans = processed
		}
	}
	s.log.addRequest(s.state.now(), r, body, ans.status)
	s.mu.Unlock()
	s.logf("%s %s: %s", r.Method, r.URL.Path, ans)

	fault.write(w, r, ans, s.closed)
}

// An answer is what goes back for a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// String is for a log.
func (a answer) String() string {
	var e errorObject
	if a.status != 200 && json.Unmarshal(a.body, &e) == nil && e.ErrorType != "" {
		return fmt.Sprintf("%d %s (%s)", a.status, e.ErrorType, e.ErrorMessage)
	}
	if a.status == 0 {
		return "no answer"
	}
	return fmt.Sprint(a.status)
}

// process lets the request take effect. s.mu is held.
func (s *Server) process(r *http.Request, body []byte, bodyErr error) answer {
	requestID := newRequestID()
	object, err := s.route(r, body, bodyErr, requestID)
	if err != nil {
		return err.answer(requestID)
	}
	return jsonAnswer(http.StatusOK, object)
}

func (e *apiError) url() string {
	return fmt.Sprintf("https://stytch.com/docs/api-reference/b2b/api/errors/%d#%s", e.status, e.errorType)
}

// export is the error as a call of package stytchb2b returns it.
func (e *apiError) export(requestID string) error {
	return &stytchb2b.APIError{
		StatusCode:   e.status,
		RequestID:    requestID,
		ErrorType:    stytchb2b.ErrorType(e.errorType),
		ErrorMessage: e.message,
		ErrorURL:     e.url(),
	}
}

func newRequestID() string { return "request-id-test-" + uuid() }

// answer is the error as Stytch answers with it.
func (e *apiError) answer(requestID string) answer {
	ans := jsonAnswer(e.status, errorObject{
		StatusCode:   e.status,
		RequestID:    requestID,
		ErrorType:    e.errorType,
		ErrorMessage: e.message,
		ErrorURL:     e.url(),
	})
	if e.retryAfter > 0 {
		ans.header.Set("Retry-After", fmt.Sprint(e.retryAfter))
	}
	return ans
}

func jsonAnswer(status int, object any) answer {
	text, err := json.Marshal(object)
	if err != nil {
		panic("stytchtest: " + err.Error()) // No type of ours that goes out fails.
	}
	return answer{status, http.Header{"Content-Type": {"application/json"}}, text}
}

// route checks what all endpoints check, and calls the one that is asked for.
func (s *Server) route(r *http.Request, body []byte, bodyErr error, requestID string) (any, *apiError) {
	if projectID, ok := strings.CutPrefix(r.URL.Path, "/v1/b2b/sessions/jwks/"); ok && r.Method == http.MethodGet {
		return s.jwks(projectID, requestID) // Keys are public: the clients ask without credentials.
	}
	user, password, ok := r.BasicAuth()
	if !ok || user != s.ProjectID || password != s.Secret {
		return nil, fail(401, "unauthorized_credentials", "Unauthorized credentials.")
	}
	var endpoint func([]byte, string) (any, *apiError)
	switch r.URL.Path {
	case "/v1/b2b/passwords/authenticate":
		endpoint = s.authenticatePassword
	case "/v1/b2b/sessions/authenticate":
		endpoint = s.authenticateSession
	case "/v1/b2b/otps/sms/send":
		endpoint = s.send
	case "/v1/b2b/otps/sms/authenticate":
		endpoint = s.authenticate
	}
	if endpoint == nil || r.Method != http.MethodPost {
		return nil, fail(404, "route_not_found", "The requested route could not be found.")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, fail(400, "bad_request", "The Content-Type must be application/json.")
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(bodyErr, &tooLarge) {
		return nil, fail(413, "bad_request", "The submitted request is too large.")
	}
	if bodyErr != nil {
		return nil, fail(400, "bad_request", "The submitted request could not be read.")
	}
	return endpoint(body, requestID)
}

// decode reads the parameters of a request.
func decode(body []byte, params any) *apiError {
	if !utf8.Valid(body) {
		return fail(400, "bad_request", "The submitted request is not valid UTF-8.")
	}
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return fail(400, "bad_request", "The submitted request is not a JSON object.")
	}
	err := json.Unmarshal(body, params)
	if wrongType := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrongType) {
		return fail(400, "bad_request", fmt.Sprintf("%s must not be a JSON %s.", wrongType.Field, strings.SplitN(wrongType.Value, " ", 2)[0]))
	}
	if err != nil {
		return fail(400, "bad_request", "The submitted request is not valid JSON.")
	}
	return nil
}
