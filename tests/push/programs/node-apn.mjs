// Lets @parse/node-apn send to our stand-in for APNs, and prints what it made of the answers.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [installed, planFile] = process.argv.slice(2);
const require = createRequire(`${installed}/package.json`);
const apn = require("@parse/node-apn");
const plan = JSON.parse(readFileSync(planFile, "utf8"));

function provider(keyId) {
  return new apn.Provider({
    token: { key: plan.key, keyId, teamId: plan.team_id },
    address: "localhost",
    port: plan.port,
    ca: [plan.authority],
    production: false,
  });
}

function notification(change) {
  return new apn.Notification({
    topic: plan.topic,
    pushType: "alert",
    alert: { title: "Class 12", body: "to ring 2" },
    expiry: Math.floor(Date.now() / 1000) + 600,
    priority: 10,
    id: "0f5e95b4-7c0e-4d7a-9a3e-1f6c7f000001",
    collapseId: "class-call-12",
    ...change,
  });
}

const results = {};
function keep(name, { sent, failed }) {
  results[name] = {
    sent: sent.length,
    ids: [...new Set(sent.map((one) => one["apns-id"]))],
    failed: failed.map((one) => [one.status, one.response?.reason ?? String(one.error), one.response?.timestamp ?? null]),
  };
}

const good = provider(plan.key_id);
keep("one", await good.send(notification({}), ["ab12"]));
keep("many", await good.send(notification({}), Array.from({ length: 300 }, () => "ab12")));
keep("unknown", await good.send(notification({}), ["ffff"]));
keep("gone", await good.send(notification({}), ["dead01"]));
keep("other_app", await good.send(notification({}), ["dead02"]));
keep("other_topic", await good.send(notification({ topic: "org.example.other" }), ["ab12"]));
keep("too_long", await good.send(notification({ payload: { text: "x".repeat(5000) } }), ["ab12"]));
const bad = provider("ZZZ7654321");
keep("other_key", await bad.send(notification({}), ["ab12"]));
await Promise.all([good.shutdown(), bad.shutdown()]);
process.stdout.write(JSON.stringify(results));
