package stytchb2b_test

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The README's code is code of the examples, which is compiled and run.
func TestREADME(t *testing.T) {
	t.Parallel()
	var examples string
	for _, name := range []string{
		"example_test.go", "stytchtest/example_test.go",
		"examples/login/app.go", "examples/login/mfa.go", "examples/login/messages.go",
	} {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, "examples/login/") {
			t.Skip("examples/login, a module of its own, is not here")
		}
		require.NoError(t, err)
		examples += string(text)
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	assert.Len(t, blocks, 7)
	for _, block := range blocks {
		assert.Contains(t, unindented(examples), unindented(block[1]))
	}
}

func unindented(code string) string {
	return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(strings.TrimSpace(code), "")
}
