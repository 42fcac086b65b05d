// Package stytchgo tries stytchtest with what Stytch's own Go client does.
//
// The module proxy does not have that client
// (https://github.com/stytchauth/stytch-go), so its tests have a small client that
// makes the same requests and checks a JWT with the same two libraries, keyfunc
// and golang-jwt, and the same options, as of version 18.1.0. They also send on an
// atmostonce.Transport.
package stytchgo
