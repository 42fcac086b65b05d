package stytchtest

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// maxRecords is how many requests and tokens a Server remembers: the newest.
const maxRecords = 100_000

// An SMS is a message that a Member's phone received.
type SMS struct {
	To             string `json:"to"`     // the number, in E.164 form
	Locale         string `json:"locale"` // "en" if the request named none
	Code           string `json:"code"`   // six digits, and never 000000
	OrganizationID string `json:"organization_id"`
	MemberID       string `json:"member_id"`
	Text           string `json:"text"`
	// Automatic is whether Stytch sent the SMS after a primary authentication, without
	// a Send.
	Automatic bool      `json:"automatic"`
	At        time.Time `json:"at"` // by the server's clock, in UTC
}

// A Request is one that the server received.
type Request struct {
	Method, Path string
	Header       http.Header
	Body         string
	// StatusCode is the answer's status; 0 if the connection was reset.
	StatusCode int
}

// A record holds the SMS and requests that the server remembers.
type record struct {
	sms      []SMS
	next     int           // of sms, for NextSMS
	changed  chan struct{} // closed when an SMS is added, and replaced
	requests []Request
}

func (r *record) addSMS(m SMS) {
	r.sms = append(r.sms, m)
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *record) addRequest(req Request) {
	if len(r.requests) >= maxRecords {
		r.requests = slices.Delete(r.requests, 0, maxRecords/10)
	}
	r.requests = append(r.requests, req)
}

// SMS returns the messages that went out, oldest first, whether or not the client
// received the answer.
func (s *Server) SMS() []SMS {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log.sms)
}

// SMSTo returns the messages that went out to one Member, oldest first.
func (s *Server) SMSTo(memberID string) (to []SMS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.log.sms {
		if m.MemberID == memberID {
			to = append(to, m)
		}
	}
	return to
}

// NextSMS returns the oldest message that it has not returned before. If there is
// none, it waits for one until ctx ends.
func (s *Server) NextSMS(ctx context.Context) (SMS, error) {
	for {
		s.mu.Lock()
		if s.log.next < len(s.log.sms) {
			m := s.log.sms[s.log.next]
			s.log.next++
			s.mu.Unlock()
			return m, nil
		}
		changed := s.log.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return SMS{}, ctx.Err()
		}
	}
}

// Requests returns the requests that arrived, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log.requests)
}
