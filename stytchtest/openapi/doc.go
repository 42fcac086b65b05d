// Package openapi checks stytchtest's answers and stytchb2b's requests against
// Stytch's OpenAPI document. Its tests need the file's name in the environment
// variable STYTCH_OPENAPI. The document is not part of this project.
package openapi
