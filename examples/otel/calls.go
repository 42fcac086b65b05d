package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/eb715825/stytchb2b"
)

// calls traces and counts calls. It writes no phone number, code or token, because the
// library's errors contain none.
type calls struct {
	tracer trace.Tracer
	count  metric.Int64Counter
}

func newCalls(tracing trace.TracerProvider, metering metric.MeterProvider) (calls, error) {
	const scope = "github.com/eb715825/stytchb2b/examples/otel"
	count, err := metering.Meter(scope).Int64Counter("stytch.calls", metric.WithDescription("Calls to Stytch, by operation and outcome."))
	return calls{tracing.Tracer(scope), count}, err
}

// begin is called before a call, and end after it.
func (c calls) begin(ctx context.Context, op stytchb2b.Op) (_ context.Context, end func(error)) {
	ctx, span := c.tracer.Start(ctx, string(op))
	return ctx, func(err error) {
		defer span.End()
		outcome := attribute.String("stytch.outcome", outcomeOf(err).String())
		span.SetAttributes(outcome)
		c.count.Add(ctx, 1, metric.WithAttributes(attribute.String("stytch.operation", string(op)), outcome))
		if err == nil {
			return
		}
		span.SetStatus(codes.Error, err.Error())
		if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) && e.ErrorType != "" {
			span.SetAttributes(attribute.String("error.type", string(e.ErrorType)))
		}
	}
}

// outcomeOf returns the outcome of a call. Alert on "unknown".
func outcomeOf(err error) stytchb2b.Outcome {
	if err == nil {
		return stytchb2b.OutcomeApplied
	}
	if e := (*stytchb2b.APIError)(nil); errors.As(err, &e) {
		return e.Outcome
	}
	if e := (*stytchb2b.TransportError)(nil); errors.As(err, &e) {
		return e.Outcome
	}
	return stytchb2b.OutcomeNotApplied // before any I/O
}
