import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const LAYERS = "@layer reset, tokens, base, components, desk;";

/** Puts the order of the layers at the top: else it would hang on which part's styles are bundled first. */
const layersFirst: Plugin = {
  name: "layers-first",
  enforce: "post",
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === "asset" && file.fileName.endsWith(".css")) file.source = LAYERS + String(file.source);
    }
  },
};

export default defineConfig({
  // The page is served from whatever address the laptop has.
  base: "./",
  plugins: [svelte({ configFile: false }), svelteTesting(), layersFirst],
  build: {
    target: "es2022",
    // The server forbids data: addresses for fonts and scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
  },
  test: {
    name: "desk",
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/testing/setup.ts"],
    // A machine with much else to do is slower, not wrong.
    testTimeout: 20_000,
  },
});
