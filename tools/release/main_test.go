package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"release": main})
}

// TestScripts runs the command in repositories that the scripts make.
func TestScripts(t *testing.T) {
	t.Parallel()
	goEnv, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Fields(string(goEnv))
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOCACHE", caches[0])
			env.Setenv("GOMODCACHE", caches[1])
			env.Setenv("GOPROXY", "off") // Nothing that a release needs is outside.
			env.Setenv("PATH", os.Getenv("PATH"))
			for _, who := range []string{"AUTHOR", "COMMITTER"} {
				env.Setenv("GIT_"+who+"_NAME", "A Maintainer")
				env.Setenv("GIT_"+who+"_EMAIL", "maintainer@example.com")
				env.Setenv("GIT_"+who+"_DATE", "2026-03-01T12:00:00+01:00")
			}
			return nil
		},
	})
}
