package main

import (
	"crypto/sha256"
	"os"

	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

// countries are those of the Members' phones. A number without a country code is
// of the first one.
var countries = []string{"US", "CA"}

// newGuard makes the guard against toll fraud. It counts where the sessions are.
func newGuard(c config) (*guard.Guard, error) {
	opts := []guard.Option{guard.Recommended(countries...), guard.Cooldown(c.cooldown), guard.WithLogger(c.logger)}
	if redis, ok := c.store.(*redisStore); ok {
		key := sha256.Sum256([]byte("guard:" + os.Getenv("STYTCH_SECRET")))
		shared, err := redisstore.New(redis.client, "login:guard", key[:])
		if err != nil {
			return nil, err
		}
		opts = append(opts, guard.WithStore(shared))
	} else {
		opts = append(opts, guard.SingleProcess())
	}
	return guard.New(opts...)
}
