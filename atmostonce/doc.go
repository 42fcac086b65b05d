// Package atmostonce sends an HTTP request at most once, and says of an error
// whether the request may have been sent.
//
// Some requests must not be repeated: they charge a card, send an SMS, or place
// an order, and the API has no idempotency key. When such a request fails,
// trying again may do it twice, and giving up may leave it undone. Often,
// though, the client can know that nothing was sent: the server refused the
// connection, say. Then another try is safe, and the user can be told so.
//
// Put a [Transport] under the http.Client that makes the requests:
//
//	client := &http.Client{Transport: &atmostonce.Transport{}}
//	resp, err := client.Post(url, "application/json", body)
//	switch {
//	case err == nil:
//		// The server, or something on the way to it, has answered.
//	case atmostonce.MaybeSent(err):
//		// Nobody knows. Do not send it again without asking.
//	default:
//		// Nothing was sent.
//	}
//
// # What proves that nothing was sent
//
// A request was certainly not sent if a connection was asked for and none was
// handed over: the name could not be resolved, the server or a proxy refused, the
// TLS handshake failed, or time ran out before. Neither was one that net/http
// refused, such as for a bad header. After the handover, a header may have left,
// and a header is enough for some servers to act on (POST /charges/1/capture).
//
// An attempt that is over stays over. A connection that it is handed too late, by
// a circuit breaker that returned early for instance, is closed.
//
// gRPC calls a repeat of what never left the client a transparent retry. Other
// clients repeat more than that:
//
//   - Most retry loops repeat a POST after any error, or after a 5xx.
//   - net/http repeats a POST over HTTP/2 if the server refuses the stream or goes
//     away. Some servers do so after they have acted
//     (https://github.com/haproxy/haproxy/issues/3414). A Transport prevents it, at
//     the price of more unknown ends when an HTTP/2 server goes away in good order.
//     Its own Base speaks HTTP/1.1.
//   - A kept connection may be closed by the server just when it is used again
//     (https://github.com/golang/go/issues/22158), and many at once are dead
//     after a process was frozen. Some programs repeat such a request, and hope.
//     A Transport looks at a kept HTTP/1.1 connection first, and takes another
//     one if it is dead.
//
// # What an answer proves
//
// [MaybeSent] speaks of requests without an answer. An answer proves that nothing
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
//     error, and MaybeSent is true then. A deadline of the request's context
//     tells more.
//   - A request may be repeated as often as one likes if its method is
//     idempotent (RFC 9110, section 9.2.2), or if it has an Idempotency-Key.
//     A Transport passes it on unchanged.
//   - What makes the request again above a Transport, as a retry loop does, sends it
//     again, and MaybeSent then speaks of the last one. Such a loop must ask
//     MaybeSent before each.
//   - What repeats a request on the way, such as a proxy that is told to, cannot
//     be seen from here.
package atmostonce
