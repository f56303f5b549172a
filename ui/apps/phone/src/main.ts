// Starts the phone page.

import "@showdesk/components/tokens.css";
import "./styles/index.css";

import { mount } from "svelte";

import App from "./App.svelte";
import "./parts/home.svelte.ts";
import { Phone } from "./phone.svelte.ts";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");

const phone = new Phone();
mount(App, { target, props: { phone } });
void begin();

/** Nothing here is awaited at the top: parts that are loaded later wait until this file has run to its end. */
async function begin(): Promise<void> {
  await phone.open();
  if (!import.meta.env.PROD) return;
  const { keepPage } = await import("./kept-page.ts");
  await keepPage({ status: () => phone.engine.status });
}
