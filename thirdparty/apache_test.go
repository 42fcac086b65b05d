//go:build linux

package thirdparty_test

import (
	"os"
	"testing"
)

// apacheModules is where Debian keeps Apache's modules.
const apacheModules = "/usr/lib/apache2/modules"

const apacheConfig = `
ServerName localhost
Listen 127.0.0.1:{{.Port}}
PidFile {{.Dir}}/pid
ErrorLog /dev/stderr
LogLevel warn
DefaultRuntimeDir {{.Dir}}
{{if .Root}}
User #65534
Group #65534
{{end}}
LoadModule mpm_event_module ` + apacheModules + `/mod_mpm_event.so
LoadModule authz_core_module ` + apacheModules + `/mod_authz_core.so
LoadModule headers_module ` + apacheModules + `/mod_headers.so
LoadModule proxy_module ` + apacheModules + `/mod_proxy.so
LoadModule proxy_http_module ` + apacheModules + `/mod_proxy_http.so
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
Mutex file:{{.Dir}} default
KeepAlive On
RequestHeader set X-From expr=%{REMOTE_PORT}
{{.Config}}
`

const (
	apachePass        = "ProxyPass / http://{{.Origin}}/\n"
	apacheImpatient   = "ProxyPass / http://{{.Origin}}/ timeout=1\n" // There is no shorter one.
	apacheModSecurity = `
LoadModule unique_id_module ` + apacheModules + `/mod_unique_id.so
LoadModule security2_module ` + apacheModules + `/mod_security2.so
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType application/json
SecTmpDir {{.Dir}}
SecDataDir {{.Dir}}
`
)

func TestApache(t *testing.T) {
	t.Parallel()
	runAll(t, "apache2", apacheConfig, []scenario{
		{name: "no fault", config: apachePass},
		{name: "origin hangs", config: apacheImpatient, fault: hangs, chance: 0.1, sent: true},
		// On a client's reused connection, Apache closes it instead of answering.
		{name: "origin resets", config: apachePass, fault: resets, chance: 0.3, sent: true},
		{name: "a connection is closed after 3 requests", config: "MaxKeepAliveRequests 3\n" + apachePass, connections: atOnce},
	}, "-DFOREGROUND", "-f", "{{.File}}")
}

func TestModSecurity(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(apacheModules + "/mod_security2.so"); err != nil {
		t.Skip("there is no ModSecurity here")
	}
	const (
		leak    = `SecRule RESPONSE_BODY "@contains request_id" "id:1,phase:4,deny,status:403"`
		drop    = `SecRule RESPONSE_BODY "@contains request_id" "id:1,phase:4,drop"`
		request = `SecRule REQUEST_URI "@contains send" "id:1,phase:2,deny,status:403"`
	)
	runAll(t, "apache2", apacheConfig, []scenario{
		{name: "403 for the answer's body", config: apacheModSecurity + leak + "\n" + apachePass, statuses: []int{403}, sent: true},
		{name: "the connection is dropped for the answer's body", config: apacheModSecurity + drop + "\n" + apachePass, sent: true},
		{name: "403 for the request", config: apacheModSecurity + request + "\n" + apachePass, statuses: []int{403}, unsent: true},
	}, "-DFOREGROUND", "-f", "{{.File}}")
}
