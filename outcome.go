package stytchb2b

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// An Outcome says whether a call had the effect that cannot be undone: [SMS.Send]
// sent an SMS, or [SMS.Authenticate] used the code. It is never zero in an error from a
// call.
type Outcome uint8

const (
	// OutcomeUnknown: the request may or may not have had its effect.
	OutcomeUnknown Outcome = iota + 1
	// OutcomeNotApplied: certainly, no SMS was sent or no code used.
	OutcomeNotApplied
	// OutcomeApplied: Stytch answered that it accepted the request.
	OutcomeApplied
)

// String returns "unknown", "not applied" or "applied".
func (o Outcome) String() string {
	switch o {
	case OutcomeNotApplied:
		return "not applied"
	case OutcomeApplied:
		return "applied"
	}
	return "unknown"
}

// and combines the outcomes of two attempts.
func (o Outcome) and(other Outcome) Outcome {
	switch {
	case o == OutcomeApplied || other == OutcomeApplied:
		return OutcomeApplied
	case o == OutcomeNotApplied && other == OutcomeNotApplied:
		return OutcomeNotApplied
	}
	return OutcomeUnknown
}

// A statement is Stytch's error object. Every error in its reference has these fields
// (https://stytch.com/docs/api-reference/b2b/api/errors/400).
type statement struct {
	StatusCode   int       `json:"status_code"`
	RequestID    string    `json:"request_id"`
	ErrorType    ErrorType `json:"error_type"`
	ErrorMessage string    `json:"error_message"`
	ErrorURL     string    `json:"error_url"`
}

// judge decides what the end of an attempt proves. Nothing else decides it; the table
// of [MaybeSent] says the same in words.
//
// judge decodes the body of the answer. Without an answer, sent is whether the request
// may have been sent. The statement is zero if the answer is not Stytch's. The error is
// why a 2xx is not a success.
func judge(sent bool, a answer, success response) (Outcome, statement, error) {
	switch {
	case a.status == 0 && !sent:
		return OutcomeNotApplied, statement{}, nil
	case a.status == 0:
		return OutcomeUnknown, statement{}, nil
	case a.is2xx():
		requestID, err := accepted(a, success)
		if requestID == "" {
			return OutcomeUnknown, statement{}, err
		}
		return OutcomeApplied, statement{RequestID: requestID}, err
	}
	var s statement
	if decode(a.body, &s) != nil || s.StatusCode != a.status || s.RequestID == "" || s.ErrorType == "" {
		return OutcomeUnknown, statement{}, a.err
	}
	return s.proves(), s, nil
}

// proves returns what an error from Stytch proves. Stytch returns 499 if the
// connection closed while it worked
// (https://stytch.com/docs/api-reference/b2b/api/errors/499). 408 and 460 also mean a
// timeout or a closed connection. A gateway can return a 5xx under another status.
func (s statement) proves() Outcome {
	switch {
	case s.ErrorType == "", s.ErrorType == ErrorTypeClientClosedRequest,
		s.ErrorType == ErrorTypeInternalServerError, s.ErrorType == ErrorTypeServerUnavailable,
		s.StatusCode == http.StatusRequestTimeout, s.StatusCode == 460, s.StatusCode == 499,
		s.StatusCode < 400, s.StatusCode > 499:
		return OutcomeUnknown
	}
	return OutcomeNotApplied
}

// accepted decodes a 2xx into success. It returns the request ID if the answer is
// Stytch's, and an error if the answer is not a success.
func accepted(a answer, success response) (requestID string, err error) {
	if err = a.err; err == nil {
		err = decode(a.body, success)
	}
	if err == nil {
		requestID, err = success.accept(a.status, a.body)
	}
	if err == nil {
		return requestID, nil
	}
	// Every example of a request ID in Stytch's reference has this prefix.
	var s statement
	if decode(complete(a.body), &s) != nil || s.StatusCode != 0 && s.StatusCode != a.status || !strings.HasPrefix(s.RequestID, "request-id-") {
		return "", err
	}
	return s.RequestID, err
}

// A response is what a success is decoded into. accept checks that the answer has the
// fields of a success, because something other than Stytch may have answered.
type response interface {
	accept(status int, body []byte) (requestID string, err error)
}

func (r *SMSSendResponse) accept(status int, body []byte) (requestID string, err error) {
	r.RawJSON = body
	return r.RequestID, lacking(r.StatusCode == status, "request_id", r.RequestID)
}

func (r *SMSAuthenticateResponse) accept(status int, body []byte) (requestID string, err error) {
	r.RawJSON = body
	return r.RequestID, lacking(r.StatusCode == status, "request_id", r.RequestID, "member_id", r.MemberID,
		"session_token", r.SessionToken, "session_jwt", r.SessionJWT, "member_session", r.MemberSession.MemberSessionID)
}

// lacking returns an error for the first name whose value is empty.
func lacking(statusIsRight bool, namesAndValues ...string) error {
	if !statusIsRight {
		return errors.New("the body lacks a valid status_code")
	}
	for i := 0; i < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] == "" {
			return errors.New("the body lacks a valid " + namesAndValues[i])
		}
	}
	return nil
}

// MaybeSent reports whether the [SMS.Send] that returned err may have sent an SMS. If
// it is false, no SMS was sent, and it is safe to call Send again. MaybeSent(nil) is
// true. The table applies to [MaybeUsed] as well:
//
//	an attempt ended with                            MaybeSent  the call, by default
//	*ParamError, *ConfigError, *GuardError           false      returned, without any I/O to Stytch
//	*TransportError: the context was already over    false      returned, without any I/O to Stytch
//	*TransportError: no connection (DNS, refused,    false      retried (a certificate error
//	  connect timeout, proxy CONNECT, TLS handshake)            is returned)
//	*TransportError: connected, but no answer        true       returned
//	  (reset, timeout, cancel)
//	*APIError: Stytch's 429 too_many_requests        false      retried after a wait of at most 5 s
//	*APIError: any other 4xx from Stytch, except     false      returned
//	  408, 460, 499 and client_closed_request
//	*APIError: any other answer                      true       returned; a redirect is not followed
//	nil: a 2xx with a request_id and its status_code true       returned
//	any other error                                  true
//
// A 4xx is from Stytch if it has a Stytch error object. That no SMS was sent then follows
// from its reference (https://stytch.com/docs/api-reference/b2b/api/errors/overview);
// for 429 it is assumed.
//
// The result covers all attempts of a call. For an error that wraps several, such as
// one from [errors.Join], it is false only if it is false for each of them. It is false
// for an error from [SMS.Authenticate].
//
// For an [*APIError] with a zero Outcome, the StatusCode and the ErrorType decide. This
// works for errors of Stytch's own Go client:
//
//	stytchb2b.MaybeSent(&stytchb2b.APIError{StatusCode: status, ErrorType: errorType})
func MaybeSent(err error) bool { return maybeApplied(err, OpSMSSend) }

// MaybeUsed reports whether the [SMS.Authenticate] that returned err may have used up
// the code, and with it the intermediate session token. If it is false, the same code
// can be entered again, unless the error says that it is wrong or has expired. If it is
// true, a session may have started whose tokens are lost: the Member has to log in
// again. MaybeUsed(nil) is true. It is false for an error from [SMS.Send].
func MaybeUsed(err error) bool { return maybeApplied(err, OpSMSAuthenticate) }

// maybeApplied reports whether a call of op that ended with err may have had its
// effect.
func maybeApplied(err error, op Op) bool {
	switch e := err.(type) {
	case *ParamError:
		return e == nil
	case *ConfigError:
		return e == nil
	case *GuardError:
		return e == nil
	case *APIError:
		return e == nil || e.Op.mayBe(op) && e.outcome() != OutcomeNotApplied
	case *TransportError:
		return e == nil || e.Op.mayBe(op) && e.Outcome != OutcomeNotApplied
	case interface{ Unwrap() error }:
		return maybeApplied(e.Unwrap(), op)
	case interface{ Unwrap() []error }:
		errs := e.Unwrap()
		return len(errs) == 0 || slices.ContainsFunc(errs, func(err error) bool { return maybeApplied(err, op) })
	}
	return true
}

// outcome is Outcome or, in an error that the library did not make, what the other
// fields prove.
func (e *APIError) outcome() Outcome {
	if e.Outcome != 0 {
		return e.Outcome
	}
	return statement{StatusCode: e.StatusCode, ErrorType: e.ErrorType}.proves()
}
