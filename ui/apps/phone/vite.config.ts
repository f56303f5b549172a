import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // The page is served from whatever address the laptop has.
  base: "./",
  plugins: [svelte({ configFile: false }), svelteTesting()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: {
    name: "phone",
    environment: "jsdom",
    // A machine with much else to do is slower, not wrong.
    testTimeout: 20_000,
    setupFiles: ["fake-indexeddb/auto", "./test/setup.ts"],
  },
});
