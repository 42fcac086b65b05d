//go:build linux

package thirdparty_test

import "testing"

const squidConfig = `
{{if .Root}}cache_effective_user nobody{{end}}
pid_filename none
access_log none
cache_log /dev/null
cache deny all
cache_mem 0 MB
coredump_dir {{.Dir}}
pinger_enable off
shutdown_lifetime 0 seconds
client_db off
workers 1
max_filedescriptors 1024
{{.Config}}
http_access allow all
`

// squidForward makes Squid the client's proxy. squidAccelerator makes it a reverse
// proxy of the origin.
const (
	squidForward = `
http_port 127.0.0.1:{{.Port}}
`
	squidAccelerator = `
http_port 127.0.0.1:{{.Port}} accel defaultsite=127.0.0.1
cache_peer 127.0.0.1 parent {{.OriginPort}} 0 no-query no-digest originserver login=PASS name=origin
cache_peer_access origin allow all
never_direct allow all
`
)

var squidArgs = []string{"-n", "squid{{.Port}}", "-N", "-d", "1", "-f", "{{.File}}"}

func TestSquid(t *testing.T) {
	t.Parallel()
	const (
		deny     = "http_reply_access deny all\n"
		redirect = "acl any src all\ndeny_info 302:https://sorry.example.com/ any\nhttp_reply_access deny any\n"
		tooLong  = "reply_body_max_size 100 bytes\n"
	)
	runAll(t, "squid", squidConfig, []scenario{
		{name: "proxy, no fault", config: squidForward, throughProxy: true},
		{name: "proxy, answers are denied", config: squidForward + deny, throughProxy: true, statuses: []int{403}, sent: true},
		{name: "proxy, answers are too long", config: squidForward + tooLong, throughProxy: true, statuses: []int{403}, sent: true},
		{name: "proxy, requests are denied", config: "http_access deny all\n" + squidForward, throughProxy: true, statuses: []int{403}, unsent: true},
		{name: "proxy, origin resets", config: squidForward, throughProxy: true, fault: resets, chance: 0.3, sent: true},
		{name: "proxy, origin hangs", config: squidForward + "read_timeout 1 second\n", throughProxy: true, fault: hangs, chance: 0.05, sent: true},
		{name: "accelerator, no fault", config: squidAccelerator},
		{name: "accelerator, answers are denied, 302", config: squidAccelerator + redirect, statuses: []int{302}, sent: true},
		{name: "accelerator, origin resets", config: squidAccelerator, fault: resets, chance: 0.3, sent: true},
	}, squidArgs...)
}
