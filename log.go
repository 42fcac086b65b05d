package stytchb2b

import (
	"context"
	"log/slog"
	"time"
)

// log writes the records of a call that has ended: one of its last attempt, if it
// made any, and one of itself.
func (c *call) log(ctx context.Context, err error) {
	if c.client == nil || c.client.logger == nil {
		return
	}
	outcome := OutcomeNotApplied
	if c.last != nil {
		c.logAttempt(ctx, err, 0)
		outcome = c.outcome()
	}
	level := slog.LevelDebug
	if err != nil {
		level = slog.LevelWarn
	}
	c.write(ctx, level, "stytchb2b: call", time.Since(c.start), outcome, err, slog.Int("attempts", c.attempts))
}

// logAttempt writes a record of the last attempt. A wait of more than 0 comes
// before the next one.
func (c *call) logAttempt(ctx context.Context, err error, wait time.Duration) {
	if c.client.logger == nil {
		return
	}
	attrs := []slog.Attr{slog.Int("attempt", c.attempts)}
	if wait > 0 {
		attrs = append(attrs, slog.Duration("wait", wait))
	}
	c.write(ctx, slog.LevelDebug, "stytchb2b: attempt", c.last.took, c.last.outcome, err, attrs...)
}

func (c *call) write(ctx context.Context, level slog.Level, msg string, took time.Duration, outcome Outcome, err error, more ...slog.Attr) {
	logger := c.client.logger
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := append([]slog.Attr{
		slog.String("op", string(c.endpoint.op)),
		slog.Duration("duration", took),
		slog.String("outcome", outcome.String()),
	}, more...)
	if c.last != nil && c.last.status != 0 {
		attrs = append(attrs, slog.Int("status", c.last.status))
	}
	if id := c.requestID(); id != "" {
		attrs = append(attrs, slog.String("request_id", oneLine(id)))
	}
	if err != nil {
		text := err.Error()
		if c.last == nil { // It may be a guard's. The others are masked.
			text = c.secrets().mask(text)
		}
		attrs = append(attrs, slog.String("error", text))
	}
	logger.LogAttrs(ctx, level, msg, attrs...)
}

// requestID returns the request ID of the last answer, if it is from Stytch.
func (c *call) requestID() string {
	switch a := c.last; {
	case a == nil:
		return ""
	case a.refusal != nil:
		return a.refusal.RequestID
	default:
		return acceptedID(a.status, a.body)
	}
}
