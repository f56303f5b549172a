// Starts the phone page.

import "@showdesk/components/tokens.css";
import "./styles/index.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { Phone } from "./phone.svelte.ts";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");

const phone = new Phone();
mount(App, { target, props: { phone } });
await phone.open();
