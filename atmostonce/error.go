package atmostonce

import (
	"crypto/tls"
	"errors"
	"net/http"
	"slices"
)

// MaybeSent reports whether the request that ended with err, an error from a
// [Transport] or from an [http.Client] on it, may have been sent. If MaybeSent(err)
// is false, nothing was sent, and the request can safely be made again.
//
// It is true for nil, for any error that is not from a Transport, and for an
// error that wraps several, unless it is false for each of them. It looks through
// a *url.Error and whatever else wraps an error.
func MaybeSent(err error) bool {
	switch e := err.(type) {
	case *unsentError:
		return false
	case *sentError:
		return true
	case interface{ Unwrap() error }:
		return MaybeSent(e.Unwrap())
	case interface{ Unwrap() []error }:
		children := e.Unwrap()
		return len(children) == 0 || slices.ContainsFunc(children, MaybeSent)
	}
	return true
}

// An unsentError is the error of a request that was certainly not sent.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }

// Timeout is what [url.Error.Timeout] asks for.
func (e *unsentError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.error, &t) && t.Timeout()
}

// notSent marks err as that of a request that was not sent. What looks at an error's
// type, not for a wrapped one, sees the types that it looks for.
func notSent(err error) error {
	switch e := err.(type) {
	case *tls.CertificateVerificationError: // go-retryablehttp
		return &tls.CertificateVerificationError{UnverifiedCertificates: e.UnverifiedCertificates, Err: notSent(e.Err)}
	case tls.RecordHeaderError: // http.Client
		if string(e.RecordHeader[:]) == "HTTP/" {
			err = http.ErrSchemeMismatch
		}
	}
	if !MaybeSent(err) { // from another Transport
		return err
	}
	return &unsentError{err}
}

// A sentError is the error of a request that may have been sent, around one that
// denies it.
type sentError struct{ error }

func (e *sentError) Unwrap() error { return e.error }
