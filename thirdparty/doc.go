// Package thirdparty tests this repository against what others made: it puts
// proxies and transports between clients and a server that counts the SMS it
// sends, and has clients of Stytch and Twilio send on package atmostonce.
package thirdparty
