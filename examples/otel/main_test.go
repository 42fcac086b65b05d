package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/internal/leaktest"
	"github.com/eb715825/stytchb2b/stytchtest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, 2, strings.Count(out.String(), `"Name":"OTPs.SMS.Send"`))
	assert.Equal(t, 3, strings.Count(out.String(), `"Name":"HTTP POST"`))
	assert.Contains(t, out.String(), `"Name":"stytch.calls"`)
	assert.Contains(t, out.String(), `"Name":"http.client.request.duration"`)
}

// Each call is counted, and its span has its attempts, its outcome and Stytch's name
// of the error.
func TestCalls(t *testing.T) {
	t.Parallel()
	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	tracing := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	metering := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	transport := otelhttp.NewTransport(stytchb2b.NewBase(), otelhttp.WithTracerProvider(tracing))
	httpClient := &http.Client{Transport: transport}
	stytch := stytchtest.NewServer()
	calls, err := newCalls(tracing, metering)
	require.NoError(t, err)
	client := stytch.Client(stytchb2b.WithHTTPClient(httpClient))
	send := func(client *stytchb2b.Client, p stytchb2b.SMSSendParams, fault stytchtest.Fault) {
		stytch.Fail(fault)
		ctx, end := calls.begin(t.Context(), stytchb2b.OpSMSSend)
		_, err := client.OTPs.SMS.Send(ctx, p)
		end(err)
	}
	params := stytchb2b.SMSSendParams{OrganizationID: stytch.OrganizationID, MemberID: stytch.MemberID, MFAPhoneNumber: "+12025550106"}
	send(client, params, stytchtest.Fault{})
	send(client, params, stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"0"}}})
	send(client, params, stytchtest.Fault{Processed: true, Reset: true})
	send(client, params, stytchtest.Fault{StatusCode: 400, ErrorType: stytchb2b.ErrorTypeBillingNotVerified})
	send(client, stytchb2b.SMSSendParams{}, stytchtest.Fault{})
	stytch.Close()
	// otelhttp's transport passes on what the library needs to see that no
	// connection was made.
	nowhere, err := stytchb2b.NewClient(stytch.ProjectID, stytch.Secret, stytchb2b.WithHTTPClient(httpClient),
		stytchb2b.WithBaseURL("http://127.0.0.1:1"))
	require.NoError(t, err)
	send(nowhere, params, stytchtest.Fault{})

	var got []string
	for _, span := range spans.Ended() {
		if span.Name() != string(stytchb2b.OpSMSSend) {
			continue
		}
		attempts := []string{}
		for _, child := range spans.Ended() {
			if child.Parent().SpanID() == span.SpanContext().SpanID() {
				attempts = append(attempts, valueOf(child, "http.response.status_code"))
			}
		}
		got = append(got, fmt.Sprintf("%v %s %s", attempts, valueOf(span, "stytch.outcome"), valueOf(span, "error.type")))
		assert.Equal(t, valueOf(span, "stytch.outcome") != "applied", span.Status().Code == codes.Error)
	}
	assert.Equal(t, []string{
		"[200] applied none",
		"[429 200] applied none",
		"[none] unknown none",
		"[400] not applied billing_not_verified",
		"[] not applied none",
		"[none none none] not applied none",
	}, got)

	var metrics metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &metrics))
	counted := map[string]int64{}
	for _, point := range metrics.ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64]).DataPoints {
		outcome, _ := point.Attributes.Value("stytch.outcome")
		counted[outcome.AsString()] = point.Value
	}
	assert.Equal(t, map[string]int64{"applied": 2, "not applied": 3, "unknown": 1}, counted)
}

func valueOf(span sdktrace.ReadOnlySpan, key string) string {
	for _, kv := range span.Attributes() {
		if string(kv.Key) == key {
			return kv.Value.String()
		}
	}
	return "none"
}
