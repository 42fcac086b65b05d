// A login, with the SDK, the guard and its Redis store, against the
// fakestytch that the argument names.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/guard"
	"github.com/eb715825/stytchb2b/guard/redisstore"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	err := login(ctx, os.Args[1])
	cancel()
	if err != nil {
		log.Fatal(err)
	}
}

func login(ctx context.Context, fakestytch string) error {
	dir, err := os.MkdirTemp("", "stranger-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "redis")
	server := exec.CommandContext(ctx, "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { _, _ = server.Process.Kill(), server.Wait() }()
	db := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	defer db.Close()
	for db.Ping(ctx).Err() != nil {
		if ctx.Err() != nil {
			return errors.New("redis-server does not answer")
		}
	}
	store, err := redisstore.New(db, "stytchb2b", []byte("a secret of sixteen bytes or more"))
	if err != nil {
		return err
	}
	g, err := guard.New(guard.WithStore(store))
	if err != nil {
		return err
	}

	fake := exec.CommandContext(ctx, fakestytch, "-addr", "127.0.0.1:0")
	stdout, err := fake.StdoutPipe()
	if err != nil {
		return err
	}
	if err := fake.Start(); err != nil {
		return err
	}
	defer func() { _, _ = fake.Process.Kill(), fake.Wait() }()
	lines := bufio.NewScanner(stdout)
	var stytch struct {
		URL            string `json:"url"`
		ProjectID      string `json:"project_id"`
		Secret         string `json:"secret"`
		OrganizationID string `json:"organization_id"`
		MemberID       string `json:"member_id"`
		EmailAddress   string `json:"email_address"`
		Password       string `json:"password"`
	}
	if err := next(lines, &stytch); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"organization_id": stytch.OrganizationID, "email_address": stytch.EmailAddress, "password": stytch.Password})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, stytch.URL+"/v1/b2b/passwords/authenticate", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(stytch.ProjectID, stytch.Secret)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the password: %s", answer.Status)
	}
	var primary struct {
		IntermediateSessionToken string `json:"intermediate_session_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&primary); err != nil {
		return err
	}
	var sms struct {
		Code string `json:"code"`
	}
	if err := next(lines, &sms); err != nil { // Stytch sends the first by itself.
		return err
	}

	client, err := stytchb2b.NewClient(stytch.ProjectID, stytch.Secret, stytchb2b.WithBaseURL(stytch.URL), stytchb2b.WithGuard(g))
	if err != nil {
		return err
	}
	params := stytchb2b.SMSSendParams{OrganizationID: stytch.OrganizationID, MemberID: stytch.MemberID}
	if _, err := client.OTPs.SMS.Send(ctx, params); err != nil {
		return err
	}
	if err := next(lines, &sms); err != nil {
		return err
	}
	var refused *stytchb2b.GuardError
	if _, err := client.OTPs.SMS.Send(ctx, params); !errors.As(err, &refused) || stytchb2b.MaybeSent(err) {
		return fmt.Errorf("the guard let a double click pass: %v", err)
	}
	resp, err := client.OTPs.SMS.Authenticate(ctx, stytchb2b.SMSAuthenticateParams{
		OrganizationID:           stytch.OrganizationID,
		MemberID:                 stytch.MemberID,
		Code:                     sms.Code,
		IntermediateSessionToken: primary.IntermediateSessionToken,
	})
	if err != nil {
		return err
	}
	fmt.Println("Logged in:", resp.MemberID == stytch.MemberID)
	return nil
}

// next reads a line of what fakestytch prints.
func next(lines *bufio.Scanner, into any) error {
	if !lines.Scan() {
		return errors.Join(errors.New("fakestytch says no more"), lines.Err())
	}
	return json.Unmarshal(lines.Bytes(), into)
}
