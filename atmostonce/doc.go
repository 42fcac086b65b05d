// Package atmostonce sends an HTTP request at most once, and reports whether a
// request that ended with an error may have been sent.
//
// Some requests must not be repeated: they charge a card, send an SMS, or place
// an order, and the API has no idempotency key. When such a request fails, a
// retry may do it twice, and giving up may leave it undone. Often, though, the
// client can know that nothing was sent: the server refused the connection, for
// example. Then a retry is safe, and the user can be told so.
//
// Put a [Transport] under the http.Client that makes the requests:
//
//	client := &http.Client{Transport: &atmostonce.Transport{}}
//	resp, err := client.Post(url, "application/json", body)
//	switch {
//	case err == nil:
//		// The server, or something on the way to it, has answered.
//	case atmostonce.MaybeSent(err):
//		// Nobody knows. Do not send it again without asking the user.
//	default:
//		// Nothing was sent.
//	}
//
// # What proves that nothing was sent
//
// A request was certainly not sent if a connection was asked for and none was
// handed over: the name could not be resolved, the server or a proxy refused, the
// TLS handshake failed, or time ran out before. A request that net/http itself
// refuses, such as for a bad header, was not sent either. After the handover, a
// header may have left, and a header is enough for some servers to act on (POST
// /charges/1/capture).
//
// An attempt that is over stays over. If a circuit breaker returned early, for
// instance, a connection that comes later is closed.
//
// # Prior art
//
// gRPC calls a repeat of what never left the client a [transparent retry]. Azure
// Cosmos DB's client records a RequestSentStatus for the same purpose, and Solr's
// throws a RequestNotSentException. reactor-netty retries once if a connection ends
// before it has sent the request
// (https://github.com/reactor/reactor-netty/pull/1183). net/http repeats a POST if it
// has written nothing of it (https://go.dev/issue/15723), or if it has an
// Idempotency-Key (https://go.dev/issue/19943), but its errors do not show what was
// sent (https://go.dev/issue/44844).
//
// Some repeat more than that:
//
//   - Most retry loops repeat a POST after any error, or after a 5xx.
//   - net/http repeats a POST over HTTP/2 if the server refuses the stream or goes
//     away. Some servers do so after they have acted
//     (https://github.com/haproxy/haproxy/issues/3414). A Transport prevents it. The
//     price is that more requests end as unknown when an HTTP/2 server closes idle
//     connections, or allows few streams, which the client learns after it has written
//     the first headers. A Transport's own Base speaks HTTP/1.1.
//   - A kept connection may be closed by the server just when it is used again
//     (https://go.dev/issue/22158, https://github.com/hyperium/hyper/issues/2136), and
//     many are dead after a process was frozen. Some programs repeat such a request,
//     and hope. A Transport looks at a kept HTTP/1.1 connection first, and takes
//     another one if it is dead.
//
// # What is assumed of a Base
//
// A Base that is an [*http.Transport] is known. Any other may wrap one, retry, or
// send in its own way. A Transport watches it through [net/http/httptrace], and
// assumes this:
//
//   - It sends the request with the context that it is given, or one derived from it,
//     cancel included. With [context.WithoutCancel], the request can be sent again or
//     late on an HTTP/2 connection that other requests share.
//   - What sends reports to httptrace, as net/http does: at least GotConn before it
//     writes, or WroteHeaders after it has. A Base that reports nothing at all, such
//     as a mock, gets one attempt, and each of its errors is unknown. But if one part
//     of a Base reports that it asks for a connection, and another sends and reports
//     nothing, MaybeSent can be wrong. That includes an "h2" in
//     [http.Transport.TLSNextProto] that a program has replaced.
//   - It does not repeat the request on an http.ClientConn (Go 1.26), which reports no
//     connection. There, only the use of GetBody is prevented. A POST without a body,
//     and one whose body Base has copied, is sent again.
//   - It does not make requests of its own with this one's context. Those to other
//     hosts, such as for a token, are told apart as long as the request has a body
//     that nobody has read. The dialer of an http.Transport may make some, such as to
//     resolve a name over HTTPS. One that ends after the request was sent on another
//     connection is told apart by the name in its TLS; without such names, the request
//     ends as unknown.
//   - A zero Transport below [http.DefaultTransport] needs the values of the request's
//     context. Without them it calls itself forever.
//
// # What an answer proves
//
// [MaybeSent] is about requests without an answer. An answer proves that nothing
// happened only if it is the API's own refusal, such as a 400 with the API's
// error object. A gateway answers with any status, 408, 429 and 503 among them,
// after the API has acted. A 5xx of the API itself proves nothing either. And a
// success is what the API's documentation calls one: a captive portal says 200, too.
//
// # What to watch for
//
//   - An http.Client follows 307 and 308, and sends the body again to where the
//     answer points. To forbid it, let CheckRedirect return
//     [http.ErrUseLastResponse].
//   - If an http.Client's Timeout ends a request, net/http may replace the
//     error, and MaybeSent is then true. With a deadline in the request's context,
//     MaybeSent knows more.
//   - A request may be repeated freely if its method is idempotent (RFC 9110,
//     section 9.2.2), or if it has an Idempotency-Key. A Transport does not prevent
//     it.
//   - A retry loop above a Transport sends the request again, and MaybeSent then
//     reports on the last one only. Such a loop must ask MaybeSent before each retry.
//   - A Transport cannot see a proxy on the way that repeats requests.
//
// [transparent retry]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md#transparent-retries
package atmostonce
