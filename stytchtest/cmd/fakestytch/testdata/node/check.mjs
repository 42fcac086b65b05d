// A login with Stytch's Node client: the password, the SMS that Stytch sends
// automatically, the SMS of Send, the session, the logout.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import stytch from "stytch";

const [config] = readFileSync(process.argv[2], "utf8").trim().split("\n").map((l) => JSON.parse(l));
const client = new stytch.B2BClient({
  project_id: config.project_id,
  secret: config.secret,
  custom_base_url: config.url + "/",
});
const member = { organization_id: config.organization_id, member_id: config.member_id };

const control = async (path, body) => {
  const response = await fetch(`${config.url}/_fakestytch/${path}`, body && { method: "POST", body: JSON.stringify(body) });
  assert.equal(response.status, 200);
  return response.json();
};
const newestSMS = async () => (await control(`sms?member_id=${config.member_id}`)).sms.at(-1);
const refused = async (call, status, type) =>
  assert.rejects(call, (e) => {
    assert.equal(e.status_code, status);
    assert.equal(e.error_type, type);
    assert.match(e.request_id, /^request-id-test-/);
    return true;
  });

// The password.
const credentials = { organization_id: config.organization_id, email_address: config.email_address };
await refused(client.passwords.authenticate({ ...credentials, password: "wrong" }), 401, "unauthorized_credentials");
const login = await client.passwords.authenticate({ ...credentials, password: config.password });
assert.equal(login.member_authenticated, false);
assert.ok(!("member_session" in login) && !("primary_required" in login));
assert.equal(login.mfa_required.secondary_auth_initiated, "sms_otp");
assert.match(login.mfa_required.member_options.mfa_phone_number, /^X+\d{4}$/);
const session = { intermediate_session_token: login.intermediate_session_token };
assert.equal((await newestSMS()).automatic, true);

// "Send it again".
const sent = await client.otps.sms.send({ ...member, ...session, locale: "pt-br" });
assert.equal(sent.status_code, 200);
assert.equal(sent.member_id, config.member_id);
assert.equal(sent.member.default_mfa_method, "");
assert.deepEqual(sent.organization.allowed_mfa_methods, []);
const sms = await newestSMS();
assert.equal(sms.automatic, false);
assert.equal(sms.to, sent.member.mfa_phone_number);
assert.equal(sms.locale, "pt-br");
await refused(client.otps.sms.send({ ...member, mfa_phone_number: "+12025550199" }), 400, "duplicate_member_phone_number_for_member");
await refused(client.otps.sms.send({ ...member, member_id: "member-test-0" }), 404, "member_not_found");

// The code.
await refused(client.otps.sms.authenticate({ ...member, ...session, code: "no code" }), 400, "invalid_code");
await refused(client.otps.sms.authenticate({ ...member, ...session, code: "000000" }), 404, "otp_code_not_found");
const authenticated = await client.otps.sms.authenticate({
  ...member, ...session, code: sms.code, session_duration_minutes: 30, set_default_mfa: true, session_custom_claims: { team: "blue" },
});
assert.equal(authenticated.status_code, 200);
assert.equal(authenticated.member.default_mfa_method, "sms_otp");
assert.deepEqual(authenticated.member_session.authentication_factors.map((f) => f.type), ["password", "otp"]);
await refused(client.otps.sms.authenticate({ ...member, ...session, code: sms.code }), 404, "intermediate_session_not_found");

// The session, verified locally with the keys of the JWKS, and by the fake.
const local = await client.sessions.authenticateJwtLocal({ session_jwt: authenticated.session_jwt });
assert.equal(local.member_session_id, authenticated.member_session.member_session_id);
assert.equal(local.member_id, config.member_id);
assert.equal(local.organization_id, config.organization_id);
assert.deepEqual(local.custom_claims, { team: "blue" });
await assert.rejects(client.sessions.authenticateJwtLocal({ session_jwt: authenticated.session_jwt.slice(0, -8) + "AAAAAAAA" }));
const there = await client.sessions.authenticate({ session_token: authenticated.session_token });
assert.equal(there.member_session.member_session_id, local.member_session_id);

const [key] = (await client.sessions.getJWKS({ project_id: config.project_id })).keys;
assert.ok(key.x5c.length === 1 && key.x5tS256);

// A logout.
await client.sessions.revoke({ session_token: authenticated.session_token });
await refused(client.sessions.authenticate({ session_jwt: there.session_jwt }), 404, "session_not_found");

// A second login, and a Member who is locked.
const again = await control("login", {});
for (let i = 0; i < 10; i++) {
  await refused(client.otps.sms.authenticate({ ...member, intermediate_session_token: again.intermediate_session_token, code: "000000" }), 404, "otp_code_not_found");
}
await refused(client.otps.sms.send(member), 429, "user_lock_limit_reached");
await control("clock", { advance: "1h" });
assert.equal((await client.otps.sms.send(member)).member.is_locked, false);

console.log("Stytch's Node client works against the fake.");
