package main

import (
	"context"
	"crypto/tls"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
	f.add(t, stytchtest.Member{Name: "Grace Hopper", EmailAddress: "grace@example.com", MFAEnrolled: true})
	f.add(t, stytchtest.Member{Name: "Alan Turing", EmailAddress: "alan@example.com"})
	return f
}

func (f *fake) add(t *testing.T, m stytchtest.Member) string {
	t.Helper()
	m, err := f.AddMember(m)
	require.NoError(t, err)
	f.memberIDs = append(f.memberIDs, m.MemberID)
	return m.MemberID
}

// authenticate believes everyone, as a primary authentication that went well.
func (f *fake) authenticate(r *http.Request, current *login) (l login, err error) {
	if l = *current; l.SignedIn != nil && l.MemberID == r.PostForm.Get("member_id") {
		return l, nil
	}
	p, err := f.LogIn(r.PostForm.Get("member_id"))
	l = login{OrganizationID: p.OrganizationID, MemberID: p.MemberID, IntermediateSessionToken: p.IntermediateSessionToken}
	if mfa := p.MFARequired; mfa != nil {
		l.Sent = mfa.SecondaryAuthInitiated != ""
		l.LastFour = lastFour(mfa.MemberOptions.MFAPhoneNumber)
		l.NeedsNumber = l.LastFour == ""
	} else if err == nil {
		l.SignedIn = newSignedIn(p.SessionToken, p.Member, p.Organization, *p.MemberSession)
	}
	return l, err
}

// A testApp is an application that runs, by default over https with a fake Stytch.
type testApp struct {
	*app
	*httptest.Server
	fake *fake
}

func newTestApp(t *testing.T, cooldown time.Duration) *testApp {
	t.Helper()
	return startApp(t, config{cooldown: cooldown}, (*httptest.Server).StartTLS)
}

func startApp(t *testing.T, c config, start func(*httptest.Server)) *testApp {
	t.Helper()
	return newFake(t).start(t, c, start)
}

// start starts the application with the fake.
func (f *fake) start(t *testing.T, c config, start func(*httptest.Server)) *testApp {
	t.Helper()
	c.newClient = func(opts ...stytchb2b.Option) (*stytchb2b.Client, error) { return f.Client(opts...), nil }
	c.authenticate = f.authenticate
	app := serve(t, c, func(_ context.Context, c config) (*app, error) { return newApp(c) }, start)
	app.fake = f
	return app
}

// serve starts the application that application makes.
func serve(t *testing.T, c config, application func(context.Context, config) (*app, error), start func(*httptest.Server)) *testApp {
	t.Helper()
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	if c.store == nil {
		c.store = newMemoryStore()
	}
	a, err := application(t.Context(), c)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(a.handler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	start(server)
	t.Cleanup(server.Close)
	return &testApp{app: a, Server: server}
}

// A redisServer is a Redis for some processes of the application.
func redisServer(t *testing.T) string {
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
	return "unix://" + socket
}

func redisStoreOf(t *testing.T, url string) *redisStore {
	t.Helper()
	s, err := newRedisStore(url, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.client.Close() })
	require.Eventually(t, func() bool { return s.client.Ping(t.Context()).Err() == nil }, time.Minute, 10*time.Millisecond)
	return s
}

// A visitor is a browser without a screen and without scripts.
type visitor struct {
	*testing.T
	app    *testApp
	client *http.Client
	header http.Header
	pageID string // of the page that it shows
}

func newVisitor(t *testing.T, app *testApp) *visitor {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: app.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{T: t, app: app, client: &http.Client{Transport: transport, Jar: newJar(t)}, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}
}

func newJar(t *testing.T) http.CookieJar {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return jar
}

var pageIDs = regexp.MustCompile(`name="page" value="([^"]*)"`)

// do makes a request, and returns the status and the text of the page it leads to.
func (v *visitor) do(method, path string, form url.Values) (int, string) {
	v.Helper()
	req, err := http.NewRequestWithContext(v.Context(), method, v.app.URL+path, strings.NewReader(form.Encode()))
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
	status, page := v.do(http.MethodGet, "/", nil)
	require.Equal(v, http.StatusOK, status, page)
	v.pageID = pageIDs.FindStringSubmatch(page)[1]
	return page
}

// post sends a form of the page that it shows, and returns the page that follows.
func (v *visitor) post(path string, fields ...string) string {
	v.Helper()
	status, page := v.do(http.MethodPost, path, v.form(fields))
	require.Equal(v, http.StatusOK, status, page)
	v.pageID = pageIDs.FindStringSubmatch(page)[1]
	return page
}

// form makes a form of names and values in turn.
func (v *visitor) form(fields []string) url.Values {
	form := url.Values{}
	if v.pageID != "" {
		form.Set("page", v.pageID)
	}
	for pair := range slices.Chunk(fields, 2) {
		form.Set(pair[0], pair[1])
	}
	return form
}

func (v *visitor) signIn(i int) string {
	v.Helper()
	v.look()
	return v.post("/sign-in", "member_id", v.app.fake.memberIDs[i])
}

// waitForButton waits until another code can be requested.
func (v *visitor) waitForButton() {
	v.Helper()
	require.Eventually(v, func() bool { return !strings.Contains(v.look(), " disabled ") }, time.Minute, time.Millisecond)
}

// token is the session's in the browser.
func (v *visitor) token() string {
	base, err := url.Parse(v.app.URL)
	require.NoError(v, err)
	for _, c := range v.client.Jar.Cookies(base) {
		if c.Name == "__Host-login" {
			return c.Value
		}
	}
	return ""
}

// with is another browser that has got hold of the token.
func (v *visitor) with(token string) *visitor {
	other := newVisitor(v.T, v.app)
	base, err := url.Parse(v.app.URL)
	require.NoError(v, err)
	other.client.Jar.SetCookies(base, []*http.Cookie{{Name: "__Host-login", Value: token, Path: "/", Secure: true}})
	return other
}

// once sends a form without following where it leads, and returns the token that
// comes back, or "".
func (v *visitor) once(path string, form url.Values) string {
	req, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.app.URL+path, strings.NewReader(form.Encode()))
	if !assert.NoError(v, err) {
		return ""
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.AddCookie(&http.Cookie{Name: "__Host-login", Value: v.token()})
	resp, err := v.client.Transport.RoundTrip(req)
	if !assert.NoError(v, err) {
		return ""
	}
	defer resp.Body.Close()
	assert.Equal(v, http.StatusSeeOther, resp.StatusCode)
	for _, c := range resp.Cookies() {
		if c.Name == "__Host-login" {
			return c.Value
		}
	}
	return ""
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

func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}
