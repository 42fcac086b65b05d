// A login's MFA step with Stytch's Node client.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import stytch from "stytch";

const lines = () => readFileSync(process.argv[2], "utf8").trim().split("\n").map((l) => JSON.parse(l));
const [config] = lines();
const client = new stytch.B2BClient({
  project_id: config.project_id,
  secret: config.secret,
  custom_base_url: config.url + "/",
});
const member = { organization_id: config.organization_id, member_id: config.member_id };

const sent = await client.otps.sms.send({ ...member, locale: "pt-br" });
assert.equal(sent.status_code, 200);
assert.equal(sent.member_id, config.member_id);
assert.equal(sent.member.default_mfa_method, "");
assert.deepEqual(sent.organization.allowed_mfa_methods, []);

let sms;
while (!(sms = lines()[1])) await new Promise((r) => setTimeout(r, 20));
assert.equal(sms.to, sent.member.mfa_phone_number);
assert.equal(sms.locale, "pt-br");

const refused = async (call, status, type) =>
  assert.rejects(call, (e) => {
    assert.equal(e.status_code, status);
    assert.equal(e.error_type, type);
    assert.match(e.request_id, /^request-id-test-/);
    return true;
  });
const session = { intermediate_session_token: config.intermediate_session_token };
await refused(client.otps.sms.send({ ...member, mfa_phone_number: "+12025550199" }), 400, "duplicate_member_phone_number_for_member");
await refused(client.otps.sms.send({ ...member, member_id: "member-test-0" }), 404, "member_not_found");
await refused(client.otps.sms.authenticate({ ...member, ...session, code: "no code" }), 400, "invalid_code");

const authenticated = await client.otps.sms.authenticate({ ...member, ...session, code: sms.code, session_duration_minutes: 30, set_default_mfa: true });
assert.equal(authenticated.status_code, 200);
assert.ok(authenticated.session_token);
assert.equal(authenticated.session_jwt.split(".").length, 3);
assert.equal(authenticated.member.default_mfa_method, "sms_otp");
assert.deepEqual(authenticated.member_session.authentication_factors.map((f) => f.type), ["magic_link", "otp"]);
await refused(client.otps.sms.authenticate({ ...member, ...session, code: sms.code }), 404, "intermediate_session_not_found");

console.log("Stytch's Node client works against the fake.");
