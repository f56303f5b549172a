// Seals texts with http_ece, the encryption that browsers' test suites use, for us to open.
import { createECDH } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [installed, planFile] = process.argv.slice(2);
const require = createRequire(`${installed}/package.json`);
const ece = require("http_ece");
const plan = JSON.parse(readFileSync(planFile, "utf8"));

const bodies = plan.texts.map(({ text, record_size, padding }) => {
  const ours = createECDH("prime256v1");
  ours.generateKeys();
  const body = ece.encrypt(Buffer.from(text), {
    version: "aes128gcm",
    privateKey: ours,
    dh: plan.p256dh,
    authSecret: plan.auth,
    rs: record_size,
    pad: padding,
  });
  return body.toString("base64url");
});
process.stdout.write(JSON.stringify(bodies));
