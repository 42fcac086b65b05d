package stytchb2b_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The code in the READMEs is code of the examples, which is compiled and run.
func TestREADME(t *testing.T) {
	t.Parallel()
	var examples string
	for _, name := range []string{
		"example_test.go", "stytchtest/example_test.go", "atmostonce/example_test.go", "examples/quickstart/main.go",
	} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		examples += string(text)
	}
	for name, count := range map[string]int{"README.md": 3, "stytchtest/README.md": 5} {
		readme, err := os.ReadFile(name)
		require.NoError(t, err)
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
		assert.Len(t, blocks, count, name)
		for _, block := range blocks {
			assert.Contains(t, unindented(examples), unindented(block[1]), name)
		}
	}
}

func unindented(code string) string {
	return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(strings.TrimSpace(code), "")
}
