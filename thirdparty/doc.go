// Package thirdparty tests this repository with software by others: proxies and
// transports between clients and a server that counts its SMS, and Twilio's client on
// package atmostonce.
package thirdparty
