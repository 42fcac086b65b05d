// Package thirdparty tests this repository with software by others: proxies and
// transports between clients and a server that counts its SMS, Twilio's client on package
// atmostonce, and the libraries with which Stytch's client verifies a JWT.
package thirdparty
