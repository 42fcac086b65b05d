package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b"
	"github.com/eb715825/stytchb2b/stytchtest"
)

const (
	ada   = 0 // has a number
	grace = 1 // has none
	alan  = 2 // needs no second factor
)

// A fake is a Stytch, with Members to sign in as.
type fake struct {
	*stytchtest.Server
	memberIDs []string
}

func newFake(t *testing.T) *fake {
	f := &fake{Server: stytchtest.NewServer()}
	t.Cleanup(f.Close)
	f.memberIDs = []string{f.MemberID}
	f.add(t, stytchtest.Member{Name: "Grace Hopper", MFAEnrolled: true})
	f.add(t, stytchtest.Member{Name: strings.Repeat("Llanfair", 20)})
	return f
}

func (f *fake) add(t *testing.T, m stytchtest.Member) (memberID string) {
	m, err := f.AddMember(m)
	require.NoError(t, err)
	f.memberIDs = append(f.memberIDs, m.MemberID)
	return m.MemberID
}

// authenticate is the primary authentication of a Member, whoever asks for it.
func (f *fake) authenticate(r *http.Request, current login, before func(organizationID, memberID string) error) (login, error) {
	memberID := cmp.Or(r.Form.Get("member_id"), r.Form.Get("answer"))
	if err := before(f.OrganizationID, memberID); err != nil {
		return login{}, err
	}
	p, err := f.LogIn(memberID)
	if err != nil {
		return login{}, err
	}
	r.PostForm.Set("answer", p.RawJSON())
	return authenticate(r, current, func(string, string) error { return nil })
}

// A testApp is an application that runs, with a fake Stytch.
type testApp struct {
	*app
	*httptest.Server
	fake *fake
}

func newTestApp(t *testing.T, cooldown time.Duration) *testApp {
	t.Helper()
	return newFake(t).start(t, config{cooldown: cooldown})
}

// start starts an application with the fake.
func (f *fake) start(t *testing.T, c config) *testApp {
	t.Helper()
	c.newClient = func(opts ...stytchb2b.Option) (*stytchb2b.Client, error) { return f.Client(opts...), nil }
	c.authenticate, c.stytchAPI, c.guardKey = f.authenticate, stytchAPI{f.URL, f.ProjectID, f.Secret}, "a key of the guard's"
	app := serve(t, c, newApp)
	app.fake = f
	return app
}

// serve starts the application that build makes.
func serve(t *testing.T, c config, build func(context.Context, config) (*app, error)) *testApp {
	t.Helper()
	c.logger = slog.New(slog.DiscardHandler)
	a, err := build(t.Context(), c)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(a.handler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.StartTLS()
	t.Cleanup(server.Close)
	return &testApp{app: a, Server: server}
}

// A redisServer is a Redis for some processes of the application.
type redisServer struct {
	*redis.Client
	*os.Process
	url string
}

func newRedisServer(t *testing.T) redisServer {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server is here: install it (Debian: apt install redis-server)")
	}
	socket := t.TempDir() + "/redis"
	cmd := exec.CommandContext(t.Context(), path, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", t.TempDir())
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	client, err := newRedis("unix://" + socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, time.Minute, 10*time.Millisecond)
	return redisServer{client, cmd.Process, "unix://" + socket}
}

// A visitor is a browser without a screen and without scripts.
type visitor struct {
	*testing.T
	app     *testApp
	client  *http.Client
	header  http.Header
	loginID string // of the page that it shows
}

func newVisitor(t *testing.T, app *testApp) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{T: t, app: app, client: &http.Client{Transport: transport, Jar: jar, Timeout: time.Minute}, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}
}

var loginIDs = regexp.MustCompile(`name="login" value="([^"]*)"`)

// do makes a request, and returns the status and the text of the page it leads to.
func (v *visitor) do(method, path string, form url.Values) (int, string) {
	v.Helper()
	req, err := http.NewRequest(method, v.app.URL+path, strings.NewReader(form.Encode()))
	require.NoError(v, err)
	req.Header = v.header.Clone()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := v.client.Do(req)
	require.NoError(v, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(v, err)
	return resp.StatusCode, string(body)
}

// look reads the page.
func (v *visitor) look() string {
	v.Helper()
	return v.page(http.MethodGet, "/", nil)
}

// post sends a form of the page that it shows, with names and values in turn, and
// returns the page that follows.
func (v *visitor) post(path string, fields ...string) string {
	v.Helper()
	return v.page(http.MethodPost, path, v.form(fields))
}

func (v *visitor) page(method, path string, form url.Values) string {
	v.Helper()
	status, page := v.do(method, path, form)
	require.Equal(v, http.StatusOK, status, page)
	v.loginID = ""
	if id := loginIDs.FindStringSubmatch(page); id != nil {
		v.loginID = id[1]
	}
	return page
}

// form makes a form of names and values in turn.
func (v *visitor) form(fields []string) url.Values {
	form := url.Values{"login": {v.loginID}}
	for pair := range slices.Chunk(fields, 2) {
		form.Set(pair[0], pair[1])
	}
	return form
}

func (v *visitor) signIn(i int) string {
	v.Helper()
	return v.post("/sign-in", "member_id", v.app.fake.memberIDs[i])
}

// waitForButton waits until another code can be requested.
func (v *visitor) waitForButton() {
	v.Helper()
	v.waitFor(func() bool { return !strings.Contains(v.look(), " disabled ") })
}

func (v *visitor) waitFor(condition func() bool) {
	v.Helper()
	for end := time.Now().Add(time.Minute); !condition(); <-time.After(10 * time.Millisecond) {
		require.True(v, time.Now().Before(end), "a minute is over")
	}
}

// token is the session's in the browser.
func (v *visitor) token() string {
	base, err := url.Parse(v.app.URL)
	require.NoError(v, err)
	for _, c := range v.client.Jar.Cookies(base) {
		return c.Value
	}
	return ""
}

// with is another browser that has got hold of the token.
func (v *visitor) with(token string) *visitor {
	other := newVisitor(v.T, v.app)
	other.header.Set("Cookie", "__Host-login="+token)
	return other
}

var (
	noticeElement = regexp.MustCompile(`<p id="(?:notice|error)"[^>]*>(.*?)</p>`)
	tags          = regexp.MustCompile(`<span class="hidden">.*?</span>|<[^>]*>`)
)

// noticeOf returns the notice on a page, or the error at its field, or "".
func noticeOf(page string) string {
	if m := noticeElement.FindStringSubmatch(page); m != nil {
		return html.UnescapeString(tags.ReplaceAllString(m[1], ""))
	}
	return ""
}

// titleOf returns the title of a page, without the name of the company.
func titleOf(page string) string {
	return regexp.MustCompile(`<title>(.*?) – `).FindStringSubmatch(page)[1]
}
