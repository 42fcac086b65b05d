// Package thirdparty tests this repository with software by others: proxies and
// transports between clients and a server that counts its SMS, and clients of Stytch
// and Twilio that send through package atmostonce.
package thirdparty
