package stytchb2b

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// MaybeSent reports whether the [SMS.Send] that returned err may have put an
// SMS out. It is false only where it is certain that no SMS went out, so that
// sending again costs nobody a second message:
//
//	err, or what it wraps                                   MaybeSent
//	*ParamError, *GuardError                                false
//	*TransportError: the context was over before the call   false
//	*TransportError: no connection was ever made            false
//	*TransportError: the connection broke, or time ran out  true
//	*TransportError: a success that cannot be read          true
//	*APIError: 3xx, 4xx                                     false
//	*APIError: 5xx and anything else                        true
//	an error of another call than Send                      false
//	nil: the Send succeeded                                 true
//	any other error                                         true
//
// An error that stands for several attempts counts them all: where one of them
// may have sent, the answer is true, whatever the last one ended with. The same
// holds for errors of several calls that were joined with [errors.Join].
func MaybeSent(err error) bool { return maybeApplied(err, OpSMSSend) }

// MaybeUsed reports whether the [SMS.Authenticate] that returned err may have
// used up the code, and the intermediate session token with it. It is false
// only where it is certain that it did not: the same code can be entered again,
// unless the error says that it is wrong or has expired. Where it is true, a
// session may have begun whose tokens nobody has: the Member has to log in anew,
// or with a session of their own, to get a new code.
//
// It is true and false where [MaybeSent] is for a Send, and false for an error
// of another call. It says nothing of whether the code was right: after an
// error, the Member is not authenticated.
func MaybeUsed(err error) bool { return maybeApplied(err, OpSMSAuthenticate) }

// maybeApplied reports whether a call of op may have been applied, one of the
// calls that the tree of err is of.
func maybeApplied(err error, op Op) bool {
	known, maybe := inspect(err, op)
	return maybe || !known
}

// inspect walks the tree of err. known reports whether an error of this
// package is in it, and maybe whether a call of op among them may have been
// applied.
func inspect(err error, op Op) (known, maybe bool) {
	switch e := err.(type) {
	case *ParamError, *GuardError:
		return true, false
	case *APIError:
		return true, e.Outcome != OutcomeNotApplied && (e.Op == op || e.Op == "")
	case *TransportError:
		return true, e.Outcome != OutcomeNotApplied && (e.Op == op || e.Op == "")
	case interface{ Unwrap() error }:
		return inspect(e.Unwrap(), op)
	case interface{ Unwrap() []error }:
		for _, child := range e.Unwrap() {
			k, m := inspect(child, op)
			known, maybe = known || k, maybe || m
		}
	}
	return known, maybe
}

// An Op names the call that an error is of.
type Op string

const (
	OpSMSSend         Op = "OTPs.SMS.Send"         // [SMS.Send]
	OpSMSAuthenticate Op = "OTPs.SMS.Authenticate" // [SMS.Authenticate]
)

// An Outcome is what is known, once an attempt or a whole call has failed, of
// what cannot be undone: whether the request was applied (RFC 9110, section
// 9.2.2). A Send that is applied sends an SMS; an Authenticate uses up the code.
type Outcome uint8

const (
	// OutcomeUnknown: the request may have reached Stytch, and nothing tells
	// what came of it.
	OutcomeUnknown Outcome = iota
	// OutcomeNotApplied: it is certain that no SMS was sent, or no code used.
	OutcomeNotApplied
	// OutcomeApplied: Stytch answered that it sent the SMS, or took the code.
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

// sentence says what an outcome means. It ends the text of an error.
func (op Op) sentence(o Outcome) string {
	sentences := [...]string{"an SMS may have been sent", "no SMS was sent", "the SMS was sent"}
	if op == OpSMSAuthenticate {
		sentences = [...]string{"the call may have used the code", "the call did not use the code", "the call used the code"}
	}
	return sentences[min(o, OutcomeApplied)]
}

// A ParamError reports an argument that is missing or malformed. It comes
// before any I/O: nothing was sent, and no code used. Its text never holds the value.
type ParamError struct {
	// Field is the parameter's name on the wire, such as "mfa_phone_number";
	// the name of an argument of [NewClient], such as "secret"; or the name of
	// an [Option], such as "WithBaseURL".
	Field string
	// Reason says what is wrong and what was expected.
	Reason string
}

// Error names the field and the reason.
func (e *ParamError) Error() string {
	return "stytchb2b: " + e.Field + ": " + e.Reason
}

// An APIError reports an answer outside 2xx: from Stytch, or from a proxy in
// front of it, whose body need not be JSON.
//
// Texts that came with the answer are kept with the project's secret, the
// session tokens, the code and the phone number of the request masked.
type APIError struct {
	// Op is the call that failed.
	Op Op
	// StatusCode is the HTTP status of the answer.
	StatusCode int
	// RequestID names the request in Stytch's logs; its support asks for it.
	RequestID string
	// ErrorType is Stytch's name for what went wrong, and what to switch on.
	ErrorType ErrorType
	// ErrorMessage is Stytch's description of it, for developers.
	ErrorMessage string
	// ErrorURL is a page of Stytch's documentation about it.
	ErrorURL string
	// RetryAfter is how long the answer's Retry-After asks to wait (RFC 9110,
	// section 10.2.3); zero where it does not say.
	RetryAfter time.Duration
	// Body is the start of the body, at most 512 bytes, where that is not an
	// error object of Stytch's, such as a proxy's HTML page.
	Body string
	// Attempts is the number of HTTP requests that the call made.
	Attempts int
	// Outcome says what is known of the SMS or the code, over all attempts.
	Outcome Outcome

	err error // why the body could not be read to its end, or nil
}

// Error returns one line: the status, what was answered, what is known of the
// SMS or the code, what to do where that is known, and the request ID.
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
	} else if e.Body != "" {
		fmt.Fprintf(&b, ", not an error of Stytch's: %q", e.Body)
	}
	if e.err != nil {
		b.WriteString("; reading its body: " + oneLine(e.err.Error()))
	}
	b.WriteString("; " + e.Op.sentence(e.Outcome))
	if hint := e.hint(); hint != "" {
		b.WriteString("; " + hint)
	}
	if e.RequestID != "" {
		b.WriteString(" (request ID " + oneLine(e.RequestID) + ")")
	}
	return b.String()
}

// hint says what to do, where that is known.
func (e *APIError) hint() string {
	switch {
	case e.RetryAfter > 0:
		return "try again in " + e.RetryAfter.Round(time.Second).String()
	case e.StatusCode >= 300 && e.StatusCode < 400:
		return "redirects are never followed: is the base URL right?"
	}
	switch e.ErrorType {
	case ErrorTypeUnauthorizedCredentials:
		return "check the project ID and the secret, and that both are of the environment (test or live) of the base URL"
	case ErrorTypeInvalidPhoneNumberCountryCode:
		return "add the country to the project's allowlist in Stytch's dashboard"
	case ErrorTypeMissingSMSParameter:
		return "the Member has no phone number: pass mfa_phone_number"
	case ErrorTypeTestIDUsedInLiveEnvironment, ErrorTypeLiveIDUsedInTestEnvironment:
		return "use a project ID, a secret and IDs of one environment"
	case ErrorTypeSessionAuthorizationError:
		return "pass a session of this Member that holds its active MFA factor"
	case ErrorTypeBillingNotVerified:
		return "add credit card details in Stytch's dashboard"
	}
	return ""
}

// Unwrap returns the error that ended the reading of the answer's body, such
// as [context.DeadlineExceeded], or nil where the body was read.
func (e *APIError) Unwrap() error { return e.err }

// A TransportError reports a call that ended without a usable answer: no
// connection was made, the connection broke, time ran out, the context was
// canceled, or a success came whose body cannot be read.
type TransportError struct {
	// Op is the call that failed.
	Op Op
	// Attempts is the number of HTTP requests that the call made; 0 where the
	// context was over before the first.
	Attempts int
	// Outcome says what is known of the SMS or the code, over all attempts.
	Outcome Outcome
	// Err is the cause, for [errors.Is] and [errors.As]:
	// [context.DeadlineExceeded], [context.Canceled], a [*net.OpError] and the
	// like. Where the context ended while the call waited to try again, it
	// wraps the error of the last attempt too.
	Err error
}

// Error returns one line: the attempts, the cause and what is known of the SMS or
// the code.
func (e *TransportError) Error() string {
	attempts := "1 attempt"
	if e.Attempts != 1 {
		attempts = fmt.Sprintf("%d attempts", e.Attempts)
	}
	cause := "unknown cause"
	if e.Err != nil {
		cause = oneLine(e.Err.Error())
	}
	return fmt.Sprintf("stytchb2b: no usable answer after %s: %s; %s", attempts, cause, e.Op.sentence(e.Outcome))
}

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// newAPIError reads an answer outside 2xx, and masks what it keeps of it.
func newAPIError(op Op, status int, retryAfter time.Duration, body []byte, r *redactor) *APIError {
	e := &APIError{Op: op, StatusCode: status, RetryAfter: retryAfter}
	// Each field by itself, so that one of an unexpected type costs only itself.
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil {
		for name, dst := range map[string]*string{
			"request_id":    &e.RequestID,
			"error_type":    (*string)(&e.ErrorType),
			"error_message": &e.ErrorMessage,
			"error_url":     &e.ErrorURL,
		} {
			_ = json.Unmarshal(fields[name], dst)
			*dst = r.text(*dst) // not before: JSON may escape what is to be masked
		}
	}
	if e.ErrorType == "" && e.ErrorMessage == "" {
		text := r.text(string(body)) // before it is cut, which may leave a part
		e.Body = strings.ToValidUTF8(text[:min(len(text), maxErrorText)], "")
	}
	return e
}

// addCause returns err with cause in its tree, unless it is there already.
// net/http reports the cause of a canceled context (see [context.Cause]) in
// the place of the context's own error, which callers look for.
func addCause(err, cause error) error {
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}
