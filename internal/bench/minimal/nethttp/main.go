// Command nethttp is the same program with only net/http.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/eb715825/stytchb2b/internal/byhand"
)

func main() {
	client := byhand.Client{
		HTTP:      http.DefaultClient,
		BaseURL:   "https://test.stytch.com",
		ProjectID: os.Getenv("STYTCH_PROJECT_ID"),
		Secret:    os.Getenv("STYTCH_SECRET"),
		Timeout:   10 * time.Second,
	}
	var answer struct {
		StatusCode int    `json:"status_code"`
		RequestID  string `json:"request_id"`
	}
	err := client.Send(context.Background(), map[string]string{"organization_id": os.Args[1], "member_id": os.Args[2]}, &answer)
	fmt.Println(answer, err)
}
