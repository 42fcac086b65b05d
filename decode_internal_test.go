package stytchb2b

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// FuzzDecode holds decodeObject against package json, which here decodes each
// field by itself.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{}`, " { } ", `{"a":[{"b":"\\\"}"},[],-1.5e3 , null]}`, `{"status_code":200,"request_id":"r"}`, `{"status_code":2e2}`,
		`{"member":{"name":"\u0041\ud800","is_admin":true,"is_locked":false,"roles":[{"role_id":"a","sources":[{"details":{"b":[1]}},null]}]}}`,
		`{"member":null,"member":{"created_at":"2026-05-04T03:02:01Z","updated_at":""},"m\u0065mber":{"status":"active"}}`,
		"{\"member_id\":\"\xff\",\"\xff\":1}", `{"MEMBER_ID":"x","member_id":7}`, `{"organization":{"allowed_mfa_methods":["a",7,null]}}`,
		`{"member_device":{"visitor_id":"v","ip_address_details":{"is_new":true},"visitor_id_details":"new"}}`, `{"member_device":[]}`,
		`{"member_session":{"authentication_factors":[{"type":"otp"}],"roles":[],"custom_claims":{"a":1e400}}}`, "{\"a\" : 1 ,\r\n\"status_code\"\t:200}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want SMSAuthenticateResponse
		err := decodeObject(body, &got)
		assert.Equal(t, json.Valid(body) && strings.HasPrefix(strings.TrimLeft(string(body), " \t\r\n"), "{"), err == nil)
		if err == nil {
			decodeSlowly(body, reflect.ValueOf(&want).Elem())
		}
		assert.Equal(t, want, got)
	})
}

func decodeSlowly(raw []byte, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(raw, &fields)
		for i := range v.NumField() {
			if field, ok := fields[v.Type().Field(i).Tag.Get("json")]; ok && v.Type().Field(i).IsExported() {
				decodeSlowly(field, v.Field(i))
			}
		}
	case v.Kind() == reflect.Pointer:
		if raw[0] == '{' {
			v.Set(reflect.New(v.Type().Elem()))
			decodeSlowly(raw, v.Elem())
		}
	case v.Kind() == reflect.Slice:
		var elements []json.RawMessage
		if json.Unmarshal(raw, &elements) == nil && elements != nil {
			v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
			for i, element := range elements {
				decodeSlowly(element, v.Index(i))
			}
		}
	default:
		decoded := reflect.New(v.Type())
		if json.Unmarshal(raw, decoded.Interface()) == nil {
			v.Set(decoded.Elem())
		}
	}
}
