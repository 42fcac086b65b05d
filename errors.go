package stytchb2b

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MaybeSent reports whether an SMS may have gone out in the [SMS.Send] that
// returned err. If MaybeSent(err) is false, no SMS was sent, and Send can
// safely be called again. MaybeSent(nil) is true.
//
// The table shows what MaybeSent reports for each way an attempt can end, and
// what the call does by default. It holds for [MaybeUsed], too.
//
//	the attempt ended with                           MaybeSent  by default
//	*ParamError, *ConfigError, *GuardError           false      returned, without any I/O to Stytch
//	*TransportError: the context was already over    false      returned, without any I/O to Stytch
//	*TransportError: no connection (DNS, refused,    false      tried again (a certificate error
//	  connect timeout, proxy CONNECT, TLS handshake)            is returned)
//	*APIError: Stytch's 429 too_many_requests        false      tried again after a wait, if that is short
//	*APIError: any other 4xx from Stytch, except     false      returned
//	  408, 460, 499 and client_closed_request
//	*APIError: any other answer outside 2xx          true       returned; a redirect is not followed
//	*TransportError: connected, but no answer        true       returned
//	  (reset, timeout, cancel)
//	*TransportError: any other 2xx than the next     true       returned; Outcome says more
//	nil: a 2xx with a request_id and its status_code true       returned
//	any other error                                  true
//
// Stytch's own 4xx is one with a Stytch error object. That Stytch has sent nothing
// then follows from its reference
// (https://stytch.com/docs/api-reference/b2b/api/errors/overview); for 429 it is
// assumed. If the transport never read the request's body, nothing left, and
// MaybeSent is false for whatever it returned but a success.
//
// The result covers all attempts of a call. For an error that wraps several
// errors, such as one from [errors.Join], MaybeSent is false only if it is false
// for each of them. It is false for an error from [SMS.Authenticate].
//
// For an [*APIError] with a zero Outcome, such as one made by a mock, StatusCode
// and ErrorType decide. For such a [*TransportError], MaybeSent is true.
func MaybeSent(err error) bool { return maybeApplied(err, OpSMSSend) }

// MaybeUsed reports whether the [SMS.Authenticate] that returned err may have
// used up the code, and the intermediate session token with it. If
// MaybeUsed(err) is false, the same code can be entered again, unless the error
// says that it is wrong or has expired. If it is true, a session may have started
// whose tokens are lost, and the Member has to log in again. MaybeUsed(nil) is
// true.
//
// [MaybeSent] has the table. MaybeUsed is false for an error of [SMS.Send].
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
		return e == nil || e.Op.is(op) && e.outcome() != OutcomeNotApplied
	case *TransportError:
		return e == nil || e.Op.is(op) && e.Outcome != OutcomeNotApplied
	case interface{ Unwrap() error }:
		return maybeApplied(e.Unwrap(), op)
	case interface{ Unwrap() []error }:
		children := e.Unwrap()
		return len(children) == 0 || slices.ContainsFunc(children, func(child error) bool { return maybeApplied(child, op) })
	}
	return true
}

// RetryAfter returns how long to wait before repeating the call that returned
// err: the RetryAfter of the first [*APIError] in err's tree or, without one, of
// the first [*GuardError]. It is 0 if that does not say.
func RetryAfter(err error) time.Duration {
	if e := (*APIError)(nil); errors.As(err, &e) {
		return e.RetryAfter
	}
	if e := (*GuardError)(nil); errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// A ConfigError reports an argument of [NewClient], an environment variable or
// an [Option] that is wrong. Its text never holds the value.
type ConfigError struct {
	// Name is the name of an argument ("projectID", "secret" or "opts"), an
	// environment variable ("STYTCH_SECRET") or an option ("WithBaseURL").
	Name string
	// Reason says what is wrong and what was expected.
	Reason string
}

// Error returns the name and the reason.
func (e *ConfigError) Error() string { return "stytchb2b: " + e.Name + " " + e.Reason }

// A ParamError reports a parameter that is missing or malformed. It comes before
// any I/O: no SMS was sent and no code used. Its text never holds the value.
type ParamError struct {
	// Field is the parameter's name in the API, such as "mfa_phone_number" or
	// "code". It is "ctx" for a nil context, and "client" for a Client that
	// NewClient did not make.
	Field string
	// Reason says what is wrong and what was expected.
	Reason string
}

// Error returns the field and the reason.
func (e *ParamError) Error() string { return "stytchb2b: " + e.Field + " " + e.Reason }

// An APIError reports an answer outside 2xx, from Stytch or from something else
// on the way to it.
//
// RequestID and the fields that begin with Error are set if the answer is a Stytch
// error object.
type APIError struct {
	// Op is the call that failed.
	Op Op
	// StatusCode is the HTTP status of the answer.
	StatusCode int
	// RequestID identifies the request to Stytch's support.
	RequestID string
	// ErrorType is Stytch's name for the error. Switch on it.
	ErrorType ErrorType
	// ErrorMessage is Stytch's description of the error for developers. Secrets
	// of the request and whole phone numbers in it are masked.
	ErrorMessage string
	// ErrorURL is the page of Stytch's documentation about the error.
	ErrorURL string
	// ErrorDetails is what Stytch adds about some errors, masked as ErrorMessage is.
	// It is usually nil.
	ErrorDetails map[string]any
	// RetryAfter is how long the answer's Retry-After asks to wait (RFC 9110,
	// section 10.2.3); 0 if it does not.
	RetryAfter time.Duration
	// Attempts is the number of HTTP requests that the call made.
	Attempts int
	// Outcome says what is known about the SMS or the code, over all attempts.
	Outcome Outcome

	stranger string // describes an answer that is not Stytch's
	err      error  // why the body could not be read to its end, or nil
	answer   rawAnswer
}

// Error returns one line: the status, what Stytch says, what is known about the
// SMS or the code, what to do, and the request ID. It never quotes an answer that
// is not Stytch's.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "stytchb2b: HTTP %d", e.StatusCode)
	if e.ErrorType != "" {
		b.WriteString(" " + oneLine(string(e.ErrorType)))
	} else if text := http.StatusText(e.StatusCode); text != "" {
		b.WriteString(" " + text)
	}
	if e.ErrorMessage != "" {
		b.WriteString(": " + strings.TrimRight(oneLine(e.ErrorMessage), "."))
	} else if e.stranger != "" {
		b.WriteString(", not an error from Stytch: " + e.stranger)
	}
	if e.err != nil {
		b.WriteString("; reading its body: " + oneLine(e.err.Error()))
	}
	b.WriteString("; " + e.Op.sentence(e.outcome()))
	if hint := e.hint(); hint != "" {
		b.WriteString("; " + hint)
	}
	if e.RequestID != "" {
		b.WriteString(" (request ID " + oneLine(e.RequestID) + ")")
	}
	return b.String()
}

// outcome is Outcome or, in an error made by hand, what the status proves.
func (e *APIError) outcome() Outcome {
	r := refusal{StatusCode: e.StatusCode, ErrorType: e.ErrorType}
	switch {
	case e.Outcome != 0:
		return e.Outcome
	case r.certain():
		return OutcomeNotApplied
	}
	return OutcomeUnknown
}

// hint says what to do, if that is known.
func (e *APIError) hint() string {
	switch {
	case e.RetryAfter > 0:
		return "try again in " + e.RetryAfter.Round(time.Second).String()
	case e.StatusCode >= 300 && e.StatusCode < 400:
		return "redirects are not followed: is the base URL right?"
	}
	switch e.ErrorType {
	case ErrorTypeUnauthorizedCredentials:
		return "check the project ID and the secret, and that both belong to the environment (test or live) of the base URL"
	case ErrorTypeInvalidPhoneNumberCountryCode:
		return "add the country to the project's allowlist in Stytch's dashboard"
	case ErrorTypeMissingSMSParameter:
		return "the Member has no phone number: pass mfa_phone_number"
	case ErrorTypeTestIDUsedInLiveEnvironment, ErrorTypeLiveIDUsedInTestEnvironment:
		return "use a project ID, a secret and IDs of one environment"
	case ErrorTypeSessionAuthorizationError:
		return "the session's roles do not permit the call"
	case ErrorTypeBillingNotVerified:
		return "add credit card details in Stytch's dashboard"
	case ErrorTypeUserLockLimitReached:
		return "the Member is locked after too many failed attempts"
	case ErrorTypeTooFewTokensAuthenticated:
		return "too few of the codes sent were entered, which looks like toll fraud"
	}
	return ""
}

// RawBody returns what was read of the answer's body, at most 1 MiB. It may hold
// secrets or phone numbers: log [APIError.RawJSON] instead.
func (e *APIError) RawBody() string { return e.answer.body() }

// RawJSON returns Stytch's error object with all its fields, masked as
// ErrorMessage is. It is empty if the answer is not a Stytch error object.
func (e *APIError) RawJSON() string {
	if e.ErrorType == "" || e.answer.get == nil {
		return ""
	}
	_, body, s := e.answer.get()
	return s.maskObject(body)
}

// Header returns the header of the answer. It is not masked: it may hold cookies.
func (e *APIError) Header() http.Header { return e.answer.header() }

// Unwrap returns the error that ended the reading of the answer's body, such as
// [context.DeadlineExceeded], or nil if the body was read.
func (e *APIError) Unwrap() error { return e.err }

// A TransportError reports a call without a usable answer: there was no connection,
// it broke, time ran out, the context was canceled, or a 2xx came that is not a
// success from Stytch.
type TransportError struct {
	// Op is the call that failed.
	Op Op
	// StatusCode is the HTTP status of a 2xx; otherwise 0.
	StatusCode int
	// RequestID identifies the request to Stytch's support, if the answer had one.
	RequestID string
	// Attempts is the number of HTTP requests that the call made: 0 if the context
	// was over before the first.
	Attempts int
	// Outcome says what is known about the SMS or the code, over all attempts:
	// OutcomeApplied if the answer had a request ID from Stytch.
	Outcome Outcome
	// Err is the cause, for [errors.Is] and [errors.As], such as
	// [context.DeadlineExceeded] or a [*net.OpError]. If the context ended while the
	// call waited to try again, Err also wraps the error of the last attempt. If it
	// would show a secret, it has a masked text and nothing to unwrap.
	Err error

	answer rawAnswer
}

// Error returns one line: the attempts, the cause, what is known about the SMS
// or the code, and the request ID.
func (e *TransportError) Error() string {
	attempts := "1 attempt"
	if e.Attempts != 1 {
		attempts = fmt.Sprintf("%d attempts", e.Attempts)
	}
	cause := "unknown cause"
	if e.Err != nil {
		cause = oneLine(e.Err.Error())
	}
	text := fmt.Sprintf("stytchb2b: no usable answer after %s: %s; %s", attempts, cause, e.Op.sentence(e.Outcome))
	if e.RequestID != "" {
		text += " (request ID " + oneLine(e.RequestID) + ")"
	}
	return text
}

// RawBody returns what was read of the answer's body, at most 1 MiB. Do not log it:
// after an [SMS.Authenticate] it may hold the session's tokens.
func (e *TransportError) RawBody() string { return e.answer.body() }

// Header returns the header of the answer. It is not masked: it may hold cookies.
func (e *TransportError) Header() http.Header { return e.answer.header() }

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// A rawAnswer keeps an answer, and the secrets to mask in it, out of reach of
// what prints a struct by reflection.
type rawAnswer struct {
	get func() (http.Header, []byte, secrets)
}

func (r *rawAnswer) header() http.Header {
	if r.get == nil {
		return nil
	}
	header, _, _ := r.get()
	return header
}

func (r *rawAnswer) body() string {
	if r.get == nil {
		return ""
	}
	_, body, _ := r.get()
	return string(body)
}
