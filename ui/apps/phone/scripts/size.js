// Holds the budget: what a phone loads before it shows anything, compressed as the server sends it.

import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 90;
const dist = new URL("../dist/", import.meta.url);

const html = readFileSync(new URL("index.html", dist), "utf8");
const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map((match) => match[1]);
if (first.length === 0) throw new Error("dist/index.html loads no script: build the page first");

const kilobytes = (path) => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length / 1024;
const loaded = first.reduce((sum, path) => sum + kilobytes(path), 0);
const later = readdirSync(new URL("assets/", dist)).filter((name) => name.endsWith(".js")).length - first.length;

console.log(
  `phone: ${loaded.toFixed(1)} KB gzip JavaScript on first load (budget ${BUDGET_KB} KB), ${later} files later`,
);
if (loaded > BUDGET_KB) {
  console.error("The phone page is over its budget.");
  process.exit(1);
}
