package stytchb2b

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"
)

// decode decodes a JSON object. A field of the wrong type stays zero, and the
// others are decoded.
func decode(body []byte, out any) error {
	switch text := bytes.TrimLeft(body, " \t\r\n"); {
	case len(text) == 0:
		return errors.New("the body is empty")
	case text[0] != '{':
		return errors.New("the body is not a JSON object")
	}
	switch json.Unmarshal(body, out).(type) {
	case nil, *json.UnmarshalTypeError: // It comes after the other fields were decoded.
		return nil
	case *json.SyntaxError:
		return errors.New("the body is not valid JSON")
	}
	// A malformed time has ended the decoding.
	var object any
	_ = json.Unmarshal(body, &object)
	body, _ = json.Marshal(withoutOddTimes(object, reflect.TypeOf(out)))
	_ = json.Unmarshal(body, out)
	return nil
}

// withoutOddTimes returns a decoded JSON value with null for each time that a
// variable of type t cannot hold.
func withoutOddTimes(value any, t reflect.Type) any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	text, _ := value.(string)
	if t == reflect.TypeFor[time.Time]() && new(time.Time).UnmarshalText([]byte(text)) != nil {
		return nil
	}
	switch value := value.(type) {
	case []any:
		for i := 0; i < len(value) && t.Kind() == reflect.Slice; i++ {
			value[i] = withoutOddTimes(value[i], t.Elem())
		}
	case map[string]any:
		for i := 0; t.Kind() == reflect.Struct && i < t.NumField(); i++ {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			for key := range value {
				if strings.EqualFold(key, name) {
					value[key] = withoutOddTimes(value[key], t.Field(i).Type)
				}
			}
		}
	}
	return value
}

// complete returns a JSON object with the fields that body has of one. The end of
// body may be missing.
func complete(body []byte) []byte {
	fields := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(body))
	brace, err := d.Token()
	for err == nil && brace == json.Delim('{') && d.More() {
		var name json.Token
		var value json.RawMessage
		if name, err = d.Token(); err == nil {
			err = d.Decode(&value)
		}
		if err == nil {
			fields[name.(string)] = value
		}
	}
	object, _ := json.Marshal(fields)
	return object
}
