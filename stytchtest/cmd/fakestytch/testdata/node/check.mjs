// A login with Stytch's Node client: the password, an SMS of Send, the session, the
// logout.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import stytch from "stytch";

const config = JSON.parse(readFileSync(process.argv[2], "utf8").split("\n")[0]);
const client = new stytch.B2BClient({ project_id: config.project_id, secret: config.secret, custom_base_url: config.url + "/" });
const member = { organization_id: config.organization_id, member_id: config.member_id };
const refused = async (call, status, type) =>
  assert.rejects(call, (e) => {
    assert.deepEqual([e.status_code, e.error_type], [status, type]);
    assert.match(e.request_id, /^request-id-test-/);
    return true;
  });

// The password.
const credentials = { organization_id: config.organization_id, email_address: config.email_address };
await refused(client.passwords.authenticate({ ...credentials, password: "wrong" }), 401, "unauthorized_credentials");
const login = await client.passwords.authenticate({ ...credentials, password: config.password });
assert.ok(!("member_session" in login) && !("primary_required" in login));
assert.equal(login.mfa_required.secondary_auth_initiated, "sms_otp");
const session = { intermediate_session_token: login.intermediate_session_token };

// "Send it again".
const sent = await client.otps.sms.send({ ...member, ...session, locale: "pt-br" });
assert.equal(sent.member_id, config.member_id);
const response = await fetch(`${config.url}/_fakestytch/sms?member_id=${config.member_id}`);
const sms = (await response.json()).sms.at(-1);
assert.deepEqual([sms.automatic, sms.to, sms.locale], [false, sent.member.mfa_phone_number, "pt-br"]);

// The code.
await refused(client.otps.sms.authenticate({ ...member, ...session, code: "000000" }), 404, "otp_code_not_found");
const authenticated = await client.otps.sms.authenticate({
  ...member, ...session, code: sms.code, session_duration_minutes: 30, set_default_mfa: true, session_custom_claims: { team: "blue" },
});
assert.equal(authenticated.member.default_mfa_method, "sms_otp");
assert.deepEqual(authenticated.member_session.authentication_factors.map((f) => f.type), ["password", "otp"]);

// The session, verified locally with the keys of the JWKS, and by the fake.
const local = await client.sessions.authenticateJwtLocal({ session_jwt: authenticated.session_jwt });
assert.deepEqual({ organization_id: local.organization_id, member_id: local.member_id }, member);
assert.deepEqual(local.custom_claims, { team: "blue" });
await assert.rejects(client.sessions.authenticateJwtLocal({ session_jwt: authenticated.session_jwt.slice(0, -8) + "AAAAAAAA" }));
const there = await client.sessions.authenticate({ session_token: authenticated.session_token });
assert.equal(there.member_session.member_session_id, local.member_session_id);

// A logout.
await client.sessions.revoke({ session_token: authenticated.session_token });
await refused(client.sessions.authenticate({ session_jwt: there.session_jwt }), 404, "session_not_found");

console.log("Stytch's Node client works against the fake.");
