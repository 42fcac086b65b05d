package main

import (
	"context"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

const (
	notDone = "Something went wrong. Nothing was changed or sent. Please try again in a minute."
	notSure = "We are not sure that this worked. Go back and check before you try again."
)

func redisApp(t *testing.T) (*testApp, redisServer) {
	server := newRedisServer(t)
	return newFake(t).start(t, config{cooldown: time.Minute, redis: server.Client}), server
}

// While Redis does not answer, a stranger sees the sign-in as ever. Whoever has a
// session learns within seconds that nothing was done.
func TestStoppedRedis(t *testing.T) {
	t.Parallel()
	app, server := redisApp(t)
	v := newVisitor(t, app)
	v.signIn(ada)
	require.NoError(t, server.Signal(syscall.SIGSTOP))
	v.client.Timeout = 8 * time.Second
	assert.Equal(t, "Sign in", titleOf(v.with("").look()))
	for _, request := range [][2]string{{http.MethodGet, "/"}, {http.MethodPost, "/code"}} {
		status, page := v.do(request[0], request[1], v.form([]string{"code", app.fake.SMS()[0].Code}))
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Contains(t, page, notDone)
	}
	require.NoError(t, server.Signal(syscall.SIGCONT))
	assert.Empty(t, app.fake.Requests())
	v.waitFor(func() bool { status, _ := v.do(http.MethodGet, "/", nil); return status == http.StatusOK })
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
}

// Redis without memory uses up no code and no sign-in.
func TestRedisOutOfMemory(t *testing.T) {
	t.Parallel()
	app, server := redisApp(t)
	v := newVisitor(t, app)
	v.signIn(ada)
	require.NoError(t, server.ConfigSet(t.Context(), "maxmemory", "1").Err())
	for path, field := range map[string][]string{"/code": {"code", app.fake.SMS()[0].Code}, "/resend": nil} {
		status, page := v.do(http.MethodPost, path, v.form(field))
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Contains(t, page, notDone)
	}
	status, _ := v.with("").do(http.MethodPost, "/sign-in", v.form([]string{"member_id", app.fake.memberIDs[grace]}))
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Empty(t, app.fake.Requests())
	assert.Len(t, app.fake.SMS(), 1)
	require.NoError(t, server.ConfigSet(t.Context(), "maxmemory", "0").Err())
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", app.fake.SMS()[0].Code)))
}

// If Redis goes while an SMS goes out, the page does not say that nothing was done.
func TestRedisGoesMeanwhile(t *testing.T) {
	t.Parallel()
	app, server := redisApp(t)
	v := newVisitor(t, app)
	v.signIn(grace)
	app.fake.Fail(stytchtest.Fault{Delay: time.Second, Processed: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	gone := make(chan error, 1)
	go func() {
		_, err := app.fake.NextSMS(ctx)
		_ = server.Kill()
		gone <- err
	}()
	status, page := v.do(http.MethodPost, "/number", v.form([]string{"mfa_phone_number", "2025550123"}))
	require.NoError(t, <-gone)
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Contains(t, page, notSure)
	assert.NotEmpty(t, v.token(), "the browser keeps its session")
}
