// Package intermediaries holds tests only: they put real proxies and other
// people's transports between clients and a server that counts the SMS it sends,
// and check what the clients promise against that count.
package intermediaries
