import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineProject } from "vitest/config";

export default defineProject({
  plugins: [svelte({ configFile: false }), svelteTesting()],
  test: { name: "components", environment: "jsdom", include: ["src/**/*.test.ts"] },
});
