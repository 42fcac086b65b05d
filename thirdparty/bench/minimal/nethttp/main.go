// Command nethttp is the same program with net/http alone.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	body, err := json.Marshal(map[string]string{"organization_id": os.Args[1], "member_id": os.Args[2]})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	req, err := http.NewRequest(http.MethodPost, "https://test.stytch.com/v1/b2b/otps/sms/send", bytes.NewReader(body))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(os.Getenv("STYTCH_PROJECT_ID"), os.Getenv("STYTCH_SECRET"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	var answer struct {
		StatusCode int    `json:"status_code"`
		RequestID  string `json:"request_id"`
	}
	fmt.Println(json.Unmarshal(text, &answer), answer, err)
}
