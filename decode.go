package stytchb2b

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"
)

// decode decodes a JSON object. It leaves a field of the wrong type zero, and
// decodes the others.
func decode(body []byte, out any) error {
	switch text := bytes.TrimLeft(body, " \t\r\n"); {
	case len(text) == 0:
		return errors.New("the body is empty")
	case text[0] != '{':
		return errors.New("the body is not a JSON object")
	}
	switch json.Unmarshal(body, out).(type) {
	case nil, *json.UnmarshalTypeError: // By then, the other fields are decoded.
		return nil
	case *json.SyntaxError:
		return errors.New("the body is not valid JSON")
	}
	// Decoding stopped at a malformed time.
	var object any
	_ = json.Unmarshal(body, &object)
	body, _ = json.Marshal(withoutOddTimes(object, reflect.TypeOf(out)))
	_ = json.Unmarshal(body, out)
	return nil
}

// withoutOddTimes returns a decoded JSON value with null in place of each time that
// does not fit its field in t.
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

// complete returns the complete fields of a JSON object that may be cut off.
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
