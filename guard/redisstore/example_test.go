package redisstore_test

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

func ExampleNew() {
	hmacKey := []byte("a secret of sixteen bytes or more")
	store, err := redisstore.New(redis.NewClient(&redis.Options{Addr: "redis:6379"}), "stytchb2b", hmacKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := guard.New(guard.WithStore(store))
	fmt.Println(g != nil, err)
	// Output: true <nil>
}
