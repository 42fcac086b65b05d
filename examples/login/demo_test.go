package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var screenshots = flag.String("screenshots", "", "write pictures of the main pages into this `directory`, which exists")

// Without the demonstration, the rest and its tests compile, and know nothing of it.
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
	out, err := exec.CommandContext(t.Context(), "go", "vet", "-overlay", path, ".").CombinedOutput()
	assert.NoError(t, err, string(out))
	for _, name := range []string{"app.go", "main.go", "page.go", "pages.html", "static/style.css"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotRegexp(t, `stytchtest|fake|aside`, string(text), name)
	}
}

var (
	memberValue = regexp.MustCompile(`value="(member-[^"]*)"`)
	codeOnPhone = regexp.MustCompile(`dir="auto">[^<]*?(\d{6})`)
)

// Whoever is signing in sees their phone, and makes something go wrong for
// themselves only.
func TestDemo(t *testing.T) {
	t.Parallel()
	app := serve(t, config{cooldown: time.Minute}, newDemo)
	assert.False(t, app.sessions.Cookie.Secure, "for Safari")
	v, stranger := newVisitor(t, app), newVisitor(t, app)
	page := v.look()
	members := memberValue.FindAllStringSubmatch(page, -1)
	require.Len(t, members, 3)
	assert.Equal(t, "Sign in", titleOf(v.post("/fault", "fault", "down")), "it is nobody's")
	assert.Contains(t, v.post("/sign-in", "member_id", members[1][1]), "No messages")
	page = stranger.post("/sign-in", "member_id", members[0][1])
	assert.Equal(t, "The next request to Stytch: Stytch is down (503).", noticeOf(stranger.post("/fault", "fault", "down")))
	assert.Equal(t, "We have sent you a code.", noticeOf(v.post("/number", "mfa_phone_number", "(202) 555-0123")))
	assert.Equal(t, "You are signed in", titleOf(v.post("/code", "code", codeOnPhone.FindStringSubmatch(v.look())[1])))
	assert.Equal(t, "You are signed in", titleOf(v.post("/sign-in", "member_id", members[1][1])), "with the session that there is")
	assert.Equal(t, "We lost track of your code while checking it. Please sign in again.",
		noticeOf(stranger.post("/code", "code", codeOnPhone.FindStringSubmatch(page)[1])))
	assert.Equal(t, "You are signed in", titleOf(stranger.post("/sign-in", "member_id", members[2][1])))
}

func TestRunDemo(t *testing.T) {
	url, stop := start(t, "", "", "-demo")
	assert.Contains(t, get(t, url), "Ada Lovelace")
	assert.Contains(t, get(t, url+"demo.css"), ".screen")
	assert.Contains(t, stop(), "No real SMS is sent")
}

// The phone stands beside the pages.
func TestBrowserDemo(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, modes[0], serve(t, config{cooldown: time.Minute}, newDemo))
	b.check("Sign in", "")
	assert.Equal(b, "flex", b.js(`getComputedStyle(document.querySelector(".choice")).display`))
	b.do(chromedp.Click(`//label[contains(., "Grace")]`))
	b.press("Sign in")
	b.enter("mfa_phone_number", "+1 876 555 0123")
	b.press("Send me a code")
	b.check("Error: Add your phone number", "We cannot send codes to phone numbers in that country.")
	b.picture("number")
	b.enter("mfa_phone_number", "(202) 555-0123")
	b.press("Send me a code")
	b.check("Enter your code", "We have sent you a code.")
	b.picture("code")
	b.enter("code", b.text("aside li span")) // the entire SMS
	b.press("Continue")
	b.check("You are signed in", "")
	b.picture("signed-in")
}

// picture is for the README.
func (b *browser) picture(name string) {
	b.Helper()
	if *screenshots == "" {
		return
	}
	b.do(chromedp.EmulateViewport(960, 640))
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(b, err)
	b.do(chromedp.EmulateViewport(b.width, b.height, chromedp.EmulateScale(b.scale)))
	require.NoError(b, os.WriteFile(*screenshots+"/"+name+".png", image, 0o644))
}
