package redisstore_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "redis:6379", ContextTimeoutEnabled: true})
	defer client.Close()
	hmacKey := []byte("a secret of sixteen bytes or more")
	store, err := redisstore.New(client, "stytchb2b", hmacKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := guard.New(guard.Recommended("US", "CA"), guard.WithStore(store))
	fmt.Println(g != nil, err)
	// Output: true <nil>
}

func ExampleNew_cluster() {
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 []string{"redis-1:6379", "redis-2:6379", "redis-3:6379"},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	store, err := redisstore.New(client, "stytchb2b", []byte("a secret of sixteen bytes or more"))
	fmt.Println(store != nil, err)
	// Output: true <nil>
}

// A redisLog writes what go-redis says of itself, such as that a connection broke.
type redisLog struct{ *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.WarnContext(ctx, "redis: "+fmt.Sprintf(format, v...))
}

// What go-redis says of itself goes to slog, not to stderr.
func Example_logger() {
	redis.SetLogger(redisLog{slog.Default()})
	// Output:
}
