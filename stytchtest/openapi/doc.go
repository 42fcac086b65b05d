// Package openapi checks stytchtest's answers and stytchb2b's requests against an
// OpenAPI document of Stytch's. Its tests need the file's name in the environment
// variable STYTCH_OPENAPI. The document is Stytch's, and not a part of this
// project.
package openapi
