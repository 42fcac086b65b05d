package stytchtest

// texts holds, for each locale the API spells so, a message with the
// Organization's name and the code. The words are made up.
var texts = map[string]string{
	"":        "%s: your verification code is %s.",
	"en":      "%s: your verification code is %s.",
	"es":      "%s: tu código de verificación es %s.",
	"fr":      "%s : votre code de vérification est %s.",
	"pt-br":   "%s: seu código de verificação é %s.",
	"it":      "%s: il tuo codice di verifica è %s.",
	"de-DE":   "%s: Ihr Bestätigungscode lautet %s.",
	"zh-Hans": "%s：您的验证码是 %s。",
	"ca-ES":   "%s: el teu codi de verificació és %s.",
	"ja":      "%s：確認コードは %s です。",
	"ru":      "%s: ваш код подтверждения: %s.",
	"nl":      "%s: je verificatiecode is %s.",
	"pl":      "%s: twój kod weryfikacyjny to %s.",
	"tr":      "%s: doğrulama kodunuz: %s.",
	"fa":      "%s: کد تأیید شما %s است.",
	"vi":      "%s: mã xác minh của bạn là %s.",
	"cs":      "%s: váš ověřovací kód je %s.",
}
