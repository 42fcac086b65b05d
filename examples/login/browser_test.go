package main

import (
	"context"
	_ "embed"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/eb715825/stytchb2b/stytchtest"
)

// axe has the rules for what people with disabilities need of a page:
// https://github.com/dequelabs/axe-core
//
//go:embed testdata/axe-core/axe.min.js
var axe string

// A mode is how somebody uses a browser.
type mode struct {
	name          string
	width, height int64
	scale         float64
	media         map[string]string
	noScripts     bool
}

var modes = []mode{
	{name: "a wide window", width: 1100, height: 800, scale: 1},
	{name: "no JavaScript", width: 1100, height: 800, scale: 1, noScripts: true},
	{name: "390 px", width: 390, height: 844, scale: 1},
	{name: "dark", width: 1100, height: 800, scale: 1, media: map[string]string{"prefers-color-scheme": "dark"}},
	{name: "400% zoom", width: 1280 / 4, height: 1024 / 4, scale: 4},
	{name: "forced colors", width: 390, height: 844, scale: 1, media: map[string]string{"forced-colors": "active"}},
}

// A browser is a page of Chromium's at the application.
type browser struct {
	*testing.T
	mode
	ctx context.Context
	app *testApp
}

// newBrowser starts a Chromium, or skips the test if there is none.
func newBrowser(t *testing.T, m mode, app *testApp) *browser {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // It cannot have one as root, and the pages are our own.
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	b := &browser{T: t, mode: m, ctx: ctx, app: app}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); errors.Is(err, exec.ErrNotFound) {
		t.Skip("no Chromium is here: install it (Debian: apt install chromium)")
	} else {
		require.NoError(t, err)
	}
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": "fr-CA,fr;q=0.9"}})
	var features []*emulation.MediaFeature
	for name, value := range m.media {
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
	b.do(chromedp.EmulateViewport(m.width, m.height, chromedp.EmulateScale(m.scale)))
	b.setScripts(!m.noScripts)
	b.do(chromedp.Navigate(b.app.URL))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, steps...))
}

func (b *browser) setScripts(enabled bool) {
	b.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !enabled})
}

// js evaluates an expression, which may be a promise. If another page comes
// meanwhile, it asks that one.
func (b *browser) js(expression string) any {
	b.Helper()
	for range 100 {
		value, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](expression, chromedp.EvalAwaitPromise))
		if err != nil && strings.Contains(err.Error(), "navigated or closed") {
			continue
		}
		require.NoError(b, err, expression)
		return value
	}
	require.Fail(b, "a page never stays", expression)
	return nil
}

func (b *browser) text(selector string) string {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Text(selector))
	require.NoError(b, err)
	return strings.Join(strings.Fields(value), " ")
}

func (b *browser) title() string { return b.js(`document.title.split(" – ")[0]`).(string) }

// press presses the button, and waits for the page that follows.
func (b *browser) press(button string) {
	b.Helper()
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(`//button[starts-with(normalize-space(), "`+button+`")]`))
	require.NoError(b, err)
}

// enter puts a value into a field, over what was there.
func (b *browser) enter(field, value string) {
	b.Helper()
	b.do(chromedp.Clear("#"+field), chromedp.SendKeys("#"+field, value))
}

// check looks at a page as it is in this mode: no rule of axe's is broken, nothing
// sticks out, and what went wrong is in sight.
func (b *browser) check(title, notice string) {
	b.Helper()
	// The page is loaded, and has the focus where it wants it; or the context ends.
	for b.js(`document.readyState === "complete" && (document.querySelector("[autofocus]") === null || document.activeElement !== document.body)`) != true {
	}
	assert.Equal(b, title, b.title())
	shown := b.js(`(document.querySelector("#notice, #error")?.textContent ?? "")`)
	assert.Equal(b, notice, strings.TrimPrefix(shown.(string), "Error: "), title)
	assert.Equal(b, true, b.js(`document.documentElement.scrollWidth <= innerWidth`), "%s sticks out", title)
	if notice != "" && b.js(`document.querySelector(".notice.good") === null`) == true {
		assert.Equal(b, true, b.js(`(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector("#notice, #error").getBoundingClientRect())`),
			"%s: the notice is not in sight: %v", title, b.js(`JSON.stringify([scrollY, innerHeight, document.querySelector("#notice, #error").getBoundingClientRect(), document.activeElement.getBoundingClientRect()])`))
	}
	if b.js(`document.querySelector("#error") !== null`) == true {
		assert.Equal(b, "true 3px true", b.js(`(e => [e.ariaInvalid, getComputedStyle(e).borderTopWidth,
			e.getAttribute("aria-describedby").split(" ").includes("error")].join(" "))(document.activeElement)`))
	}
	b.setScripts(true)
	b.js(axe + `; null`)
	assert.Empty(b, b.js(`axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join("; ")))`),
		title)
	b.setScripts(!b.noScripts)
}

// fillIn fills in the sign-in for a Member, up to its button.
func (b *browser) fillIn(who int) {
	b.Helper()
	b.enter("answer", b.app.fake.memberIDs[who])
}

// waitForButton waits until another code can be requested: the button says so, or
// without scripts the page when it is loaded again.
func (b *browser) waitForButton() {
	b.Helper()
	require.Eventually(b, func() bool {
		if b.noScripts {
			b.do(chromedp.Navigate(b.app.URL))
		}
		return b.js(`!document.getElementById("resend").disabled`) == true
	}, time.Minute, 100*time.Millisecond)
}

// An entire login, with its errors, in each mode.
func TestBrowser(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t, m, newFake(t).start(t, config{cooldown: 2 * time.Second}))
			b.check("Sign in", "")
			b.enter("answer", "nobody")
			b.press("Sign in")
			b.check("Error: Sign in", "We could not sign you in. Please check what you entered.")
			enterNumber(b)
			enterCodes(b)
			b.fillIn(alan)
			b.press("Sign in")
			b.check("You are signed in", "") // with a long name
		})
	}
}

// The waits go on while the machine sleeps, and with it all of its clocks but one. At
// their end, the notice disappears.
func TestWallClock(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, modes[0], newFake(t).start(t, config{cooldown: time.Hour}))
	b.fillIn(ada)
	b.press("Sign in")
	assert.Equal(b, "Request a new code in 60 minutes", b.text("#resend"))
	b.js(`document.getElementById("resend").disabled = false`)
	b.press("Request a new code")
	assert.Equal(b, "Please wait 60 minutes before you try again.", b.text("#notice"))
	assert.Equal(b, true, b.js(`document.getElementById("resend").disabled`))
	b.js(`Date.now = (now => () => now() + 3600_000 - 60_000)(Date.now); null`)
	require.Eventually(b, func() bool {
		const seconds = `[1-6]?\d seconds?`
		return regexp.MustCompile(`^Request a new code in `+seconds+`$`).MatchString(b.text("#resend")) &&
			regexp.MustCompile(`^Please wait `+seconds+` before you try again\.$`).MatchString(b.text("#notice"))
	}, 50*time.Second, 100*time.Millisecond)
	b.js(`Date.now = (now => () => now() + 60_000)(Date.now); null`)
	b.waitForButton()
	assert.Equal(b, "Request a new code", b.text("#resend"))
	assert.Nil(b, b.js(`document.getElementById("notice")`))
	assert.Equal(b, "You can request a new code now.", b.js(`document.getElementById("resend-ready").textContent`))
}

// enterNumber is a Member's without one.
func enterNumber(b *browser) {
	b.fillIn(grace)
	b.press("Sign in")
	b.check("Add your phone number", "")
	assert.Equal(b, "mfa_phone_number", b.js(`document.activeElement.id`), "one can type at once")
	b.enter("mfa_phone_number", "+1 876 555 0123")
	b.press("Send me a code")
	b.check("Error: Add your phone number", "We cannot send codes to phone numbers in that country.")
	assert.Equal(b, "+1 876 555 0123", b.js(`document.getElementById("mfa_phone_number").value`), "it is kept")
	b.enter("mfa_phone_number", "(202) 555-0123")
	b.press("Send me a code")
	b.check("Enter your code", "We have sent you a code.")
	assert.Contains(b, b.text("main"), "Enter the code we sent to •••• 0123.")
	require.Len(b, b.app.fake.SMS(), 1)
	assert.Equal(b, "fr", b.app.fake.SMS()[0].Locale, "the browser's language")
	b.press("Use another phone number")
	b.check("Add your phone number", "")
	b.press("Sign in as someone else")
	b.check("Sign in", "You are signed out.")
}

// enterCodes is the way from Stytch's first SMS to the session, and out of it.
func enterCodes(b *browser) {
	sent := len(b.app.fake.SMS())
	b.fillIn(ada)
	b.press("Sign in")
	require.Len(b, b.app.fake.SMS(), sent+1)
	b.check("Enter your code", "We have sent you a code.")
	assert.Equal(b, "code one-time-code numeric", b.js(`(e => [e.id, e.autocomplete, e.inputMode].join(" "))(document.activeElement)`))

	b.enter("code", "12345")
	b.press("Continue")
	b.check("Error: Enter your code", "Enter the six digits of the code.")
	b.enter("code", "000000")
	b.press("Continue")
	b.check("Error: Enter your code", "That code is incorrect. Enter the code from the newest message.")
	b.waitForButton()
	b.app.fake.Fail(stytchtest.Fault{Processed: true, Reset: true})
	b.press("Request a new code")
	b.check("Enter your code", "Your code may be on its way. If it does not arrive within a minute, request another one.")
	require.Len(b, b.app.fake.SMS(), sent+2)

	b.enter("code", b.app.fake.SMS()[sent+1].Text) // It came: the entire SMS is pasted.
	b.app.fake.Fail(stytchtest.Fault{Delay: time.Second})
	asked := len(b.app.fake.Requests())
	if !b.noScripts { // It is a double click: the second comes 300 ms after the form is submitted.
		b.js(`(b => b.form.addEventListener("submit", () => setTimeout(() => b.click(), 300), {once: true}))(document.querySelector("button.primary"))`)
	}
	b.press("Continue")
	assert.Len(b, b.app.fake.Requests(), asked+1)
	b.check("You are signed in", "")
	assert.Contains(b, b.text("main"), "Welcome, Ada Lovelace.")
	assert.Empty(b, b.js(`document.cookie`), "scripts do not see the cookie")
	b.press("Sign out")
	b.check("Sign in", "You are signed out.")
}

// call makes a call of the DevTools protocol.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, command, params)
	require.NoError(b, err)
}
