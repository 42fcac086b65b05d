package main

import (
	"context"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

var screenshots = flag.String("screenshots", "", "write a picture of each page into this `directory`, which exists")

// A browser is a page of Chromium's at the application.
type browser struct {
	*testing.T
	ctx context.Context
	app *testApp
}

// newBrowser starts a Chromium, or skips the test where there is none.
func newBrowser(t *testing.T, cooldown time.Duration) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("no Chromium is here: install it (Debian: apt install chromium), or name the program in CHROMIUM")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // It cannot have one as root, and the pages are our own.
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &browser{T: t, ctx: ctx, app: startApp(t, config{cooldown: cooldown}, (*httptest.Server).Start)}
	b.do(chromedp.Navigate("about:blank"))
	_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": "fr-CA,fr;q=0.9"},
	})
	require.NoError(t, err)
	b.do(chromedp.Navigate(b.app.URL))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, steps...))
}

// get runs an action, and returns its value.
func get[T any](b *browser, action chromedp.Action[T]) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, action)
	require.NoError(b, err)
	return value
}

// press presses the button, and waits for the page that follows.
func (b *browser) press(button string) {
	b.Helper()
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(`//button[starts-with(normalize-space(), "`+button+`")]`))
	require.NoError(b, err)
}

func (b *browser) enter(field, value string) {
	b.Helper()
	b.do(chromedp.Clear(field), chromedp.SendKeys(field, value))
}

func (b *browser) text(selector string) string {
	b.Helper()
	return get(b, chromedp.Text(selector))
}

func (b *browser) js(expression string) any {
	b.Helper()
	return get(b, chromedp.Evaluate[any](expression))
}

// picture looks at the page, wide and narrow, light and dark: nothing sticks
// out, every field has its label, and texts can be read.
func (b *browser) picture(name string) {
	b.Helper()
	for _, width := range []int64{1100, 360} {
		for _, scheme := range []string{"light", "dark"} {
			_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			require.NoError(b, err)
			b.do(chromedp.EmulateViewport(width, 760))
			assert.Equal(b, true, b.js(`document.documentElement.scrollWidth <= innerWidth`), "%s sticks out at %d", name, width)
			assert.Empty(b, b.js(lowContrast), "%s, %s", name, scheme)
			if *screenshots != "" {
				file := filepath.Join(*screenshots, strings.Join([]string{name, map[int64]string{1100: "wide", 360: "narrow"}[width], scheme}, "-")+".png")
				require.NoError(b, os.WriteFile(file, get(b, chromedp.FullScreenshot(100)), 0o644))
			}
		}
	}
	assert.Empty(b, b.js(unlabeled), name)
	assert.NotEqual(b, "", b.js(`document.documentElement.lang`))
	assert.Equal(b, 1.0, b.js(`document.querySelectorAll("h1").length`))
}

// unlabeled lists the fields and buttons without a name for a screen reader.
const unlabeled = `[...document.querySelectorAll("input, select, button")]
	.filter(e => e.type !== "hidden" && !(e.labels?.length || e.textContent.trim())).map(e => e.outerHTML)`

// lowContrast lists the texts whose contrast is under 4.5 to 1 (WCAG 2, level
// AA), those of disabled buttons apart.
const lowContrast = `(() => {
	const rgba = (c) => (c.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
	const luminance = (c) => c.slice(0, 3).map(v => v / 255)
		.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const background = (e) => {
		for (; e; e = e.parentElement) {
			const c = rgba(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	const low = [];
	for (const e of document.body.querySelectorAll("*")) {
		const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
		if (!own || e.closest(":disabled") || e.closest("noscript, .hidden, option")) continue;
		const [a, b] = [luminance(rgba(getComputedStyle(e).color)), luminance(background(e))].sort();
		const contrast = (b + 0.05) / (a + 0.05);
		if (contrast < 4.5) low.push(e.textContent.trim() + ": " + contrast.toFixed(2));
	}
	return low;
})()`

// A whole login in a browser: sign in, a wrong code, a new code after the
// cooldown, the right code, sign out.
func TestBrowserLogin(t *testing.T) {
	b := newBrowser(t, 3*time.Second)
	assert.Equal(t, "Sign in", b.text("h1"))
	b.picture("sign-in")

	b.press("Sign in")
	assert.Equal(t, "Enter your code", b.text("h1"))
	assert.Contains(t, b.text("main"), "Enter the code we sent to •••• 0006.")
	assert.Equal(t, "We have sent you a code.", b.text("#notice"))
	assert.Equal(t, "code", b.js(`document.activeElement.id`), "one can type at once")
	assert.Equal(t, true, b.js(`document.getElementById("resend").disabled`))
	assert.Regexp(t, `^Request a new code in [1-3] seconds?$`, b.text("#resend"))
	assert.Equal(t, "one-time-code numeric", b.js(`document.getElementById("code").autocomplete + " " + document.getElementById("code").inputMode`))
	b.picture("code")

	sms := b.app.fake.SMS()
	require.Len(t, sms, 1)

	assert.Contains(t, b.text("aside"), sms[0].Text)

	wrong := "000000"
	if sms[0].Code == wrong {
		wrong = "000001"
	}
	b.enter("#code", wrong)
	b.press("Continue")
	assert.Equal(t, "Error:\nThat code is incorrect. Enter the code from the newest message.", b.text("#error"))
	assert.Equal(t, "true error", b.js(`document.getElementById("code").ariaInvalid + " " + document.getElementById("code").getAttribute("aria-describedby")`))
	b.picture("wrong-code")

	b.do(chromedp.WaitEnabled("#resend")) // counted down
	assert.Equal(t, "Request a new code", b.text("#resend"))
	assert.Equal(t, "You can request a new code now.", b.js(`document.getElementById("resend-ready").textContent`))
	b.press("Request a new code")
	require.Len(t, b.app.fake.SMS(), 2)

	code := b.js(`document.querySelector(".screen li").textContent.match(/\d{6}/)[0]`).(string)
	b.enter("#code", code[:3]+" "+code[3:])
	b.press("Continue")
	assert.Equal(t, "You are signed in", b.text("h1"))
	assert.Contains(t, b.text("main"), "Welcome, Ada Lovelace.")
	assert.Contains(t, b.text("dl"), "email and SMS")
	b.picture("signed-in")
	assert.Empty(t, b.js(`document.cookie`), "scripts do not see the cookie")

	b.press("Sign out")
	assert.Equal(t, "You are signed out.", b.text("#notice"))
	assert.Len(t, b.app.fake.SMS(), 2)
}

// A Member without a phone number enters one.
func TestBrowserNumber(t *testing.T) {
	b := newBrowser(t, time.Minute)
	b.do(chromedp.Click(`//label[contains(., "Grace")]`))
	b.press("Sign in")
	assert.Equal(t, "Add your phone number", b.text("h1"))
	b.enter("#mfa_phone_number", "+1 876 555 0123")
	b.press("Send me a code")
	assert.Equal(t, "Error:\nWe cannot send codes to phone numbers in that country.", b.text("#error"))
	b.picture("number")
	b.enter("#mfa_phone_number", "+1 (202) 555-0123")
	b.press("Send me a code")
	assert.Contains(t, b.text("main"), "•••• 0123")
	require.Len(t, b.app.fake.SMS(), 1)
}

// What goes wrong at Stytch is made to by the page, and said on it.
func TestBrowserFaults(t *testing.T) {
	b := newBrowser(t, time.Millisecond)
	b.press("Sign in")
	b.do(chromedp.WaitEnabled("#resend"))
	b.do(chromedp.SetValue("#fault", "busy"))
	b.press("Make it happen")
	b.press("Request a new code")
	assert.Equal(t, "Please wait 20 seconds before you request another code.", b.text("#notice"))
	assert.Regexp(t, `^Request a new code in (20|19|18) seconds$`, b.text("#resend"))
	b.picture("wait")

	b = newBrowser(t, time.Millisecond)
	b.press("Sign in")
	b.do(chromedp.WaitEnabled("#resend"))
	b.app.fake.Fail(stytchtest.Fault{Processed: true, Reset: true})
	b.press("Request a new code")
	assert.Equal(t, "Your code may be on its way. If it does not come in a minute, request another one.", b.text("#notice"))
	sms := b.app.fake.SMS()
	require.Len(t, sms, 2)
	b.picture("unknown")
	b.enter("#code", sms[1].Code) // It came.
	b.press("Continue")
	assert.Equal(t, "You are signed in", b.text("h1"))
}
