// Package byhand makes the call with net/http, written by hand, to compare the library
// with.
package byhand

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Client makes the call.
type Client struct {
	HTTP                       *http.Client
	BaseURL, ProjectID, Secret string
	Timeout                    time.Duration // of a call
}

// A StatusError is a status other than 200.
type StatusError int

func (e StatusError) Error() string { return fmt.Sprint("HTTP ", int(e)) }

// Send makes the call once, and decodes the answer.
func (c Client) Send(ctx context.Context, params, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	text, err := json.Marshal(params)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BaseURL+"/v1/b2b/otps/sms/send", bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(c.ProjectID, c.Secret)
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return StatusError(resp.StatusCode)
	}
	return json.Unmarshal(text, answer)
}
