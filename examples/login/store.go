package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"
)

// A store holds what requests share: the sessions, and values by key.
type store interface {
	scs.CtxStore
	// lock waits until nobody else holds the lock of key.
	lock(ctx context.Context, key string) (unlock func(), err error)
}

// load returns the value of key; the zero value if there is none.
func load[T any](ctx context.Context, s store, key string) (value T, err error) {
	text, found, err := s.FindCtx(ctx, key)
	if err == nil && found {
		err = json.Unmarshal(text, &value)
	}
	return value, err
}

// keep sets the value of key.
func keep(ctx context.Context, s store, key string, value any, until time.Time) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.CommitCtx(ctx, key, text, until)
}

// A memoryStore is for one process, and ends with it.
type memoryStore struct {
	*memstore.MemStore
	held sync.Map // by key, a channel that is closed when the lock is released
}

func newMemoryStore() *memoryStore { return &memoryStore{MemStore: memstore.New()} }

func (s *memoryStore) lock(ctx context.Context, key string) (unlock func(), err error) {
	mine := make(chan struct{})
	for {
		held, isHeld := s.held.LoadOrStore(key, mine)
		if !isHeld {
			return func() {
				s.held.Delete(key)
				close(mine)
			}, nil
		}
		select {
		case <-held.(chan struct{}):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *memoryStore) FindCtx(_ context.Context, key string) ([]byte, bool, error) {
	return s.Find(key)
}

func (s *memoryStore) CommitCtx(_ context.Context, key string, value []byte, until time.Time) error {
	return s.Commit(key, value, until)
}

func (s *memoryStore) DeleteCtx(_ context.Context, key string) error { return s.Delete(key) }

// A redisStore is for all processes that use the same Redis.
type redisStore struct {
	*goredisstore.RedisStore
	client *redis.Client
}

// lockLifetime ends the lock of a process that died. No request takes as long.
const lockLifetime = time.Minute

func newRedisStore(url string, logger *slog.Logger) (*redisStore, error) {
	opts, err := redis.ParseURL(url)
	if err != nil { // which may hold the password
		return nil, errors.New("REDIS_URL must be a URL such as redis://user:password@host:6379/0")
	}
	redis.SetLogger(redisLog{logger})
	client := redis.NewClient(opts)
	return &redisStore{goredisstore.NewWithPrefix(client, "login:"), client}, nil
}

// A redisLog has what go-redis would write to stderr. A request that fails is
// logged without it, too.
type redisLog struct{ *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.DebugContext(ctx, "redis", "message", fmt.Sprintf(format, v...))
}

func (s *redisStore) lock(ctx context.Context, key string) (unlock func(), err error) {
	lock, err := redislock.Obtain(ctx, s.client, "login:lock:"+key, lockLifetime, &redislock.Options{
		RetryStrategy: redislock.LinearBackoff(20 * time.Millisecond),
	})
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Release(context.WithoutCancel(ctx)) }, nil // If not, it ends by itself.
}
