package main

// Each way in which Send can fail has its words.
func TestSendFailures(t *testing.T) {
	t.Parallel()
	apiError := func(status int, errorType stytchb2b.ErrorType) stytchtest.Fault {
		return stytchtest.Fault{StatusCode: status, ErrorType: errorType}
	}
	const (
		onItsWay = "Your code may be on its way. If it does not come in a minute, request another one."
		wait     = "Please wait 30 seconds before you request another code."
		failed   = "We could not send the code. Please try again."
		country  = "We cannot send codes to phone numbers in that country."
		code     = "Enter your code"
		number   = "Add your phone number"
	)
	for _, tc := range []struct {
		name   string
		number string // that Grace enters; "" for Ada, who has one
		faults []stytchtest.Fault
		notice string
		title  string
		wait   string // of the button; "" where it is enabled
		sms    int
	}{
		{"reset after the SMS", "", []stytchtest.Fault{{Processed: true, Reset: true}}, onItsWay, "Enter your code", "60", 1},
		{"reset before the SMS", "", []stytchtest.Fault{{Reset: true}}, onItsWay, "Enter your code", "60", 0},
		{"503", "", []stytchtest.Fault{{StatusCode: 503}}, onItsWay, "Enter your code", "60", 0},
		{"503 for two minutes", "", []stytchtest.Fault{{StatusCode: 503, Header: http.Header{"Retry-After": {"120"}}}}, onItsWay, "Enter your code", "120", 0},
		{"a success that cannot be read", "", []stytchtest.Fault{{StatusCode: 200, Body: "<html>", Processed: true}}, onItsWay, "Enter your code", "60", 1},
		{"a rate limit", "", []stytchtest.Fault{{StatusCode: 429, Header: http.Header{"Retry-After": {"30"}}}}, wait, "Enter your code", "30", 0},
		{"a rate limit of centuries", "", []stytchtest.Fault{{StatusCode: 429, Header: http.Header{"Retry-After": {"99999999999999"}}}}, "Please wait 2562048 hours before you ask for another code.", "Enter your code", "9223372037", 0},
		{"a rate limit that does not say", "", []stytchtest.Fault{{StatusCode: 429}, {StatusCode: 429}, {StatusCode: 429}}, failed, "Enter your code", "", 0},
		{"refused", "", []stytchtest.Fault{apiError(400, "billing_not_verified")}, failed, "Enter your code", "", 0},
		{"a redirect", "", []stytchtest.Fault{{StatusCode: 307}}, onItsWay, "Enter your code", "60", 0},
		{"unsubscribed", "", []stytchtest.Fault{apiError(400, "unsubscribed_phone_number")}, "That phone has blocked our messages. Text START to our number, then ask again.", "Enter your code", "", 0},
		{"an expired sign-in", "", []stytchtest.Fault{apiError(404, "intermediate_session_not_found")}, "Your sign-in has expired. Please sign in again.", "Sign in", "", 0},

		{"no number", " ", nil, "You have no phone number yet. Enter one to get codes.", "Your phone number", "", 0},
		{"no digits", "call me", nil, number, "Your phone number", "", 0},
		{"no country code", "202 555 0123", nil, number, "Your phone number", "", 0},
		{"a premium rate", "+1 900 555 0123", nil, number, "Your phone number", "", 0},
		{"a number that Stytch does not take", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "invalid_phone_number")}, number, "Your phone number", "", 0},
		{"a country we do not serve", "+44 7911 123456", nil, country, "Your phone number", "", 0},
		{"Jamaica", "+1 876 555 0123", nil, country, "Your phone number", "", 0},
		{"a country Stytch does not serve", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "invalid_phone_number_country_code")}, country, "Your phone number", "", 0},
		{"somebody else's", "+1 202 555 0006", nil, "Somebody else uses that phone number. Enter your own.", "Your phone number", "", 0},
		{"another number already", "+1 202 555 0123", []stytchtest.Fault{apiError(400, "duplicate_member_phone_number_for_member")}, "You have another phone number already. Ask for a code to that one.", "Enter your code", "", 0},
		{"a new number, unknown", "+1 202 555 0123", []stytchtest.Fault{{Processed: true, Reset: true}}, onItsWay, "Enter your code", "60", 1},
		{"a new number", "+1 (202) 555-0123", nil, "We have sent you a code.", "Enter your code", "30", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			app := newTestApp(t, 30*time.Second)
			v := newVisitor(t, app)
			var page string
			switch tc.number {
			case "":
				app.fake.Fail(tc.faults...)
				page = v.signIn(ada)
			default:
				require.Contains(t, v.signIn(grace), "<title>Your phone number")
				app.fake.Fail(tc.faults...)
				page = v.post("/number", "mfa_phone_number", tc.number)
			}
			assert.Equal(t, tc.notice, noticeOf(page))
			assert.Contains(t, page, "<title>"+tc.title)
			if tc.wait == "" {
				assert.NotContains(t, page, "data-wait")
			} else {
				assert.Contains(t, page, ` disabled data-wait="`+tc.wait+`"`)
			}
			assert.Len(t, app.fake.SMS(), tc.sms)
			_, again := v.do(http.MethodGet, "/", nil)
			assert.Empty(t, noticeOf(again), "a notice is shown once")
		})
	}
}

// Each way in which Authenticate can fail has its words, and the code is good
// after those that did not use it.
func TestAuthenticateFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		code   string // "" for the right one
		before func(*testApp)
		fault  stytchtest.Fault
		notice string
		title  string
	}{
		{name: "right", title: "You are signed in"},
		{name: "wrong", code: "wrong", notice: "Enter the six digits of the code.", title: "Enter your code"},
		{name: "other digits", code: "0123456", notice: "That is not the code. Enter the one of the newest message.", title: "Enter your code"},
		{name: "expired", before: func(a *testApp) { a.fake.Advance(3 * time.Minute) }, notice: "That code has expired. Ask for a new one.", title: "Enter your code"},
		{name: "an expired sign-in", before: func(a *testApp) { a.fake.Advance(11 * time.Minute) }, notice: "Your sign-in has expired. Please sign in again.", title: "Sign in"},
		{name: "a rate limit", fault: stytchtest.Fault{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}}, notice: "Please wait 60 minutes before you enter the code again.", title: "Enter your code"},
		{name: "refused", fault: stytchtest.Fault{StatusCode: 403, ErrorType: "organization_suspended"}, notice: "We could not check the code. Please enter it again.", title: "Enter your code"},
		{name: "unknown", fault: stytchtest.Fault{Processed: true, Reset: true}, notice: "We lost track of your code while we checked it. Please sign in again.", title: "Sign in"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			app := newTestApp(t, 30*time.Second)
			v := newVisitor(t, app)
			v.signIn(ada)
			right := app.fake.SMS()[0].Code
			if tc.before != nil {
				tc.before(app)
			}
			app.fake.Fail(tc.fault)
			if tc.code == "" {
				tc.code = right
			}
			page := v.post("/code", "code", tc.code)
			assert.Equal(t, tc.notice, noticeOf(page))
			assert.Contains(t, page, "<title>"+tc.title)
			if tc.title == "Enter your code" && tc.before == nil {
				assert.Contains(t, v.post("/code", "code", right), "You are signed in")
			}
		})
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 seconds", 1: "1 second", time.Second: "1 second", 29500 * time.Millisecond: "30 seconds",
		90 * time.Second: "90 seconds", 91 * time.Second: "2 minutes", time.Hour: "60 minutes", 24 * time.Hour: "24 hours",
		math.MaxInt64: "2562048 hours",
	} {
		assert.Equal(t, want, inWords(d))
	}
}
