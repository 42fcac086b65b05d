package atmostonce_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eb715825/stytchb2b/atmostonce"
)

// An http.Client whose POSTs go out at most once.
func ExampleTransport() {
	var orders atomic.Int32
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		orders.Add(1)
		panic(http.ErrAbortHandler) // The order is placed, and the connection breaks.
	}))
	defer shop.Close()

	client := &http.Client{Transport: &atmostonce.Transport{}}
	_, err := client.Post(shop.URL, "application/json", strings.NewReader(`{"item":"umbrella"}`))
	fmt.Println("error:", err != nil)
	fmt.Println("maybe sent:", atmostonce.MaybeSent(err))
	fmt.Println("orders:", orders.Load())
	// Output:
	// error: true
	// maybe sent: true
	// orders: 1
}

// An error that says that nothing was sent.
func ExampleMaybeSent() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_ = listener.Close() // Nobody listens there now.

	client := &http.Client{Transport: &atmostonce.Transport{}}
	_, err = client.Post("http://"+listener.Addr().String(), "application/json", strings.NewReader(`{"item":"umbrella"}`))
	switch {
	case err == nil:
		fmt.Println("The shop has answered.")
	case atmostonce.MaybeSent(err):
		fmt.Println("The order may have been placed.")
	default:
		fmt.Println("The order was not placed. Try again later.")
	}
	// Output: The order was not placed. Try again later.
}

// An SDK that knows its API's refusals decides itself what to retry.
func ExampleTransport_Once() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, `{"error":"slow down"}`, http.StatusTooManyRequests)
	}))
	defer api.Close()

	transport := &atmostonce.Transport{}
	req, err := http.NewRequest(http.MethodPost, api.URL, strings.NewReader(`{"item":"umbrella"}`))
	if err != nil {
		panic(err)
	}
	retry := false
	resp, err := transport.Once(req, 5*time.Second)
	if err == nil {
		retry = resp.StatusCode == http.StatusTooManyRequests // An SDK looks at the body, too.
		_ = resp.Body.Close()
	} else {
		retry = !atmostonce.MaybeSent(err)
	}
	fmt.Println("retry:", retry)
	// Output: retry: true
}
