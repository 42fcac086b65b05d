package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// A Guard decides whether a Send may go out. It is a [stytchb2b.Guard],
// and safe for concurrent use.
type Guard struct {
	config
	ledger *ledger // decides and counts

	numbers *lru.Cache[string, number]     // as they were given
	learned *lru.Cache[[2]string, learned] // from Stytch's answers, by how calls name Members
}

var _ stytchb2b.Guard = (*Guard)(nil)

const (
	// countedFor is how long a Send that names no number counts against the last
	// number known of its Member.
	countedFor = 24 * time.Hour
	// believedFor is how long it is refused for that number's country: the number
	// can be changed at Stytch.
	believedFor = 20 * time.Minute
)

// learned is what is known of a Member, from the last call that was answered.
type learned struct {
	member [2]string // Stytch's IDs for the Organization and the Member
	number string    // in E.164 form; empty if neither side has named it
	at     time.Time
}

// New makes a Guard. [Recommended] is the option to begin with. Without options,
// the Guard refuses a Send that comes too soon after one for the same Member, and
// numbers that no code should go to. It counts in memory. An error names the
// option that is wrong.
func New(opts ...Option) (*Guard, error) {
	cfg := config{cooldown: DefaultCooldown, storeTimeout: DefaultStoreTimeout, now: time.Now}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("guard: an Option must not be nil")
		}
		if err := opt(&cfg); err != nil {
			return nil, fmt.Errorf("guard: %w", err)
		}
	}
	for i, r := range cfg.rules {
		for _, other := range cfg.rules[:i] {
			if r.Name == other.Name {
				return nil, fmt.Errorf("guard: %s is given twice", r.Name)
			}
		}
	}
	if len(cfg.rules) > counts.MaxBuckets {
		return nil, fmt.Errorf("guard: there are more than %d limits and budgets", counts.MaxBuckets)
	}
	g := &Guard{config: cfg, ledger: newLedger(&cfg)}
	g.numbers, _ = lru.New[string, number](cacheSize) // It fails for a size of 0.
	g.learned, _ = lru.New[[2]string, learned](cacheSize)
	return g, nil
}

// AllowSend implements [stytchb2b.Guard]. An error is a [*stytchb2b.GuardError] with
// a [*Refusal].
func (g *Guard) AllowSend(ctx context.Context, params stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
	s := g.subject(params)
	if g.isExempt(s) {
		g.tell(ctx, Decision{Allowed: true, Country: s.number.region})
		return nil, nil
	}
	refusal := g.refuses(s)
	var t taken
	var wait time.Duration
	if refusal == nil || g.observe {
		s.values = g.values(ctx, params)
		claim := g.claim(s)
		claim.Force = g.observe
		t = g.ledger.take(ctx, claim)
		if refusal == nil {
			refusal, wait = t.refusal, t.verdict.Wait
		}
	}
	d := Decision{
		Allowed: refusal == nil || g.observe,
		Refusal: refusal,
		Trusted: t.verdict.Trusted,
		Country: s.number.region,
		Count:   t.verdict.Count,
		Max:     t.verdict.Max,
	}
	if all := t.verdict.Verified + t.verdict.Count; all > 0 {
		d.VerifiedShare = t.verdict.Verified / all
	}
	g.tell(ctx, d)
	if !d.Allowed {
		return nil, &stytchb2b.GuardError{Op: stytchb2b.OpSMSSend, Reason: reason(refusal), RetryAfter: wait, Err: refusal}
	}
	return func(resp *stytchb2b.SMSSendResponse, err error) { g.done(ctx, s, t, resp, err) }, nil
}

func reason(r *Refusal) stytchb2b.GuardReason {
	switch r.Err {
	case ErrCountry, ErrNumber:
		return stytchb2b.GuardReasonNumber
	case ErrStore:
		return stytchb2b.GuardReasonUnavailable
	}
	return stytchb2b.GuardReasonLimit
}

// done tells the store how a Send ended, if that changes anything.
func (g *Guard) done(ctx context.Context, s subject, t taken, resp *stytchb2b.SMSSendResponse, err error) {
	if resp == nil {
		if apiErr := (*stytchb2b.APIError)(nil); err != nil && !stytchb2b.MaybeSent(err) {
			refused := errors.As(err, &apiErr) && apiErr.StatusCode != http.StatusTooManyRequests
			g.ledger.settle(ctx, t, counts.End{Refused: refused})
		}
		return
	}
	actual := g.learn(s, resp.Organization.OrganizationID, resp.MemberID, resp.Member.MFAPhoneNumber)
	end := counts.End{Sent: true, Verified: resp.Member.MFAPhoneNumberVerified}
	asExpected := end.Verified && t.verdict.Trusted || !end.Verified && actual.number.e164 == s.number.e164
	if actual.member == s.member && asExpected {
		return
	}
	if actual.member != s.member || actual.number != s.number {
		end.Actual = g.claim(actual)
	}
	g.ledger.settle(ctx, t, end)
}

// SMSSent tells the Guard that an SMS went out without a Send. After the primary
// authentication of a Member who is enrolled in MFA, Stytch has sent one by itself
// if its answer has "sms_otp" as mfa_required.secondary_auth_initiated. The
// Member's cooldown begins, so that a Send does not invalidate the code that is
// just arriving. It counts in limits by Member, and in no others.
func (g *Guard) SMSSent(ctx context.Context, params stytchb2b.SMSSendParams) {
	s := g.subject(params)
	if g.isExempt(s) {
		return
	}
	claim := g.claim(s, PerMember)
	claim.Force, claim.Free = true, true
	g.ledger.take(ctx, claim)
}

// AllowAuthenticate implements [stytchb2b.Guard]: a Member whose code was right is
// trusted from then on.
func (g *Guard) AllowAuthenticate(ctx context.Context, params stytchb2b.SMSAuthenticateParams) (func(*stytchb2b.SMSAuthenticateResponse, error), error) {
	return func(resp *stytchb2b.SMSAuthenticateResponse, err error) {
		if resp != nil && err == nil {
			g.Verified(context.WithoutCancel(ctx), params, resp)
		}
	}, nil
}

// Verified tells the Guard of a code that was right.
func (g *Guard) Verified(ctx context.Context, params stytchb2b.SMSAuthenticateParams, resp *stytchb2b.SMSAuthenticateResponse) {
	named := g.subject(stytchb2b.SMSSendParams{OrganizationID: params.OrganizationID, MemberID: params.MemberID})
	named.member = named.named
	actual := g.learn(named, resp.Organization.OrganizationID, resp.MemberID, resp.Member.MFAPhoneNumber)
	g.ledger.verify(ctx, g.claim(actual))
	if actual.member != named.member { // Another process may know no other names than these.
		named.number = actual.number
		g.ledger.verify(ctx, g.claim(named))
	}
}

// A subject is whom and where a Send is for.
type subject struct {
	named  [2]string // Organization and Member, as the call names them
	member [2]string // by Stytch's IDs, where they are known
	number number    // the call's, or the last one known
	old    bool      // the number may be another by now
	values []string  // for LimitBy
}

func (g *Guard) subject(params stytchb2b.SMSSendParams) subject {
	named := [2]string{params.OrganizationID, params.MemberID}
	s := subject{named: named, member: named}
	known, ok := g.learned.Peek(named)
	if ok {
		s.member = known.member
	}
	switch {
	case params.MFAPhoneNumber != "":
		s.number = g.lookUp(params.MFAPhoneNumber)
	case ok && known.number != "" && g.now().Sub(known.at) < countedFor:
		s.number, s.old = g.lookUp(known.number), g.now().Sub(known.at) >= believedFor
	}
	return s
}

// learn keeps what an answer of Stytch's tells, and returns the subject by it.
func (g *Guard) learn(s subject, organizationID, memberID, phone string) subject {
	if organizationID != "" {
		s.member[0] = organizationID
	}
	if memberID != "" {
		s.member[1] = memberID
	}
	if phone != "" {
		s.number = g.lookUp(phone)
	}
	known := learned{s.member, s.number.e164, g.now()}
	g.learned.Add(s.named, known)
	if s.member != s.named {
		g.learned.Add(s.member, known)
	}
	return s
}

func (g *Guard) lookUp(phone string) number {
	n, ok := g.numbers.Peek(phone)
	if !ok {
		n = classify(phone, g.strict)
		g.numbers.Add(phone, n)
	}
	return n
}

// refuses returns why no code may go to a number, whatever was sent before.
func (g *Guard) refuses(s subject) *Refusal {
	switch n := s.number; {
	case n == number{} || s.old:
		return nil // It is not known.
	case n.reason != "":
		return &Refusal{Err: ErrNumber, Detail: n.reason}
	case g.countries != nil && !g.countries[n.region]:
		return &Refusal{Err: ErrCountry, Detail: n.region}
	}
	return nil
}

func (g *Guard) isExempt(s subject) bool {
	for _, e := range g.exempt {
		if (e.OrganizationID == "" || e.OrganizationID == s.named[0] || e.OrganizationID == s.member[0]) &&
			(e.MemberID == "" || e.MemberID == s.named[1] || e.MemberID == s.member[1]) &&
			(e.NumberPrefix == "" || strings.HasPrefix(s.number.e164, e.NumberPrefix)) {
			return true
		}
	}
	return false
}

func (g *Guard) tell(ctx context.Context, d Decision) {
	if g.onDecision != nil {
		g.onDecision(ctx, d)
	}
}

// values returns what each LimitBy counts a Send by.
func (g *Guard) values(ctx context.Context, params stytchb2b.SMSSendParams) (values []string) {
	for _, r := range g.rules {
		if r.by != nil {
			values = append(values, r.by(ctx, params))
		}
	}
	return values
}

// claim is what a Send counts in: of all scopes, or of these.
func (g *Guard) claim(s subject, of ...Scope) *counts.Claim {
	c := &counts.Claim{ID: newID(), Member: s.member, Number: s.number.e164, Cooldown: g.cooldown}
	c.Buckets = make([]counts.Bucket, 0, len(g.rules))
	for _, r := range g.rules {
		var what [2]string
		switch number := s.number.e164; r.scope {
		case PerMember:
			what = s.member
		case PerOrganization:
			what[0] = s.member[0]
		case PerCountry:
			what[0] = s.number.region
		case PerPhoneNumber:
			what[0] = number
			if number == "" && r.Kind == counts.Number {
				what = s.member // whose number it is, whichever that may be
			}
		case PerPrefix:
			what[0] = number[:max(0, len(number)-4)]
		case PerValue:
			if len(s.values) > 0 {
				what[0], s.values = s.values[0], s.values[1:]
			}
		}
		known := what[0] != "" || r.scope == InAll
		if known && (of == nil || slices.Contains(of, r.scope)) {
			c.Buckets = append(c.Buckets, counts.Bucket{Rule: &r.Rule, Subject: what})
		}
	}
	return c
}
