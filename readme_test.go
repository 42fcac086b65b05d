package stytchb2b_test

import (
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
		"example_test.go", "stytchtest/example_test.go", "examples/handler/main.go",
	} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		examples += string(text)
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	assert.Len(t, blocks, 6)
	for _, block := range blocks {
		assert.Contains(t, unindented(examples), unindented(block[1]))
	}
}

func unindented(code string) string {
	return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(strings.TrimSpace(code), "")
}
