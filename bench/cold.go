package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// cold is a Send that finds no idle connection, as most do where logins are rare,
// and many such at once, at the round-trip times of a network.
func cold() {
	chain, roots := certificates()
	var connections atomic.Int64
	answer := exampleAnswer()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{chain}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // Of connections that a burst opens and does not need.
	server.EnableHTTP2 = true
	server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { connections.Add(1); return ctx }
	server.StartTLS()
	defer server.Close()

	// transport speaks one protocol over a network of this round-trip time.
	transport := func(rtt time.Duration, http2 bool, sessions tls.ClientSessionCache, maxVersion uint16) *http.Transport {
		t := &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "stytch.example.com", ClientSessionCache: sessions, MaxVersion: maxVersion},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				time.Sleep(2 * rtt) // DNS, and TCP's handshake
				conn, err := new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
				if err != nil || rtt == 0 {
					return conn, err
				}
				return newDistant(conn, rtt/2), nil
			},
			MaxIdleConnsPerHost: 64,
			Protocols:           new(http.Protocols),
		}
		t.Protocols.SetHTTP1(!http2)
		t.Protocols.SetHTTP2(http2)
		return t
	}
	const url = "https://stytch.example.com"
	rtts := []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond, 200 * time.Millisecond}

	type way struct {
		name       string
		kept       bool
		http2      bool
		resumed    bool
		maxVersion uint16
	}
	ways := []way{
		{name: "kept connection", kept: true},
		{name: "new connection", maxVersion: tls.VersionTLS13},
		{name: "new connection, TLS session resumed", resumed: true},
		{name: "new connection, TLS 1.2", maxVersion: tls.VersionTLS12},
		{name: "new connection, TLS 1.2, session resumed", resumed: true, maxVersion: tls.VersionTLS12},
		{name: "new connection, HTTP/2", http2: true},
	}
	times := map[string][]float64{}
	for _, rtt := range rtts {
		rounds := atLength(7)
		if rtt == 0 {
			rounds = atLength(400)
		}
		sum := map[string][]float64{}
		for range rounds {
			for _, w := range ways {
				var sessions tls.ClientSessionCache
				if w.resumed {
					sessions = tls.NewLRUClientSessionCache(0)
				}
				t := transport(rtt, w.http2, sessions, w.maxVersion)
				send := byHand.make(url, t)
				if w.kept || w.resumed {
					check(send(context.Background()))
				}
				if w.resumed {
					t.CloseIdleConnections()
				}
				start := time.Now()
				check(send(context.Background()))
				sum[w.name] = append(sum[w.name], float64(time.Since(start)))
				t.CloseIdleConnections()
			}
		}
		for _, w := range ways {
			times[w.name] = append(times[w.name], median(sum[w.name]))
		}
	}
	var rows []string
	for _, w := range ways {
		row := w.name
		for i, rtt := range rtts {
			if rtt == 0 {
				row += fmt.Sprintf("|%.2f", times[w.name][0]/times["new connection"][0])
			} else {
				row += fmt.Sprintf("|%.0f ms", times[w.name][i]/float64(time.Millisecond))
			}
		}
		rows = append(rows, row)
	}
	table("One Send, by the round-trip time", "connection|0 (ratio)|20 ms|80 ms|200 ms", rows...)

	const atOnce, rtt = 64, 80 * time.Millisecond
	rows = nil
	for _, http2 := range []bool{false, true} {
		var took []float64
		most := int64(0)
		for range atLength(5) {
			t := transport(rtt, http2, nil, 0)
			connections.Store(0)
			_, all, failed := load(atOnce, atOnce, byHand.make(url, t))
			if failed > 0 {
				check(fmt.Errorf("%d of %d cold sends failed", failed, atOnce))
			}
			took = append(took, float64(all))
			most = max(most, connections.Load())
			t.CloseIdleConnections()
		}
		rows = append(rows, fmt.Sprintf("%s|%.0f ms|%d", map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[http2], median(took)/float64(time.Millisecond), most))
	}
	table(fmt.Sprintf("%d Sends at once, no connection open, %v round trip", atOnce, rtt), "protocol|all answered|connections, at most", rows...)
}

// certificates returns a server's chain, with an intermediate authority as public
// ones have, and the roots that a client trusts.
func certificates() (tls.Certificate, *x509.CertPool) {
	now := time.Now()
	make := func(serial int64, ca bool, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		check(err)
		cert := &x509.Certificate{
			SerialNumber:          big.NewInt(serial),
			Subject:               pkix.Name{CommonName: fmt.Sprint("bench ", serial)},
			DNSNames:              []string{"stytch.example.com"},
			NotBefore:             now.Add(-time.Hour),
			NotAfter:              now.Add(time.Hour),
			KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
			IsCA:                  ca,
			BasicConstraintsValid: true,
		}
		if parent == nil {
			parent, parentKey = cert, key
		}
		der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, parentKey)
		check(err)
		cert, err = x509.ParseCertificate(der)
		check(err)
		return cert, key
	}
	root, rootKey := make(1, true, nil, nil)
	intermediate, intermediateKey := make(2, true, root, rootKey)
	leaf, leafKey := make(3, false, intermediate, intermediateKey)
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, intermediate.Raw}, PrivateKey: leafKey}, roots
}

// A distant connection delays what is written and what is read, in order, as a
// link with latency and without a limit of bandwidth does.
type distant struct {
	net.Conn
	delay time.Duration
	there chan parcel
	back  *io.PipeReader
}

type parcel struct {
	due  time.Time
	data []byte
}

func newDistant(conn net.Conn, delay time.Duration) *distant {
	back, arrived := io.Pipe()
	d := &distant{Conn: conn, delay: delay, there: make(chan parcel, 1024), back: back}
	deliver := func(parcels <-chan parcel, to io.Writer) {
		for p := range parcels {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				return
			}
		}
	}
	inbound := make(chan parcel, 1024)
	go deliver(d.there, conn)
	go func() {
		deliver(inbound, arrived)
		_ = arrived.Close()
	}()
	go func() {
		defer close(inbound)
		for {
			buf := make([]byte, 16<<10)
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			inbound <- parcel{time.Now().Add(delay), buf[:n]}
		}
	}()
	return d
}

func (d *distant) Write(b []byte) (int, error) {
	d.there <- parcel{time.Now().Add(d.delay), append([]byte(nil), b...)}
	return len(b), nil
}

func (d *distant) Read(b []byte) (int, error) { return d.back.Read(b) }
