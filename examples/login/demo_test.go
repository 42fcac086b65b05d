package main

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var screenshots = flag.String("screenshots", "", "write pictures of the main pages into this `directory`, which exists")

// Without the demonstration the rest builds, signs in and runs, and says nothing
// of it.
func TestWithoutDemo(t *testing.T) {
	t.Parallel()
	gone := map[string]string{}
	files, err := filepath.Glob("*demo*")
	require.NoError(t, err)
	for _, name := range files {
		gone[name] = ""
	}
	overlay, err := json.Marshal(map[string]any{"Replace": gone})
	require.NoError(t, err)
	path := t.TempDir() + "/overlay.json"
	require.NoError(t, os.WriteFile(path, overlay, 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "test", "-overlay", path, "-run", "^(TestFirstSMS|TestRun)$", ".").CombinedOutput()
	assert.NoError(t, err, string(out))
	for _, pattern := range []string{"*.go", "*.html", "static/*"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range files {
			if _, isGone := gone[name]; isGone {
				continue
			}
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "demo.", name)
			if !strings.HasSuffix(name, "_test.go") {
				assert.NotRegexp(t, `stytchtest|fake|aside`, string(text), name)
			}
		}
	}
}

func serveDemo(t *testing.T, start func(*httptest.Server)) *testApp {
	t.Setenv("STYTCH_PROJECT_ID", "")
	t.Setenv("STYTCH_SECRET", "")
	return serve(t, config{cooldown: time.Minute}, newDemo, start)
}

var (
	memberValue = regexp.MustCompile(`value="(member-[^"]*)"`)
	codeOnPhone = regexp.MustCompile(`dir="auto">[^<]*?(\d{6})`)
)

// Whoever is signing in sees their phone, and makes something go wrong for
// themselves only.
func TestDemo(t *testing.T) {
	v := newVisitor(t, serveDemo(t, (*httptest.Server).StartTLS))
	page := v.look()
	members := memberValue.FindAllStringSubmatch(page, -1)
	require.Len(t, members, 3)
	assert.Equal(t, 1, strings.Count(page, "has no phone number yet"))
	assert.Equal(t, "Sign in", titleOf(v.post("/fault", "fault", "down")), "it is nobody's")

	page = v.post("/sign-in", "member_id", members[1][1])
	assert.Contains(t, page, "No messages")
	stranger := newVisitor(t, v.app)
	stranger.look()
	stranger.post("/sign-in", "member_id", members[0][1])
	assert.Equal(t, "The next request to Stytch: Stytch is down (503).", noticeOf(stranger.post("/fault", "fault", "down")))
	assert.Empty(t, noticeOf(stranger.post("/fault", "fault", "no such")))

	page = v.post("/number", "mfa_phone_number", "(202) 555-0123")
	assert.Equal(t, "We have sent you a code.", noticeOf(page))
	page = v.post("/code", "code", codeOnPhone.FindStringSubmatch(page)[1])
	assert.Equal(t, "You are signed in", titleOf(page))
	assert.NotContains(t, page, "Your phone")
	assert.NotContains(t, v.post("/sign-out"), "has no phone number yet")

	assert.Equal(t, "We lost track of your code while checking it. Please sign in again.",
		noticeOf(stranger.post("/code", "code", codeOnPhone.FindStringSubmatch(stranger.look())[1])))
	assert.Equal(t, "You are signed in", titleOf(stranger.post("/sign-in", "member_id", members[2][1])))
	assert.Equal(t, "You are signed in", titleOf(stranger.post("/sign-in", "member_id", members[2][1])))
	status, css := v.do(http.MethodGet, "/demo.css", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, css, ".screen")
}

func TestRunDemo(t *testing.T) {
	url, stop := start(t, "", "")
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Contains(t, bodyOf(t, resp), "Ada Lovelace")
	assert.Contains(t, stop(), "No real SMS is sent")
}

// The phone stands beside the pages, or below them.
func TestBrowserDemo(t *testing.T) {
	app := serveDemo(t, (*httptest.Server).Start)
	for _, m := range modes {
		if m.keyboard {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			b := newBrowser(t, m, app)
			b.check("Sign in", "")
			b.do(chromedp.Click(`//label[contains(., "Grace")]`))
			b.press("Sign in")
			if b.title() == "Add your phone number" {
				b.enter("mfa_phone_number", "+1 876 555 0123")
				b.press("Send me a code")
				b.check("Error: Add your phone number", "We cannot send codes to phone numbers in that country.")
				b.picture("number")
				b.enter("mfa_phone_number", "(202) 555-0123")
				b.press("Send me a code")
			}
			b.check("Enter your code", "We have sent you a code.")
			b.picture("code")
			assert.Regexp(b, `code.* \d{6}`, b.text("aside li"))
			assert.Equal(b, b.noScripts, strings.Contains(b.text("aside time"), "UTC"), "it is in the reader's zone")
			b.press("Make it happen")
			b.check("Enter your code", "The next request to Stytch: Done, but no answer.")
			b.enter("code", regexp.MustCompile(`\d{6}`).FindString(b.text("aside li")))
			b.press("Continue")
			b.check("Error: Sign in", "We lost track of your code while checking it. Please sign in again.")
			b.press("Sign in")
			b.enter("code", b.text("aside li span")) // the whole SMS
			b.press("Continue")
			b.check("You are signed in", "")
			b.picture("signed-in")
		})
	}
}

// picture is for the README.
func (b *browser) picture(name string) {
	b.Helper()
	if *screenshots == "" || b.name != modes[0].name {
		return
	}
	b.do(chromedp.EmulateViewport(960, 640))
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(b, err)
	b.do(chromedp.EmulateViewport(b.width, b.height, chromedp.EmulateScale(b.scale)))
	require.NoError(b, os.WriteFile(*screenshots+"/"+name+".png", image, 0o644))
}
