package stytchb2b

// An Op names the call that an error comes from.
type Op string

const (
	OpSMSSend         Op = "OTPs.SMS.Send"         // [SMS.Send]
	OpSMSAuthenticate Op = "OTPs.SMS.Authenticate" // [SMS.Authenticate]
)

// is reports whether an error with this Op may come from a call of op. In an
// error made by hand it may be empty.
func (op Op) is(other Op) bool { return op == other || op == "" }

// An Outcome says whether a call had the effect that cannot be undone: an SMS
// for [SMS.Send], the use of the code for [SMS.Authenticate]. In an error that
// a call returns, the Outcome is never zero.
type Outcome uint8

const (
	// OutcomeUnknown: the request may have reached Stytch, and nothing proves
	// whether it had its effect.
	OutcomeUnknown Outcome = iota + 1
	// OutcomeNotApplied: it is certain that no SMS was sent, or no code used.
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

// and joins the outcomes of two attempts.
func (o Outcome) and(other Outcome) Outcome {
	switch {
	case o == OutcomeApplied || other == OutcomeApplied:
		return OutcomeApplied
	case o == OutcomeNotApplied && other == OutcomeNotApplied:
		return OutcomeNotApplied
	}
	return OutcomeUnknown
}

// sentence says what an outcome means. It ends the text of an error.
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
