import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineProject } from "vitest/config";

export default defineProject({
  plugins: [svelte({ configFile: false }), svelteTesting()],
  // A machine with much else to do is slower, not wrong.
  test: { name: "components", environment: "jsdom", include: ["src/**/*.test.ts"], testTimeout: 20_000 },
});
