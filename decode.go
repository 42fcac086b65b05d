package stytchb2b

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// An answer is what a success of an endpoint is decoded into.
type answer interface {
	// exactly returns the answer behind decoys.
	exactly() any
	// lacks names the first field that the answer needs to be a success and does
	// not have, or returns "".
	lacks(status int) string
	// keep takes the header and the whole body.
	keep(header http.Header, body []byte)
}

// decodeAnswer decodes the body of a success. It counts as one only if it has the
// fields of Stytch's: something else may have answered.
func decodeAnswer(a *attempt, out answer) error {
	if err := decodeObject(a.body, out.exactly(), out); err != nil {
		return err
	}
	if name := out.lacks(a.status); name != "" {
		return errors.New("the body lacks a valid " + name)
	}
	out.keep(a.header, a.body)
	return nil
}

// lacks checks the fields that every success has.
func lacks(status, statusCode int, required ...[2]string) string {
	if statusCode != status {
		return "status_code"
	}
	for _, field := range required {
		if name, value := field[0], field[1]; value == "" {
			return name
		}
	}
	return ""
}

// decodeRefusal returns the error in an answer outside 2xx, or nil if the answer
// is not a Stytch error object. Every error in Stytch's reference has these
// fields (https://stytch.com/docs/api-reference/b2b/api/errors/400).
func decodeRefusal(status int, body []byte) *refusal {
	var r refusal
	exactly := &struct {
		decoys
		*refusal
	}{refusal: &r}
	if decodeObject(body, exactly, &r) != nil || r.StatusCode != status || r.RequestID == "" || r.ErrorType == "" {
		return nil
	}
	return &r
}

// A refusal is a Stytch error object.
type refusal struct {
	StatusCode   int       `json:"status_code"`
	RequestID    string    `json:"request_id"`
	ErrorType    ErrorType `json:"error_type"`
	ErrorMessage string    `json:"error_message"`
	ErrorURL     string    `json:"error_url"`
	// ErrorDetails are in Stytch's Go client only
	// (https://github.com/stytchauth/stytch-go).
	ErrorDetails map[string]any `json:"error_details"`
}

// Decoys stand in front of the fields that matter. Package json takes a name in
// another case for a field if none has just that name, and then the first field
// wins: a decoy takes "MEMBER_ID", which would otherwise override "member_id".
type decoys struct {
	RequestID     ignored `json:"REQUEST_ID"`
	StatusCode    ignored `json:"STATUS_CODE"`
	MemberID      ignored `json:"MEMBER_ID"`
	SessionToken  ignored `json:"SESSION_TOKEN"`
	SessionJWT    ignored `json:"SESSION_JWT"`
	MemberSession ignored `json:"MEMBER_SESSION"`
	ErrorType     ignored `json:"ERROR_TYPE"`
}

type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

// decodeObject decodes a JSON object into the struct that out points to, which
// exactly has behind decoys. A field that does not fit its type stays zero,
// without harm to the others.
func decodeObject(body []byte, exactly, out any) error {
	body = bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(body) == 0:
		return errors.New("the body is empty")
	case body[0] != '{':
		return errors.New("the body is not a JSON object")
	}
	if json.Unmarshal(body, exactly) == nil {
		return nil
	}
	if !json.Valid(body) {
		return errors.New("the body is not valid JSON")
	}
	v := reflect.ValueOf(out).Elem()
	v.SetZero()
	decodeField(body, v)
	return nil
}

// decodeField decodes what fits into v.
func decodeField(raw []byte, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(raw, &fields)
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if field, ok := fields[name]; ok && name != "" {
				decodeField(field, v.Field(i))
			}
		}
	case v.Kind() == reflect.Slice:
		var elements []json.RawMessage
		if json.Unmarshal(raw, &elements) == nil && elements != nil {
			v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
			for i, element := range elements {
				decodeField(element, v.Index(i))
			}
		}
	default:
		decoded := reflect.New(v.Type())
		if json.Unmarshal(raw, decoded.Interface()) == nil {
			v.Set(decoded.Elem())
		}
	}
}

// acceptedID returns Stytch's request ID from the body of a success, of which
// only the beginning may be there; "" if it is not there, or if the body's
// status_code says otherwise.
func acceptedID(status int, body []byte) string {
	var r refusal
	d := json.NewDecoder(bytes.NewReader(body))
	if t, _ := d.Token(); t != json.Delim('{') {
		return ""
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			break
		}
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			break
		}
		switch name {
		case "request_id":
			_ = json.Unmarshal(raw, &r.RequestID)
		case "status_code":
			if json.Unmarshal(raw, &r.StatusCode) != nil || r.StatusCode != status {
				return ""
			}
		}
	}
	// Every example in Stytch's reference has this prefix.
	if !strings.HasPrefix(r.RequestID, "request-id-") {
		return ""
	}
	return r.RequestID
}
