//go:build linux

package thirdparty_test

import (
	"testing"

	"github.com/eb715825/stytchb2b/internal/faults"
)

// Not included: "lb_retry_match" with POST. It makes Caddy send a request twice, which
// no client can prevent or notice.
const caddyConfig = `
{
	admin off
	auto_https off
	log {
		level ERROR
	}
}
{{.Config}}
`

const (
	caddyHTTP = "http://127.0.0.1:{{.Port}} {\n"
	caddyTLS  = "https://127.0.0.1:{{.Port}} {\n	tls {{.PEM}} {{.PEM}}\n"

	caddyPass      = "	reverse_proxy {{.Origin}}\n}"
	caddyImpatient = "	reverse_proxy {{.Origin}} {\n		transport http {\n			response_header_timeout 50ms\n		}\n	}\n}"
	caddyRetries   = "	reverse_proxy {{.Origin}} {\n		lb_try_duration 200ms\n		lb_try_interval 10ms\n	}\n}"
)

func TestCaddy(t *testing.T) {
	t.Parallel()
	inPlace := func(of string) string {
		return `
	reverse_proxy {{.Origin}} {
		@ok status 2xx
		handle_response @ok {
			` + of + `
		}
	}
}`
	}
	runAll(t, "caddy", caddyConfig, []scenario{
		{name: "no fault", config: caddyHTTP + caddyPass},
		{name: "no fault, TLS", config: caddyTLS + caddyPass, tls: true},
		{name: "308 instead of the answer", config: caddyHTTP + inPlace("redir * "+faults.SendPath+" 308"), statuses: []int{308}, sent: true},
		{name: "403 instead of the answer", config: caddyHTTP + inPlace("respond Forbidden 403"), statuses: []int{403}, sent: true},
		{name: "origin hangs", config: caddyHTTP + caddyImpatient, fault: hangs, statuses: []int{504}, sent: true},
		{name: "origin resets", config: caddyHTTP + caddyPass, fault: resets, chance: 0.3, statuses: []int{502}, sent: true},
		{name: "origin resets, retried for a time, TLS", config: caddyTLS + caddyRetries, tls: true, fault: resets, chance: 0.3, statuses: []int{502}, sent: true},
		{name: "canceled, TLS", config: caddyTLS + caddyPass, tls: true, canceled: true, fault: slower, sent: true},
	}, "run", "--config", "{{.File}}", "--adapter", "caddyfile")
}
