// Package intermediaries holds tests only: they put real proxies and other
// people's transports between a stytchb2b client and a server that counts the
// SMS it sends, and check what the client promises against that count.
package intermediaries
