// Command otel traces and counts calls to Stytch with OpenTelemetry. It calls a fake
// Stytch in its own process twice, the second time against a rate limit, and writes the
// spans and metrics to standard output:
//
//	go run .
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"os"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) (err error) {
	spans, err := stdouttrace.New(stdouttrace.WithWriter(w))
	if err != nil {
		return err
	}
	metrics, err := stdoutmetric.New(stdoutmetric.WithWriter(w))
	if err != nil {
		return err
	}
	tracing := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
	metering := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics)))
	defer func() { err = errors.Join(err, tracing.Shutdown(ctx), metering.Shutdown(ctx)) }()

	stytch := stytchtest.NewServer()
	defer stytch.Close()

	// This adds a span and metrics for each attempt.
	transport := otelhttp.NewTransport(stytchb2b.NewBase(),
		otelhttp.WithTracerProvider(tracing), otelhttp.WithMeterProvider(metering))
	client := stytch.Client(stytchb2b.WithHTTPClient(&http.Client{Transport: transport}))
	calls, err := newCalls(tracing, metering)
	if err != nil {
		return err
	}
	params := stytchb2b.SMSSendParams{OrganizationID: stytch.OrganizationID, MemberID: stytch.MemberID}
	for _, fault := range []stytchtest.Fault{{}, {StatusCode: http.StatusTooManyRequests}} {
		stytch.Fail(fault)
		// Each call is the parent span of its attempts.
		ctx, end := calls.begin(ctx, stytchb2b.OpSMSSend)
		_, err := client.OTPs.SMS.Send(ctx, params)
		end(err)
		if err != nil {
			return err
		}
	}
	return nil
}
