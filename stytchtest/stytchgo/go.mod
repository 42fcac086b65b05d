module github.com/eb715825/stytchb2b/stytchtest/stytchgo

go 1.25

require (
	github.com/MicahParks/keyfunc/v2 v2.1.0
	github.com/eb715825/stytchb2b v0.0.0
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/eb715825/stytchb2b => ../..
