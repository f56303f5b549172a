// Every page of the desk: its title, its code, and where the sidebar shows it.
//
// Only the overview is loaded with the frame; each other page comes when it is first opened.

import ChartLine from "@lucide/svelte/icons/chart-line";
import Download from "@lucide/svelte/icons/download";
import LayoutDashboard from "@lucide/svelte/icons/layout-dashboard";
import List from "@lucide/svelte/icons/list";
import Merge from "@lucide/svelte/icons/merge";
import MessageSquare from "@lucide/svelte/icons/message-square";
import Settings2 from "@lucide/svelte/icons/settings-2";
import Smartphone from "@lucide/svelte/icons/smartphone";
import type { Component } from "svelte";

import OverviewPage from "../features/overview/OverviewPage.svelte";
import { frame } from "../text/frame-words.ts";
import { words } from "../text/words.ts";
import type { Page } from "./route.ts";

/** Pages that the sidebar shows under another one. */
export const under: Partial<Readonly<Record<Page, Page>>> = { activity: "overview", audit: "phones" };

/** A page's code, as `import()` gives it. */
type Loaded = Promise<{ default: Component }>;

interface PageEntry {
  title: string;
  load: () => Loaded;
}

export const pages: Readonly<Record<Page, PageEntry>> = {
  overview: { title: words.nav.overview, load: () => Promise.resolve({ default: OverviewPage }) },
  activity: { title: words.overview.activity, load: () => import("../features/overview/ActivityPage.svelte") },
  poster: { title: frame.poster.title, load: () => import("../features/connect/PosterPage.svelte") },
  welcome: { title: frame.welcome.title, load: () => import("../features/first-run/WelcomePage.svelte") },
  gallery: { title: frame.gallery, load: () => import("../features/gallery/GalleryPage.svelte") },
  entries: { title: words.nav.entries, load: () => import("../features/entries/EntriesPage.svelte") },
  checks: { title: words.nav.checks, load: () => import("../features/needs-checking/ChecksPage.svelte") },
  messages: { title: words.messages.title, load: () => import("../features/messages/MessagesPage.svelte") },
  health: { title: words.health.title, load: () => import("../features/health/HealthPage.svelte") },
  phones: { title: words.people.title, load: () => import("../features/phones/PhonesPage.svelte") },
  audit: { title: words.audit.title, load: () => import("../features/audit/AuditPage.svelte") },
  import: { title: words.nav.import, load: () => import("../features/import/ImportPage.svelte") },
  settings: { title: words.settings.title, load: () => import("../features/settings/SettingsPage.svelte") },
  rescue: { title: words.rescue.title, load: () => import("../features/rescue/RescuePage.svelte") },
  // The opening link is answered before the frame is there; coming back to it shows the overview.
  open: { title: words.product, load: () => Promise.resolve({ default: OverviewPage }) },
};

/** The sidebar, in its order. */
export const links = [
  { page: "overview", href: "#/", label: words.nav.overview, Icon: LayoutDashboard },
  { page: "entries", href: "#/entries", label: words.nav.entries, Icon: List },
  { page: "checks", href: "#/needs-checking", label: words.nav.checks, Icon: Merge },
  { page: "messages", href: "#/messages", label: words.nav.messages, Icon: MessageSquare },
  { page: "health", href: "#/health", label: words.nav.health, Icon: ChartLine },
  { page: "phones", href: "#/phones", label: words.nav.phones, Icon: Smartphone },
  { page: "import", href: "#/import", label: words.nav.import, Icon: Download },
  { page: "settings", href: "#/settings", label: words.nav.settings, Icon: Settings2 },
] as const satisfies readonly { page: Page; href: string; label: string; Icon: Component }[];

/** Fetches the sidebar's pages before they are opened, so that they open at once and while the program is away. */
export async function loadAhead(): Promise<void> {
  for (const { page } of links) {
    // What does not come now comes when it is opened.
    await pages[page].load().catch(() => undefined);
  }
}
