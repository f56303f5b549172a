// Starts the desk page.

import "@showdesk/components/base.css";
import "@showdesk/components/tokens.css";
import "./fonts.css";
import "./desk.css";

import { mount } from "svelte";

import App from "./App.svelte";

const target = document.getElementById("app");
if (target === null) throw new Error("the document has no #app");
mount(App, { target });
