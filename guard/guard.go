package guard

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard/internal/counts"
)

// A Guard decides whether a Send or an Authenticate may go out. It is safe for
// concurrent use.
type Guard struct {
	config
	ledger *ledger // decides and counts

	numbers *lru.Cache[string, number]     // by how they were given
	learned *lru.Cache[[2]string, learned] // from logins and answers, by how calls name Members
}

var _ stytchb2b.Guard = (*Guard)(nil)

// believedFor is how long the number that Stytch has named stands for the Member's
// in calls that name none: it can be changed at Stytch.
const believedFor = 20 * time.Minute

// learned is what is known of a Member.
type learned struct {
	member [2]string // Stytch's IDs for the Organization and the Member
	number number    // nothing if nobody has named it
	at     time.Time
}

// New makes a Guard. [Recommended] is the option to begin with; without it, the
// Guard does not count unanswered SMS. New needs [WithStore] or [SingleProcess]. An
// error names the option that is wrong.
func New(opts ...Option) (*Guard, error) {
	cfg := config{onDecision: func(context.Context, Decision) {}, cooldown: DefaultCooldown, storeTimeout: DefaultStoreTimeout, logger: slog.Default(), now: time.Now}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("guard: an Option must not be nil")
		}
		opt(&cfg)
	}
	switch {
	case cfg.err != nil:
		return nil, cfg.err
	case cfg.store == nil && !cfg.single:
		return nil, errors.New("guard: several processes must count in one store: give WithStore a store of package guard/redisstore, or say SingleProcess if there is one process only")
	case cfg.store != nil && cfg.single:
		return nil, errors.New("guard: SingleProcess and WithStore exclude each other")
	}
	g := &Guard{config: cfg, ledger: &ledger{
		memory:  counts.NewMemory(memorySize, cfg.now),
		store:   cfg.store,
		timeout: cfg.storeTimeout,
		closed:  cfg.failClosed,
		logger:  cfg.logger,
	}}
	g.numbers, _ = lru.New[string, number](cacheSize) // It fails for a size of 0.
	g.learned, _ = lru.New[[2]string, learned](cacheSize)
	return g, nil
}

// AllowSend implements [stytchb2b.Guard]. An error is a [*stytchb2b.GuardError]
// with a [*Refusal].
func (g *Guard) AllowSend(ctx context.Context, params stytchb2b.SMSSendParams) (func(*stytchb2b.SMSSendResponse, error), error) {
	s := g.subject(params.OrganizationID, params.MemberID, params.MFAPhoneNumber)
	if g.isExempt(s) {
		g.onDecision(ctx, Decision{Op: stytchb2b.OpSMSSend, Allowed: true, Country: s.number.region})
		return nil, nil
	}
	e := g.event(counts.Send, s)
	e.ID = rand.Uint64()
	e.Limits = g.limitsOf(ctx, params)
	if err := g.decide(ctx, stytchb2b.OpSMSSend, s, e); err != nil {
		return nil, err
	}
	return func(resp *stytchb2b.SMSSendResponse, err error) {
		g.sent(context.WithoutCancel(ctx), s, e, resp, err)
	}, nil
}

// sent tells the store how a Send ended, if that changes anything.
func (g *Guard) sent(ctx context.Context, s subject, e counts.Event, resp *stytchb2b.SMSSendResponse, err error) {
	if err != nil || resp == nil {
		if err != nil && !stytchb2b.MaybeSent(err) {
			e.Kind = counts.Undo
			_, _ = g.ledger.do(ctx, e)
		}
		return
	}
	actual := g.learn(s, resp.Organization.OrganizationID, resp.MemberID, resp.Member.MFAPhoneNumber)
	told := g.event(counts.Told, actual)
	told.Verified, told.Answer = resp.Member.MFAPhoneNumberVerified, true
	if actual.member != s.member { // The call named the Member in another way: the SMS was this Member's.
		again := e
		again.Member, again.Number, again.Limits, again.Force = actual.member, actual.number.one, nil, true
		_, _ = g.ledger.do(ctx, again)
	}
	if told.Number != "" && (told.Verified || told.Number != e.Number || actual.member != s.member) {
		_, _ = g.ledger.do(ctx, told)
	}
}

// AllowAuthenticate implements [stytchb2b.Guard]. An error is a
// [*stytchb2b.GuardError] with a [*Refusal].
func (g *Guard) AllowAuthenticate(ctx context.Context, params stytchb2b.SMSAuthenticateParams) (func(*stytchb2b.SMSAuthenticateResponse, error), error) {
	s := g.subject(params.OrganizationID, params.MemberID, "")
	e := g.event(counts.Guess, s)
	if err := g.decide(ctx, stytchb2b.OpSMSAuthenticate, s, e); err != nil {
		return nil, err
	}
	return func(resp *stytchb2b.SMSAuthenticateResponse, err error) {
		g.authenticated(context.WithoutCancel(ctx), s, e, resp, err)
	}, nil
}

// authenticated tells the store what came of a code. It counts as a wrong one already.
// That is taken back if Stytch said nothing of the code, such as when the session
// has expired or the credentials are wrong.
func (g *Guard) authenticated(ctx context.Context, s subject, e counts.Event, resp *stytchb2b.SMSAuthenticateResponse, err error) {
	if err != nil || resp == nil {
		next := stytchb2b.AfterAuthenticate(err)
		if err != nil && !stytchb2b.MaybeUsed(err) && next != stytchb2b.NextEnterCode && next != stytchb2b.NextRequestCode {
			e.Kind = counts.Clear
			_, _ = g.ledger.do(ctx, e)
		}
		return
	}
	actual := g.learn(s, resp.Organization.OrganizationID, resp.MemberID, resp.Member.MFAPhoneNumber)
	_, _ = g.ledger.do(ctx, g.event(counts.Code, actual))
	if actual.member != s.named { // Another process may know no other names than these.
		actual.member = s.named
		_, _ = g.ledger.do(ctx, g.event(counts.Code, actual))
	}
}

// BeforeLogin is asked before the primary login of a Member, after which Stytch
// may send an SMS that nobody can stop. It refuses a login while the Member's last
// code is unanswered and a Send would be refused: with a [*stytchb2b.GuardError]
// that has a [*Refusal]. It counts nothing: see [Guard.AfterLogin].
func (g *Guard) BeforeLogin(ctx context.Context, organizationID, memberID string) error {
	s := g.subject(organizationID, memberID, "")
	if g.isExempt(s) {
		return nil
	}
	return g.decide(ctx, stytchb2b.OpSMSSend, s, g.event(counts.Ask, s))
}

// A Login is what the app knows after a primary login: the IDs and the phone of
// the Member object in Stytch's answer, and whether Stytch has sent a code.
type Login struct {
	OrganizationID, MemberID string
	MFAPhoneNumber           string // in E.164 form; empty if the Member has none
	MFAPhoneNumberVerified   bool
	// SMSSent: mfa_required.secondary_auth_initiated of the answer is "sms_otp".
	SMSSent bool
}

// AfterLogin tells the Guard of a primary login. It learns the Member's number, and
// trusts the Member if Stytch calls it verified. If Stytch has sent an SMS, that
// counts like one of a Send, and the Member's cooldown begins, so that a Send does not
// invalidate the code that is just arriving.
func (g *Guard) AfterLogin(ctx context.Context, login Login) {
	s := g.subject(login.OrganizationID, login.MemberID, login.MFAPhoneNumber)
	if g.isExempt(s) {
		return
	}
	g.learn(s, login.OrganizationID, login.MemberID, login.MFAPhoneNumber)
	if told := g.event(counts.Told, s); told.Number != "" {
		told.Verified = login.MFAPhoneNumberVerified
		_, _ = g.ledger.do(ctx, told)
	}
	if login.SMSSent {
		e := g.event(counts.Send, s)
		e.ID, e.Force = rand.Uint64(), true
		_, _ = g.ledger.do(ctx, e)
	}
}

// decide returns the error of a call that may not go out.
func (g *Guard) decide(ctx context.Context, op stytchb2b.Op, s subject, e counts.Event) error {
	var why *Refusal
	if op == stytchb2b.OpSMSSend {
		why = g.refuses(s)
	}
	var v counts.Verdict
	if why == nil || g.observe {
		e.Force = g.observe
		var err error
		if v, err = g.ledger.do(ctx, e); err != nil {
			why, v.Wait = &Refusal{ErrStore, err.Error()}, pause
		} else if says, ok := refusals[v.By]; ok && why == nil {
			if v.By == counts.Limited {
				says.Detail = e.Limits[v.Limit].Name
			}
			why = &says
		}
	}
	d := Decision{
		Op:      op,
		Allowed: why == nil || g.observe,
		Refusal: why,
		Trusted: v.Trusted,
		Country: s.number.region,
		Count:   v.Count,
		Max:     v.Max,
	}
	g.onDecision(ctx, d)
	if d.Allowed {
		return nil
	}
	return &stytchb2b.GuardError{Op: op, Reason: why.reason(), RetryAfter: v.Wait, Err: why}
}

// A subject is whom and where a call is for.
type subject struct {
	named  [2]string // Organization and Member, as the call names them
	member [2]string // by Stytch's IDs, where they are known
	number number    // the call's, or the last one that Stytch has named
}

func (g *Guard) subject(organizationID, memberID, phone string) subject {
	named := [2]string{organizationID, memberID}
	s := subject{named: named, member: named}
	known, ok := g.learned.Peek(named)
	if ok {
		s.member = known.member
	}
	switch {
	case phone != "":
		s.number = g.lookUp(phone)
	case g.now().Sub(known.at) < believedFor:
		s.number = known.number
	}
	return s
}

// learn keeps what Stytch has told of a Member, and returns the subject by it.
func (g *Guard) learn(s subject, organizationID, memberID, phone string) subject {
	if organizationID != "" {
		s.member[0] = organizationID
	}
	if memberID != "" {
		s.member[1] = memberID
	}
	if phone != "" {
		s.number = g.lookUp(phone)
		known := learned{s.member, s.number, g.now()}
		g.learned.Add(s.named, known)
		g.learned.Add(s.member, known)
	} else if s.member != s.named {
		g.learned.Add(s.named, learned{member: s.member})
	}
	return s
}

// lookUp classifies a number, which takes 25 µs the first time.
func (g *Guard) lookUp(phone string) number {
	n, ok := g.numbers.Peek(phone)
	if !ok {
		n = classify(phone)
		g.numbers.Add(phone, n)
	}
	return n
}

// refuses returns why no code may go to a number, whatever was sent before.
func (g *Guard) refuses(s subject) *Refusal {
	switch n := s.number; {
	case n == number{}:
		return nil // It is not known.
	case n.reason != "":
		return &Refusal{ErrNumber, n.reason}
	case g.countries != nil && !g.countries[n.region]:
		return &Refusal{ErrCountry, n.region}
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

// event is one of the Member's.
func (g *Guard) event(kind counts.Kind, s subject) counts.Event {
	e := counts.Event{Kind: kind, Member: s.member, Number: s.number.one, Cooldown: g.cooldown, Budget: g.budget}
	if g.clock {
		e.At = g.now().UnixMilli()
	}
	return e
}

// limitsOf returns the limits that count a Send.
func (g *Guard) limitsOf(ctx context.Context, params stytchb2b.SMSSendParams) (limits []counts.Limit) {
	for _, l := range g.limits {
		if l.Value = l.by(ctx, params); l.Value != "" {
			limits = append(limits, l.Limit)
		}
	}
	return limits
}
