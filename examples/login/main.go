// Command login is a web application whose login has an SMS step: it sends, resends and
// verifies the code, and tells the user what to do after each failure. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "login:", err)
		os.Exit(1)
	}
}

// builder adds flags and returns the function that makes the application.
var builder = func(*flag.FlagSet) func(ctx context.Context, c config) (*app, error) { return newApp }

// run serves until ctx ends, and then finishes open requests.
func run(ctx context.Context, args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("login", flag.ContinueOnError)
	c := config{
		newClient:    stytchb2b.NewClientFromEnv,
		authenticate: authenticate,
		stytchAPI:    stytchAPI{"https://test.stytch.com", os.Getenv("STYTCH_PROJECT_ID"), os.Getenv("STYTCH_SECRET")},
		guardKey:     os.Getenv("GUARD_KEY"),
		logger:       slog.New(slog.NewTextHandler(stderr, nil)),
	}
	if strings.HasPrefix(c.stytchAPI.projectID, "project-live-") {
		c.stytchAPI.baseURL = "https://api.stytch.com"
	}
	addr := flags.String("addr", "127.0.0.1:8080", "the loopback `address` to listen on")
	flags.DurationVar(&c.cooldown, "cooldown", guard.DefaultCooldown, "the `time` between two codes for a Member")
	flags.BoolVar(&c.plainHTTP, "plain-http", false, "let cookies go over plain http, for Safari, which takes no Secure ones on localhost")
	build := builder(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if url := os.Getenv("REDIS_URL"); url != "" {
		if c.redis, err = newRedis(url); err != nil {
			return err
		}
		defer c.redis.Close()
	}
	a, err := build(ctx, c)
	if err != nil {
		return err
	}

	if to, err := netip.ParseAddrPort(*addr); err != nil || !to.Addr().IsLoopback() {
		return fmt.Errorf("-addr must be a loopback address, such as 127.0.0.1:8080, not %s: the sign-in is a stub that lets everyone in", *addr)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:        a.handler(),
		ReadTimeout:    10 * time.Second,
		WriteTimeout:   3 * stytchb2b.DefaultTimeout, // A form can make two calls to Stytch.
		IdleTimeout:    11 * time.Minute,             // longer than a load balancer's, which would send a form to a closed connection
		MaxHeaderBytes: 32 << 10,
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), server.WriteTimeout)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	})
	fmt.Fprintf(stderr, "Open http://%s/ in a browser. Ctrl-C ends it.\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// newRedis makes the client for the Redis that several processes share. Its timeouts
// are short, so that a page can report an outage quickly.
func newRedis(url string) (*redis.Client, error) {
	opts, err := redis.ParseURL(url)
	if err != nil { // The error may contain the password.
		return nil, errors.New("REDIS_URL must be a URL such as redis://user:password@host:6379/0")
	}
	opts.DialTimeout, opts.ReadTimeout, opts.DialerRetries, opts.MaxRetries = time.Second, time.Second, 1, 1
	return redis.NewClient(opts), nil
}
