package stytchtest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// maxRecords bounds what a Server remembers of each kind: of SMS, of requests
// and of sessions, the newest.
const maxRecords = 100_000

// An SMS is a message that a Member's phone received.
type SMS struct {
	To             string `json:"to"`     // the number, in E.164 form
	Locale         string `json:"locale"` // "en" if the request named none
	Code           string `json:"code"`   // six digits, and never 000000
	OrganizationID string `json:"organization_id"`
	MemberID       string `json:"member_id"`
	Text           string `json:"text"`
	// Automatic is whether Stytch has sent it by itself after a primary
	// authentication, and not for a Send.
	Automatic bool      `json:"automatic"`
	At        time.Time `json:"at"` // by the server's clock, in UTC
}

// A Request is one that the server received.
type Request struct {
	Method, Path string
	// Header is without the value of Authorization.
	Header http.Header
	// Body is without the values of session tokens and passwords.
	Body string
	// StatusCode is that of the answer; 0 if the connection was reset.
	StatusCode int
	At         time.Time
}

// record is what the server remembers.
type record struct {
	sms      []SMS
	next     int           // of sms, for NextSMS
	changed  chan struct{} // closed when an SMS is added, and replaced
	requests []Request
}

func (r *record) addSMS(m SMS) {
	if len(r.sms) >= maxRecords {
		r.sms = slices.Delete(r.sms, 0, maxRecords/10)
		r.next = max(0, r.next-maxRecords/10)
	}
	r.sms = append(r.sms, m)
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *record) addRequest(at time.Time, req *http.Request, body []byte, status int) {
	if len(r.requests) >= maxRecords {
		r.requests = slices.Delete(r.requests, 0, maxRecords/10)
	}
	header := req.Header.Clone()
	if header.Get("Authorization") != "" {
		header.Set("Authorization", "[redacted]")
	}
	r.requests = append(r.requests, Request{req.Method, req.URL.Path, header, redact(body), status, at})
}

// redact returns a request's body without session tokens and passwords.
func redact(body []byte) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return string(body[:min(len(body), 512)])
	}
	found := false
	for _, name := range []string{"intermediate_session_token", "session_token", "session_jwt", "password"} {
		if _, ok := object[name]; ok {
			object[name], found = json.RawMessage(`"[redacted]"`), true
		}
	}
	if found {
		body, _ = json.Marshal(object) // It was JSON before.
	}
	return string(body)
}

// SMS returns the messages that went out, the oldest first. What a client
// believes does not matter: they are all here, whatever became of the answer.
func (s *Server) SMS() []SMS {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log.sms)
}

// SMSTo returns the messages that went out to one Member, the oldest first.
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

// NextSMS returns the oldest message that it has not returned yet, and waits
// for one until ctx ends.
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

// Requests returns the requests that arrived, the oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log.requests)
}
