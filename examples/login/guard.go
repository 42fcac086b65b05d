package main

import (
	"log/slog"
	"time"

	"github.com/eb715825/stytchb2b/guard"
)

// countries are where the Members are, the first one that of numbers without a
// country code.
var countries = []string{"US", "CA"}

func newGuard(cooldown time.Duration, logger *slog.Logger) (*guard.Guard, error) {
	return guard.New(
		guard.AllowCountries(countries...),
		guard.Cooldown(cooldown),
		guard.Limit(guard.PerPhoneNumber, 10, time.Hour),
		guard.WithLogger(logger))
}
