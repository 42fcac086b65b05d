package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// A login's spans, metrics and logs: each call to Stytch, its attempts and its
// outcome are there, and no number, code, token or secret is.
func TestTelemetry(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	reader := sdkmetric.NewManualReader()
	metering := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	tracing := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	var log lockedBuilder
	app := startTestApp(t, config{
		cooldown:  time.Minute,
		logger:    slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		providers: providers{tracing, metering, tracing.Shutdown},
	}, (*httptest.Server).Start)

	hidden := []string{"2025550123", "202 555 0123", "8765550123", "2025550006", app.fake.Secret}
	passcodes := []string{"0123456"}
	var cookies, intermediate, sessions int
	hide := func() { // what the application holds just then
		app.logins.mu.Lock()
		defer app.logins.mu.Unlock()
		for id, l := range app.logins.byID {
			hidden = append(hidden, id)
			cookies++
			if l.intermediateSessionToken != "" {
				hidden = append(hidden, l.intermediateSessionToken)
				intermediate++
			}
			if l.session != nil {
				hidden = append(hidden, l.session.SessionToken, l.session.SessionJWT)
				sessions++
			}
		}
	}

	v := newVisitor(t, app)
	v.signIn(grace)
	hide()
	v.post("/number", "mfa_phone_number", "+1 876 555 0123")
	// The first attempt is refused for the moment, the second one sends.
	app.fake.Fail(stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"0"}}})
	v.post("/number", "mfa_phone_number", "+1 202 555 0123")
	v.post("/code", "code", "0123456")
	app.fake.Fail(stytchtest.Fault{Processed: true, Reset: true})
	sms := app.fake.SMS()
	require.Len(t, sms, 1)
	v.post("/code", "code", sms[0].Code)
	passcodes = append(passcodes, sms[0].Code)

	v = newVisitor(t, app)
	v.signIn(ada)
	hide()
	sms = app.fake.SMS()
	require.Len(t, sms, 2)
	require.Contains(t, v.post("/code", "code", sms[1].Code), "You are signed in")
	passcodes = append(passcodes, sms[1].Code)
	hide()
	app.Server.Close()
	require.True(t, cookies > 0 && intermediate > 0 && sessions > 0)

	// call renders a call's span, with its attempts.
	call := func(span sdktrace.ReadOnlySpan) string {
		attribute := func(span sdktrace.ReadOnlySpan, key string) string {
			for _, kv := range span.Attributes() {
				if string(kv.Key) == key {
					return kv.Value.String()
				}
			}
			return "none"
		}
		attempts := []string{}
		for _, child := range spans.Ended() {
			if child.Parent().SpanID() == span.SpanContext().SpanID() {
				attempts = append(attempts, attribute(child, "http.response.status_code"))
			}
		}
		assert.Equal(t, attribute(span, "stytch.outcome") != "applied", span.Status().Code == codes.Error)
		return fmt.Sprintf("%s: %v, %s, %s", span.Name(), attempts, attribute(span, "stytch.outcome"), attribute(span, "error.type"))
	}
	var calls []string
	roots := map[string]bool{}
	for _, span := range spans.Ended() {
		if !span.Parent().IsValid() {
			roots[span.SpanContext().TraceID().String()] = true
		}
		if strings.HasPrefix(span.Name(), "OTPs.") {
			calls = append(calls, call(span))
			assert.True(t, span.Parent().IsValid(), "it is one of a request's")
		}
	}
	assert.Equal(t, []string{
		"OTPs.SMS.Send: [400], not applied, missing_sms_parameter",
		"OTPs.SMS.Send: [], not applied, none", // the guard's refusal
		"OTPs.SMS.Send: [429 200], applied, none",
		"OTPs.SMS.Authenticate: [400], not applied, invalid_code",
		"OTPs.SMS.Authenticate: [none], unknown, none",
		"OTPs.SMS.Send: [200], applied, none",
		"OTPs.SMS.Authenticate: [200], applied, none",
	}, calls)

	var metrics metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &metrics))
	counted := map[string]int64{}
	names := map[string]bool{}
	for _, scope := range metrics.ScopeMetrics {
		for _, m := range scope.Metrics {
			names[m.Name] = true
			if m.Name != "stytch.calls" {
				continue
			}
			for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
				operation, _ := point.Attributes.Value("stytch.operation")
				outcome, _ := point.Attributes.Value("stytch.outcome")
				counted[operation.AsString()+" "+outcome.AsString()] = point.Value
			}
		}
	}
	assert.Equal(t, map[string]int64{
		"OTPs.SMS.Send applied": 2, "OTPs.SMS.Send not applied": 2,
		"OTPs.SMS.Authenticate applied": 1, "OTPs.SMS.Authenticate not applied": 1, "OTPs.SMS.Authenticate unknown": 1,
	}, counted)
	assert.True(t, names["http.client.request.duration"])
	assert.True(t, names["http.server.request.duration"])

	// Everything that left the process.
	stubs, err := json.Marshal(tracetest.SpanStubsFromReadOnlySpans(spans.Ended()))
	require.NoError(t, err)
	metricsJSON, err := json.Marshal(metrics)
	require.NoError(t, err)
	out := string(stubs) + string(metricsJSON) + log.String()
	for _, h := range hidden {
		assert.NotContains(t, out, h)
	}
	// By chance, a passcode's digits are also within a time or an ID, or a duration.
	out = regexp.MustCompile(`"duration":\d+`).ReplaceAllString(out, "")
	for _, p := range passcodes {
		assert.Empty(t, regexp.MustCompile(`.{0,60}[^.\w]`+p+`\b`).FindString(out))
	}

	// A record of the log leads to its trace.
	for line := range strings.Lines(log.String()) {
		var record struct {
			Msg     string
			TraceID string `json:"trace_id"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		if record.Msg == "stytch" || record.Msg == "request" {
			assert.True(t, roots[record.TraceID], line)
		}
	}
	assert.Contains(t, out, `"outcome":"unknown"`)
}

// A lockedBuilder is a strings.Builder for several goroutines.
type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// otelhttp's transport passes on what the library needs to know that nothing
// was sent: an attempt without a connection is tried again, also through it.
func TestTransportIsSeenThrough(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	tracing := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	stytch := newFake()
	stytch.Close()
	stytch.URL = "http://127.0.0.1:1" // Nobody listens there.
	app := serve(t, config{
		fake:      stytch,
		cooldown:  time.Minute,
		providers: providers{tracing, sdkmetric.NewMeterProvider(), tracing.Shutdown},
	}, (*httptest.Server).Start)
	page := newVisitor(t, app).signIn(ada)
	assert.Equal(t, "We could not send the code. Please try again.", noticeOf(page))
	attempts := 0
	for _, span := range spans.Ended() {
		if span.Name() == "HTTP POST" {
			attempts++
			assert.Equal(t, codes.Error, span.Status().Code)
		}
		if span.Name() == "OTPs.SMS.Send" {
			assert.Contains(t, span.Status().Description, "no usable answer after 3 attempts")
			assert.Contains(t, span.Status().Description, "no SMS was sent")
		}
	}
	assert.Equal(t, 3, attempts)
}

func TestStdoutTelemetry(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p, err := stdoutTelemetry(&out)
	require.NoError(t, err)
	c, err := newCalls(p, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, end := c.begin(context.Background(), "OTPs.SMS.Send")
	end(nil)
	require.NoError(t, p.shutdown(context.Background()))
	assert.Contains(t, out.String(), `"Name":"OTPs.SMS.Send"`)
	assert.Contains(t, out.String(), `"Name":"stytch.calls"`)
}
