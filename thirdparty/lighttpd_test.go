//go:build linux

package thirdparty_test

import "testing"

const lighttpdConfig = `
server.bind = "127.0.0.1"
server.port = {{.Port}}
server.document-root = "{{.Dir}}"
server.upload-dirs = ( "{{.Dir}}" )
server.modules = ( "mod_proxy" )
{{.Config}}
`

const (
	lighttpdPass      = `proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => {{.OriginPort}} )) )`
	lighttpdImpatient = `proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => {{.OriginPort}}, "read-timeout" => 1 )) )`
)

func TestLighttpd(t *testing.T) {
	t.Parallel()
	runAll(t, "lighttpd", lighttpdConfig, []scenario{
		{name: "no fault", config: lighttpdPass},
		// Its shortest timeout is a second.
		{name: "origin hangs", config: lighttpdImpatient, fault: hangs, chance: 0.1, statuses: []int{504}, sent: true},
		{name: "origin resets", config: lighttpdPass, fault: resets, chance: 0.3, sent: true},
	}, "-D", "-f", "{{.File}}")
}
