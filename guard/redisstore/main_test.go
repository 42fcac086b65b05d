package redisstore_test

import (
	"testing"

	"github.com/eb715825/stytchb2b/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
