//go:build linux

package thirdparty_test

import (
	"net/http"
	"net/url"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/eb715825/stytchb2b/internal/faults"
)

// Not included: "retry-on all-retryable-errors". It makes HAProxy send a request
// twice, which no client can prevent or notice.
const haproxyConfig = `
global
	maxconn 500
defaults
	mode http
	timeout connect 2s
	timeout client 10s
	timeout server 10s
	{{.Config}}
`

var haproxyArgs = []string{"-W", "-db", "-f", "{{.File}}"}

const (
	haproxyFront = `
frontend front
	bind 127.0.0.1:{{.Port}}
	http-request set-header X-From %[src_port]
	default_backend origin
`
	haproxyTLS = `
frontend front
	bind 127.0.0.1:{{.Port}} ssl crt {{.PEM}} alpn h2,http/1.1
	http-request set-header X-From %[src_port]
	default_backend origin
`
	haproxyBack = `
backend origin
	server origin {{.Origin}}
`
)

func TestHAProxy(t *testing.T) {
	t.Parallel()
	reload := func(p *program) { p.signal(syscall.SIGUSR2) }
	runAll(t, "haproxy", haproxyConfig, []scenario{
		{name: "no fault", config: haproxyFront + haproxyBack},
		{name: "no fault, TLS", config: haproxyTLS + haproxyBack, tls: true},

		{name: "403 instead of the answer", config: haproxyFront + haproxyBack + "	http-response deny deny_status 403", statuses: []int{403}, sent: true},
		{name: "429 instead of the answer", config: haproxyFront + haproxyBack + "	http-response deny deny_status 429 hdr Retry-After 0", statuses: []int{429}, sent: true},
		{name: "403 with the body of the answer", config: haproxyFront + haproxyBack + "	http-response set-status 403", statuses: []int{403}, sent: true},
		{name: "307 instead of the answer", config: haproxyFront + haproxyBack + "	http-response redirect location " + faults.SendPath + " code 307", statuses: []int{307}, sent: true},
		{name: "429 before the origin", config: haproxyFront + "	http-request deny deny_status 429 hdr Retry-After 0 if { rand(2) eq 0 }" + haproxyBack, statuses: []int{429}, unsent: true},
		{name: "full queue", config: haproxyFront + "backend origin\n	timeout queue 1ms\n	server origin {{.Origin}} maxconn 1", fault: slow, statuses: []int{503}, unsent: true},

		{name: "origin hangs", config: "timeout server 50ms\n" + haproxyFront + haproxyBack, fault: hangs, statuses: []int{504}, sent: true},
		{name: "origin hangs, 302 to a page of regret", config: "timeout server 50ms\n	errorloc302 504 https://sorry.example.com/\n" + haproxyFront + haproxyBack, fault: hangs, statuses: []int{302}, sent: true},
		{name: "origin resets", config: haproxyFront + haproxyBack, fault: resets, chance: 0.3, sent: true},
		// On a reused connection to the origin, HAProxy 2.6 turns it into
		// REFUSED_STREAM, after which net/http sends the request again.
		{name: "origin resets, TLS", config: haproxyTLS + haproxyBack, tls: true, fault: resets, chance: 0.3, sent: true},
		{name: "origin hangs, TLS", config: "timeout server 50ms\n" + haproxyTLS + haproxyBack, tls: true, fault: hangs, statuses: []int{504}, sent: true},
		{name: "canceled, TLS", config: haproxyTLS + haproxyBack, tls: true, canceled: true, fault: slower, sent: true},
		{name: "connections are closed that are idle for 1 ms", config: "option http-keep-alive\n	timeout http-keep-alive 1ms\n" + haproxyFront + haproxyBack, connections: atOnce},
		{name: "TLS connections are closed that are idle for 1 ms", config: "timeout http-keep-alive 1ms\n" + haproxyTLS + haproxyBack, tls: true, connections: 2},
		{name: "reload", config: haproxyFront + haproxyBack, event: reload, fault: slow, connections: atOnce},
		{name: "reload, TLS", config: haproxyTLS + haproxyBack, tls: true, event: reload, fault: slow, connections: 2},
		{name: "reload that ends requests", config: "global\n	hard-stop-after 1ms\n" + haproxyFront + haproxyBack, event: reload, fault: slow, sent: true},
		{name: "reload that ends requests, TLS", config: "global\n	hard-stop-after 1ms\n" + haproxyTLS + haproxyBack, tls: true, event: reload, fault: slow, sent: true},
	}, haproxyArgs...)
}

// TestHAProxyThroughSquid resets requests as in "origin resets, TLS", with a proxy in
// between: to send a request again, net/http asks for the connection by another name.
func TestHAProxyThroughSquid(t *testing.T) {
	t.Parallel()
	haproxy, squid := look(t, "haproxy"), look(t, "squid")
	l := newLab(t)
	l.fault, l.chance = resets, 0.3
	server := l.start(haproxy, haproxyConfig, haproxyTLS+haproxyBack, haproxyArgs)
	proxy := l.start(squid, squidConfig, squidForward, squidArgs)
	var results []faults.Result
	for range 5 { // HAProxy refuses streams on kept connections only.
		client := &http.Client{Transport: l.transport(func(t *http.Transport) {
			t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy.addr})
		})}
		results = append(results, l.Send(*sends, atOnce, false, l.clients("https://"+server.addr, client)...)...)
	}
	assert.NotZero(t, l.Check(results).SentAndFailed)
}
