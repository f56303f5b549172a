import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

import { pageWorker } from "./worker/plugin.ts";

const ENTRY = /\/src\/main\.ts$/;

/** What a module is imported by, as the bundler knows it. */
type Importers = (id: string) => { readonly importers: readonly string[] } | null;

/** Whether the page loads the module before it shows anything. */
function isOfFirstLoad(id: string, importersOf: Importers, seen: Set<string> = new Set()): boolean {
  if (ENTRY.test(id)) return true;
  if (seen.has(id)) return false;
  seen.add(id);
  return (importersOf(id)?.importers ?? []).some((importer) => isOfFirstLoad(importer, importersOf, seen));
}

export default defineConfig({
  // The page is served from whatever address the laptop has.
  base: "./",
  plugins: [svelte({ configFile: false }), svelteTesting(), pageWorker()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // The first load has a budget, and one file compresses better than the ten that chance makes of it.
          groups: [{ name: (id, of) => (isOfFirstLoad(id, (importer) => of.getModuleInfo(importer)) ? "page" : null) }],
        },
      },
    },
  },
  test: {
    name: "phone",
    environment: "jsdom",
    // A machine with much else to do is slower, not wrong.
    testTimeout: 20_000,
    setupFiles: ["fake-indexeddb/auto", "./test/setup.ts"],
  },
});
