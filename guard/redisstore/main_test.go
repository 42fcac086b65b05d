package redisstore_test

import (
	"os"
	"testing"

	"github.com/eb715825/stytchb2b/internal/leaktest"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(clickEnv); addr != "" {
		clickAway(addr)
		return
	}
	leaktest.Main(m)
}
