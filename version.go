package stytchb2b

// version is the library's version. Between releases, it is the next version with
// "-dev".
const version = "0.1.0-dev"

// userAgent is the default User-Agent.
const userAgent = "stytchb2b-go/" + version
