package stytchb2b

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// An answer is what a success of an endpoint is decoded into.
type answer interface {
	// lacks names the first field that the answer needs to be a success and does
	// not have, or returns "".
	lacks(status int) string
	keep(header http.Header, body []byte)
}

// A received holds an answer as it came, for the response that embeds it.
type received struct {
	header http.Header
	body   []byte
}

func (r *received) keep(header http.Header, body []byte) { r.header, r.body = header, body }

// RawJSON returns the body of the answer as it came, with the fields that the
// struct does not have, and with the tokens that it may hold. It is empty for a
// response that was unmarshaled from JSON.
func (r *received) RawJSON() string { return string(r.body) }

// Header returns the header of the answer. It is nil for a response that was
// unmarshaled from JSON.
func (r *received) Header() http.Header { return r.header }

// decodeAnswer decodes the body of a success. It counts as one only if it has the
// fields of Stytch's: something else may have answered.
func decodeAnswer(a *attempt, out answer) error {
	if err := decodeObject(a.body, out); err != nil {
		return err
	}
	if name := out.lacks(a.status); name != "" {
		return errors.New("the body lacks a valid " + name)
	}
	out.keep(a.header, a.body)
	return nil
}

// decodeRefusal returns the error in an answer outside 2xx, or nil if the answer
// is not a Stytch error object. Every error in Stytch's reference has these
// fields (https://stytch.com/docs/api-reference/b2b/api/errors/400).
func decodeRefusal(status int, body []byte) *refusal {
	var r refusal
	if decodeObject(body, &r) != nil || r.StatusCode != status || r.RequestID == "" || r.ErrorType == "" {
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

// decodeObject decodes a JSON object into the struct that out points to. It
// differs from package json in two ways: a name must be spelled exactly, or
// "MEMBER_ID" would override "member_id", and a field that does not fit its type
// stays zero, without harm to the others.
func decodeObject(body []byte, out any) error {
	body = bytes.Trim(body, " \t\r\n")
	switch {
	case len(body) == 0:
		return errors.New("the body is empty")
	case body[0] != '{':
		return errors.New("the body is not a JSON object")
	case !json.Valid(body):
		return errors.New("the body is not valid JSON")
	}
	decodeValue(body, reflect.ValueOf(out).Elem())
	return nil
}

// decodeValue sets v to a value, which is valid JSON, as far as it fits.
func decodeValue(value []byte, v reflect.Value) {
	// An object may have a name twice: the last one counts.
	v.SetZero()
	if value[0] == 'n' { // null
		return
	}
	if u, ok := v.Addr().Interface().(json.Unmarshaler); ok { // a time.Time
		_ = u.UnmarshalJSON(value)
		return
	}
	switch first, kind := value[0], v.Kind(); {
	case first == '{' && kind == reflect.Struct:
		fields := fieldsByName(v.Type())
		for name, rest := cutValue(value[1:]); len(name) > 0; name, rest = cutValue(rest) {
			var child []byte
			child, rest = cutValue(rest)
			if i, ok := fields[string(unquote(name))]; ok {
				decodeValue(child, v.Field(i))
			}
		}
	case first == '{' && kind == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		decodeValue(value, v.Elem())
	case first == '[' && kind == reflect.Slice:
		for child, rest := cutValue(value[1:]); len(child) > 0; child, rest = cutValue(rest) {
			v.Grow(1)
			v.SetLen(v.Len() + 1)
			decodeValue(child, v.Index(v.Len()-1))
		}
		if v.IsNil() { // It is empty.
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
	case first == '"' && kind == reflect.String:
		v.SetString(string(unquote(value)))
	case (first == 't' || first == 'f') && kind == reflect.Bool:
		v.SetBool(first == 't')
	case kind == reflect.Int:
		if n, err := strconv.Atoi(string(value)); err == nil {
			v.SetInt(int64(n))
		}
	case kind == reflect.Map:
		if json.Unmarshal(value, v.Addr().Interface()) != nil {
			v.SetZero()
		}
	}
}

// cutValue cuts the next value of an object or an array off a text that was part
// of valid JSON. The value is empty if the object or the array ends.
func cutValue(text []byte) (value, rest []byte) {
	begin, depth := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			switch {
			case i == begin:
				begin++
			case depth == 0: // behind a number or a word
				return text[begin:i], text[i:]
			}
			continue
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		default:
			continue
		}
		switch {
		case depth == 0:
			return text[begin : i+1], text[i+1:]
		case depth < 0:
			return text[begin:i], text[i:]
		}
	}
	return text[begin:], nil
}

// unquote returns what a JSON string says.
func unquote(text []byte) []byte {
	plain := text[1 : len(text)-1]
	if bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		return plain
	}
	var s string
	_ = json.Unmarshal(text, &s)
	return []byte(s)
}

var structFields sync.Map // of map[string]int, by reflect.Type

// fieldsByName returns the indexes of a struct's fields by their names in JSON.
func fieldsByName(t reflect.Type) map[string]int {
	if fields, ok := structFields.Load(t); ok {
		return fields.(map[string]int)
	}
	fields := map[string]int{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("json"); name != "" {
			fields[name] = i
		}
	}
	structFields.Store(t, fields)
	return fields
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
