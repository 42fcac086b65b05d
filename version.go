package stytchb2b

// version is the library's. A release sets it; in between, it is the next one's
// with "-dev".
const version = "0.1.0-dev"

// userAgent names the library and its version in each request.
const userAgent = "stytchb2b-go/" + version
