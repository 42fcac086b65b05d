// Command login is a web application whose login has an SMS step: it sends the code,
// resends it, verifies it, and says what to do about everything that can go
// wrong. See README.md.
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
	"os"
	"os/signal"
	"syscall"
	"time"

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

// run serves until ctx ends, and then ends the requests that there are.
func run(ctx context.Context, args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("login", flag.ContinueOnError)
	flags.SetOutput(stderr)
	c := config{newClient: stytchb2b.NewClientFromEnv, authenticate: authenticate}
	var level slog.Level
	addr := flags.String("addr", "127.0.0.1:8080", "the loopback `address` to listen on")
	flags.DurationVar(&c.cooldown, "cooldown", guard.DefaultCooldown, "the `time` between two codes for a Member")
	flags.TextVar(&level, "log", slog.LevelInfo, "the least `level` to log; DEBUG has each attempt to reach Stytch")
	flags.BoolVar(&c.plainHTTP, "plain-http", false, "let cookies go over plain http, for Safari, which takes no Secure ones on localhost")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	c.logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	c.store = newMemoryStore()
	if url := os.Getenv("REDIS_URL"); url != "" {
		redis, err := newRedisStore(url, c.logger)
		if err != nil {
			return err
		}
		defer redis.client.Close()
		c.store = redis
	}
	a, err := application(ctx, c)
	if err != nil {
		return err
	}

	tcp, err := net.ResolveTCPAddr("tcp", *addr)
	if err != nil {
		return err
	}
	if !tcp.IP.IsLoopback() {
		return fmt.Errorf("-addr must be a loopback address, such as 127.0.0.1:8080, not %s: the sign-in is a stub that lets everyone in", *addr)
	}
	listener, err := net.ListenTCP("tcp", tcp)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2*lockTimeout + 2*stytchb2b.DefaultTimeout, // the longest wait of a form
		IdleTimeout:       11 * time.Minute,                           // longer than a load balancer's, which would send a form to a closed connection
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(stderr, "Open http://%s/ in a browser. Ctrl-C ends it.\n", listener.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	c.logger.Info("shutting down")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), server.WriteTimeout)
	defer cancel()
	return server.Shutdown(ctx)
}
