package stytchb2b

import (
	"context"
	"log/slog"
	"time"
)

// log logs the end of a call.
func (c *call) log(ctx context.Context, err error) {
	level, outcome, attempts := slog.LevelDebug, OutcomeNotApplied, 0
	if err != nil {
		level = slog.LevelWarn
	}
	if c.last != nil {
		outcome, attempts = c.last.overall, c.last.number
	}
	c.write(ctx, level, "stytchb2b: call", time.Since(c.start), outcome, c.last, err, slog.Int("attempts", attempts))
}

// logAttempt logs the end of an attempt.
func (c *call) logAttempt(ctx context.Context, a *attempt) {
	attrs := []slog.Attr{slog.Int("attempt", a.number)}
	if a.retry {
		attrs = append(attrs, slog.Duration("wait", a.wait))
	}
	c.write(ctx, slog.LevelDebug, "stytchb2b: attempt", a.took, a.outcome, a, a.err, attrs...)
}

// write writes a record with the attributes of both kinds, and more. a is nil if no
// attempt was made.
func (c *call) write(ctx context.Context, level slog.Level, msg string, took time.Duration, outcome Outcome, a *attempt, err error, more ...slog.Attr) {
	if c.client == nil || c.client.logger == nil || !c.client.logger.Enabled(ctx, level) {
		return
	}
	attrs := append([]slog.Attr{
		slog.String("op", string(c.op)),
		slog.Duration("duration", took),
		slog.String("outcome", outcome.String()),
	}, more...)
	if a != nil && a.answer.status != 0 {
		attrs = append(attrs, slog.Int("status", a.answer.status))
	}
	if a != nil && a.said.RequestID != "" {
		attrs = append(attrs, slog.String("request_id", oneLine(a.said.RequestID)))
	}
	if err != nil {
		text := err.Error()
		if a == nil { // It may come from a Guard. The others are masked already.
			text = c.secrets().mask(text)
		}
		attrs = append(attrs, slog.String("error", text))
	}
	c.client.logger.LogAttrs(ctx, level, msg, attrs...)
}
