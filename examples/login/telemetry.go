package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/eb715825/stytchb2b"
)

// providers are where spans and metrics go.
type providers struct {
	trace.TracerProvider
	metric.MeterProvider
	shutdown func(context.Context) error
}

func noTelemetry() providers {
	return providers{nooptrace.NewTracerProvider(), noopmetric.NewMeterProvider(), func(context.Context) error { return nil }}
}

// stdoutTelemetry writes spans, and every minute metrics, as JSON.
func stdoutTelemetry(w io.Writer) (providers, error) {
	spans, err := stdouttrace.New(stdouttrace.WithWriter(w))
	if err != nil {
		return providers{}, err
	}
	metrics, err := stdoutmetric.New(stdoutmetric.WithWriter(w))
	if err != nil {
		return providers{}, err
	}
	tracing := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
	metering := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics)))
	return providers{tracing, metering, func(ctx context.Context) error {
		return errors.Join(tracing.Shutdown(ctx), metering.Shutdown(ctx))
	}}, nil
}

// http are the options of otelhttp that lead there.
func (p providers) http() []otelhttp.Option {
	return []otelhttp.Option{otelhttp.WithTracerProvider(p), otelhttp.WithMeterProvider(p)}
}

// calls traces, counts and logs the calls to Stytch. What an attempt ends with
// is in the spans of otelhttp's transport, which are children of a call's.
type calls struct {
	tracer trace.Tracer
	count  metric.Int64Counter
	logger *slog.Logger
}

func newCalls(p providers, logger *slog.Logger) (calls, error) {
	const scope = "github.com/eb715825/stytchb2b/examples/login"
	count, err := p.Meter(scope).Int64Counter("stytch.calls", metric.WithDescription("Calls to Stytch, by operation and outcome."))
	return calls{p.Tracer(scope), count, logger}, err
}

// begin is called before a call, and end after it. No number, code or token is
// in what they write, because none is in an error of the library's.
func (c calls) begin(ctx context.Context, op stytchb2b.Op) (_ context.Context, end func(error)) {
	ctx, span := c.tracer.Start(ctx, string(op))
	return ctx, func(err error) {
		defer span.End()
		outcome := attribute.String("stytch.outcome", outcomeOf(err).String())
		span.SetAttributes(outcome)
		c.count.Add(ctx, 1, metric.WithAttributes(attribute.String("stytch.operation", string(op)), outcome))
		if err == nil {
			c.logger.InfoContext(ctx, "stytch", "operation", op, "outcome", outcome.Value.AsString(), traceID(ctx))
			return
		}
		span.SetStatus(codes.Error, err.Error())
		if errorType, _ := inspect(err); errorType != "" {
			span.SetAttributes(attribute.String("error.type", string(errorType)))
		}
		c.logger.WarnContext(ctx, "stytch", "operation", op, "outcome", outcome.Value.AsString(), "error", err, traceID(ctx))
	}
}

// outcomeOf is what is known of a call.
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

// logRequests logs each request, without the query and the form.
func logRequests(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(sw, r)
		logger.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path,
			"status", sw.status, "duration", time.Since(start), traceID(r.Context()))
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// traceID is how to find the spans of a log record; nothing without tracing.
func traceID(ctx context.Context) slog.Attr {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		return slog.String("trace_id", sc.TraceID().String())
	}
	return slog.Attr{}
}
