package main

import (
	"crypto/sha256"

	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

// countries are where the Members are, the first one that of numbers without a
// country code.
var countries = []string{"US", "CA"}

// newGuard counts where the sessions are kept. The secret names what it counts.
func newGuard(c config, secret string) (*guard.Guard, error) {
	opts := []guard.Option{
		guard.Recommended(countries...),
		guard.Cooldown(c.cooldown),
		guard.WithLogger(c.logger),
	}
	if s, ok := c.store.(*redisStore); ok {
		key := sha256.Sum256([]byte("guard:" + secret))
		shared, err := redisstore.New(s.client, "login:guard", key[:])
		if err != nil {
			return nil, err
		}
		opts = append(opts, guard.WithStore(shared))
	}
	return guard.New(opts...)
}
