package stytchb2b

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
)

// An Op names the call that an error comes from.
type Op string

const (
	OpSMSSend         Op = "OTPs.SMS.Send"         // [SMS.Send]
	OpSMSAuthenticate Op = "OTPs.SMS.Authenticate" // [SMS.Authenticate]
)

// mayBe reports whether an error with this Op may come from a call of other. The Op
// may be empty in an error that the library did not make.
func (op Op) mayBe(other Op) bool { return op == other || op == "" }

// sentence returns the outcome in words, for the text of an error.
func (op Op) sentence(o Outcome) string {
	unknown, notApplied, applied := "an SMS may have been sent", "no SMS was sent", "the SMS was sent"
	if op == OpSMSAuthenticate {
		unknown, notApplied, applied = "the code may be used up", "the code was not used", "the code is used up"
	}
	switch o {
	case OutcomeNotApplied:
		return notApplied
	case OutcomeApplied:
		return applied
	}
	return unknown
}

// RetryAfter returns how long to wait before repeating the call that returned err:
// the RetryAfter of the first [*APIError] in err's tree or, without one, of the first
// [*GuardError]. It is 0 if that is not known.
func RetryAfter(err error) time.Duration {
	if e := (*APIError)(nil); errors.As(err, &e) {
		return e.RetryAfter
	}
	if e := (*GuardError)(nil); errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// A ConfigError reports an invalid argument of [NewClient], environment variable or
// [Option]. Its text never contains the value.
type ConfigError struct {
	// Name is the name of an argument ("projectID", "secret" or "opts"), an
	// environment variable ("STYTCH_SECRET") or an option ("WithBaseURL").
	Name string
	// Reason says what is wrong and what was expected.
	Reason string
}

// Error returns the name and the reason.
func (e *ConfigError) Error() string { return "stytchb2b: " + e.Name + " " + e.Reason }

// A ParamError reports a missing or malformed parameter. It comes before any I/O: no
// SMS was sent and no code used. Its text never contains the value.
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

// An APIError reports an answer that is not a success. It is an error from Stytch, or
// an answer with any status from something between, such as a gateway. RequestID,
// ErrorType, ErrorMessage and ErrorURL are empty unless Stytch sent them.
type APIError struct {
	// Op is the call that failed.
	Op Op
	// StatusCode is the HTTP status of the answer.
	StatusCode int
	// RequestID identifies the request to Stytch's support.
	RequestID string
	// ErrorType is Stytch's name for the kind of error.
	ErrorType ErrorType
	// ErrorMessage is Stytch's description of the error for developers, with secrets
	// and phone numbers masked.
	ErrorMessage string
	// ErrorURL is the page of Stytch's documentation about the error.
	ErrorURL string
	// RetryAfter is how long the answer's Retry-After header asks to wait (RFC 9110,
	// section 10.2.3); 0 without one.
	RetryAfter time.Duration
	// Attempts is the number of HTTP requests that the call made.
	Attempts int
	// Outcome says what is known about the SMS or the code, over all attempts:
	// OutcomeApplied if the answer is a 2xx with a request ID from Stytch.
	Outcome Outcome

	problem string        // what is wrong with an answer that is not an error from Stytch
	err     error         // why the answer could not be read, or nil
	answer  func() answer // A function: printing by reflection cannot show the answer.
}

// Error returns one line. It never quotes an answer that is not Stytch's.
func (e *APIError) Error() string {
	text := fmt.Sprintf("stytchb2b: HTTP %d", e.StatusCode)
	if e.ErrorType != "" {
		text += " " + oneLine(string(e.ErrorType))
	} else if status := http.StatusText(e.StatusCode); status != "" {
		text += " " + status
	}
	if e.ErrorMessage != "" {
		text += ": " + strings.TrimRight(oneLine(e.ErrorMessage), ".")
	} else if e.problem != "" {
		text += ", " + oneLine(e.problem)
	}
	text += "; " + e.Op.sentence(e.outcome())
	if hint := e.hint(); hint != "" {
		text += "; " + hint
	}
	if e.RequestID != "" {
		text += " (request ID " + oneLine(e.RequestID) + ")"
	}
	return text
}

// hint returns what to do about the error, or "".
func (e *APIError) hint() string {
	switch {
	case e.RetryAfter > 0:
		return "retry in " + e.RetryAfter.Round(time.Second).String()
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

// RawBody returns what was read of the answer's body, at most 1 MiB. Do not log it: it
// may contain secrets, phone numbers and session tokens.
func (e *APIError) RawBody() string {
	if e.answer == nil {
		return ""
	}
	return string(e.answer().body)
}

// Header returns the answer's header. It may contain cookies.
func (e *APIError) Header() http.Header {
	if e.answer == nil {
		return nil
	}
	return e.answer().header
}

// Unwrap returns why the answer could not be read or used, such as
// [context.DeadlineExceeded]. It is nil for an error from Stytch.
func (e *APIError) Unwrap() error { return e.err }

// A TransportError reports a call that got no answer: there was no connection, it
// broke, time ran out, or the context was canceled.
type TransportError struct {
	// Op is the call that failed.
	Op Op
	// Attempts is the number of HTTP requests that the call made: 0 if the context
	// was over before the first.
	Attempts int
	// Outcome says what is known about the SMS or the code, over all attempts.
	Outcome Outcome
	// Err is the cause, for [errors.Is] and [errors.As], such as a [*net.OpError],
	// [context.DeadlineExceeded] or the context's [context.Cause]. If the context
	// ended while the call waited to retry, Err also wraps the last attempt's error. If
	// its text would show a secret, the text is masked, and Err cannot be unwrapped.
	Err error
}

// Error returns one line, which ends with the Outcome in words.
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

// withContext adds ctx's error and its cause to err's tree, if ctx has ended:
// net/http reports only one of them, and go-retryablehttp only the other.
func withContext(ctx context.Context, err error) error {
	for _, end := range []error{context.Cause(ctx), ctx.Err()} {
		if err != nil && end != nil && !errors.Is(err, end) {
			err = fmt.Errorf("%w: %w", end, err)
		}
	}
	return err
}

// transportError returns the error of a call whose last attempt, a, got no answer.
func (c *call) transportError(a *attempt, err error) error {
	return &TransportError{Op: c.op, Attempts: a.number, Outcome: a.overall, Err: c.secrets().maskError(err)}
}

// apiError returns the error of a call whose last attempt, a, got an answer. err is
// why the answer is not usable; nil if it is an error from Stytch.
func (c *call) apiError(a *attempt, err error) error {
	s := c.secrets()
	e := &APIError{
		Op:           c.op,
		StatusCode:   a.answer.status,
		RequestID:    a.said.RequestID,
		ErrorType:    a.said.ErrorType,
		ErrorMessage: s.mask(a.said.ErrorMessage),
		ErrorURL:     s.mask(a.said.ErrorURL),
		RetryAfter:   max(0, a.answer.retryAfter()),
		Attempts:     a.number,
		Outcome:      a.overall,
		err:          s.maskError(err),
		answer:       func() answer { return a.answer },
	}
	switch {
	case a.answer.is2xx():
		e.problem = fmt.Sprintf("but %v (%s)", e.err, a.answer.describe())
	case e.err != nil:
		e.problem = fmt.Sprintf("not an error from Stytch: %s; reading its body: %v", a.answer.describe(), e.err)
	case e.RequestID == "":
		e.problem = "not an error from Stytch: " + a.answer.describe()
	}
	return e
}

// describe describes the body without quoting it, because it may echo the request in
// any encoding.
func (a *answer) describe() string {
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

// secrets returns what must be masked in every text about the call.
func (c *call) secrets() secrets { return append(secretValues(c.fields), c.client.secrets()...) }
