//go:build linux

package thirdparty_test

import (
	"syscall"
	"testing"

	"github.com/eb715825/stytchb2b/internal/faults"
)

// Not included: "proxy_next_upstream non_idempotent". It makes nginx send a request to
// a second upstream after the first failed, which no client can prevent or notice.
const nginxConfig = `
{{if .Root}}user root;{{end}}
daemon off;
worker_processes 2;
pid {{.Dir}}/pid;
error_log stderr warn;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path {{.Dir}}/body;
	proxy_temp_path {{.Dir}}/proxy;
	fastcgi_temp_path {{.Dir}}/fastcgi;
	uwsgi_temp_path {{.Dir}}/uwsgi;
	scgi_temp_path {{.Dir}}/scgi;
	proxy_set_header X-From $remote_port;
	proxy_http_version 1.1;
	proxy_set_header Connection "";
	{{.Config}}
}
`

// nginxHTTP and nginxTLS begin a server block, which the scenarios continue.
const (
	nginxHTTP = `
	upstream origin { server {{.Origin}}; keepalive 16; }
	server {
		listen 127.0.0.1:{{.Port}};
`
	nginxTLS = `
	upstream origin { server {{.Origin}}; keepalive 16; }
	server {
		listen 127.0.0.1:{{.Port}} ssl http2;
		ssl_certificate {{.PEM}};
		ssl_certificate_key {{.PEM}};
`
	nginxPass = `
		location / { proxy_pass http://origin; }
	}
`
	// The default of proxy_next_upstream is error and timeout, but not for a POST that
	// was sent.
	nginxTwo = `
	upstream origin { server {{.Origin}} max_fails=0; server {{.Origin}} max_fails=0; keepalive 16; }
	server {
		listen 127.0.0.1:{{.Port}};
`
)

func TestNginx(t *testing.T) {
	t.Parallel()
	const limit = "limit_req_zone $binary_remote_addr zone=all:1m rate=50r/s; limit_req_status 429;"
	reload := func(p *program) { p.signal(syscall.SIGHUP) }
	kill := (*program).killChildren
	impatient := func(answer string) string { return nginxHTTP + "proxy_read_timeout 50ms;" + answer + nginxPass }
	runAll(t, "nginx", nginxConfig, []scenario{
		{name: "no fault", config: nginxHTTP + nginxPass},
		{name: "no fault, TLS", config: nginxTLS + nginxPass, tls: true},

		{name: "origin hangs", config: impatient(""), fault: hangs, statuses: []int{504}, sent: true},
		{name: "origin hangs, 302 to a page of regret", config: impatient("error_page 504 =302 https://sorry.example.com/;"), fault: hangs, statuses: []int{302}, sent: true},
		{name: "origin hangs, 307 to the same address", config: impatient("error_page 504 = @again; location @again { return 307 " + faults.SendPath + "; }"), fault: hangs, statuses: []int{307}, sent: true},
		{name: "origin hangs, 429", config: impatient("error_page 504 =429 /busy; location = /busy { internal; add_header Retry-After 0 always; return 429; }"), fault: hangs, statuses: []int{429}, sent: true},
		{name: "origin hangs, 404 for want of the error page", config: impatient("root {{.Dir}}/nothing; error_page 504 = /x; location = /x { internal; }"), fault: hangs, statuses: []int{404}, sent: true},
		{name: "origin resets", config: nginxHTTP + nginxPass, fault: resets, chance: 0.3, statuses: []int{502}, sent: true},
		{name: "origin resets, TLS", config: nginxTLS + nginxPass, tls: true, fault: resets, chance: 0.3, statuses: []int{502}, sent: true},
		{name: "origin resets, two upstreams", config: nginxTwo + nginxPass, fault: resets, chance: 0.3, statuses: []int{502}, sent: true},
		{name: "403 of auth_request", config: nginxHTTP + "auth_request /auth; location = /auth { return 403; }" + nginxPass, statuses: []int{403}, unsent: true},
		{name: "too many at a time, 429", config: limit + nginxHTTP + "limit_req zone=all;" + nginxPass, statuses: []int{429}, unsent: true},

		{name: "reload", config: nginxHTTP + nginxPass, event: reload, fault: slow, connections: atOnce},
		{name: "reload, TLS", config: nginxTLS + nginxPass, tls: true, event: reload, fault: slow, connections: 3},
		{name: "killed workers", config: nginxHTTP + nginxPass, event: kill, fault: slow, sent: true},
		{name: "killed workers, TLS", config: nginxTLS + nginxPass, tls: true, event: kill, fault: slow, sent: true},
		{name: "a connection is closed after 3 requests", config: nginxHTTP + "keepalive_requests 3;" + nginxPass, connections: atOnce},
		{name: "a connection is closed after 3 requests, TLS", config: nginxTLS + "keepalive_requests 3;" + nginxPass, tls: true, connections: atOnce},
		// It announces its limit to clients, but some requests start before that.
		{name: "2 requests at a time, TLS", config: nginxTLS + "http2_max_concurrent_streams 2;" + nginxPass, tls: true},
		{name: "canceled, TLS", config: nginxTLS + nginxPass, tls: true, canceled: true, fault: slower, sent: true},
	}, "-p", ".", "-c", "{{.File}}")
}
