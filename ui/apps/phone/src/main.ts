// Starts the phone page.

import "@showdesk/components/tokens.css";
import "./styles/index.css";

import { mount } from "svelte";

import App from "./App.svelte";
import "./parts/home.svelte.ts";
import { noticeFailures, took } from "./parts/noticing.ts";
import { Phone } from "./phone.svelte.ts";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");

noticeFailures();
const phone = new Phone();
mount(App, { target, props: { phone } });
// What fails here is said on the screen, or the page works as one that nothing keeps.
begin().catch(() => undefined);

/** Nothing here is awaited at the top: parts that are loaded later wait until this file has run to its end. */
async function begin(): Promise<void> {
  await phone.open();
  took("start", 0);
  if (!import.meta.env.PROD) return;
  const { keepPage } = await import("./kept-page.ts");
  const kept = await keepPage({ status: () => phone.engine.status });
  if (kept !== undefined) phone.reloadPage = () => kept.renew();
}
