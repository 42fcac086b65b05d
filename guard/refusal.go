package guard

import "errors"

// Why a Guard refuses, for [errors.Is].
var (
	// ErrCountry: the number belongs to a country that is not allowed.
	ErrCountry = errors.New("the number's country is not allowed")
	// ErrNumber: no code should go to such a number.
	ErrNumber = errors.New("the number is not one to send codes to")
	// ErrCooldown: the Member was sent a code a moment ago.
	ErrCooldown = errors.New("the Member was sent a code a moment ago")
	// ErrLimit: a limit of [Limit] or [LimitBy] is reached.
	ErrLimit = errors.New("a limit is reached")
	// ErrUnanswered: too many codes were sent there and never entered (see
	// [Recommended]).
	ErrUnanswered = errors.New("too many codes were not entered")
	// ErrStore: the store does not answer, and the Guard has [FailClosed].
	ErrStore = errors.New("the store does not answer")
)

// A Refusal says why a Guard refuses a Send. It is in the
// [stytchb2b.GuardError], for [errors.As].
type Refusal struct {
	// Err is ErrCountry or another of the errors above.
	Err error
	// Detail is the country, what is wrong with the number, or the failure of
	// the store. It holds no number.
	Detail string
	// Scope says which count is too high; 0 if none is.
	Scope Scope
	// Limit is the name of the [LimitBy] that is reached; empty for any other.
	Limit string
}

// Error returns one line.
func (r *Refusal) Error() string {
	switch {
	case r.Detail != "":
		return r.Err.Error() + ": " + r.Detail
	case r.Limit != "":
		return r.Err.Error() + " (" + r.Limit + ")"
	case r.Scope != 0 && r.Err != ErrCooldown:
		return r.Err.Error() + " (" + r.Scope.String() + ")"
	}
	return r.Err.Error()
}

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }
