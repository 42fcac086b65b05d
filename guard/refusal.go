package guard

import (
	"errors"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// Why a Guard refuses, for [errors.Is].
var (
	// ErrCountry: the number belongs to a country that is not allowed.
	ErrCountry = errors.New("the number's country is not allowed")
	// ErrNumber: no code should go to such a number.
	ErrNumber = errors.New("the number is not one to send codes to")
	// ErrCooldown: the Member was sent a code a moment ago.
	ErrCooldown = errors.New("the Member was sent a code a moment ago")
	// ErrLimit: a limit of [LimitBy] is reached.
	ErrLimit = errors.New("a limit is reached")
	// ErrUnanswered: too many codes were sent and never entered (see
	// [Recommended]).
	ErrUnanswered = errors.New("too many codes were not entered")
	// ErrGuesses: the Member has entered too many wrong codes.
	ErrGuesses = errors.New("the Member has entered too many wrong codes")
	// ErrStore: the store does not answer, and the Guard has [FailClosed].
	ErrStore = errors.New("the store does not answer")
)

// A Refusal says why a Guard refuses a call. It is in the
// [stytchb2b.GuardError], for [errors.As].
type Refusal struct {
	// Err is ErrCountry or another of the errors above.
	Err error
	// Detail is the country, what is wrong with the number, the name of the LimitBy,
	// whether the codes were sent to the number or in all, or the failure of the
	// store. It holds no number.
	Detail string
}

// Error returns one line.
func (r *Refusal) Error() string {
	if r.Detail != "" {
		return r.Err.Error() + ": " + r.Detail
	}
	return r.Err.Error()
}

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }

// reason is the Refusal's, in the root package's words.
func (r *Refusal) reason() stytchb2b.GuardReason {
	switch r.Err {
	case ErrCountry, ErrNumber:
		return stytchb2b.GuardReasonNumber
	case ErrStore:
		return stytchb2b.GuardReasonUnavailable
	}
	return stytchb2b.GuardReasonLimit
}

// refusals are what the verdicts of stores say.
var refusals = map[counts.Cause]Refusal{
	counts.Cooldown: {Err: ErrCooldown},
	counts.Limited:  {Err: ErrLimit},
	counts.Number:   {ErrUnanswered, "to the number"},
	counts.Pool:     {ErrUnanswered, "in all"},
	counts.Guesses:  {Err: ErrGuesses},
}
