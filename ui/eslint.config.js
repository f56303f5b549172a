// One rule set for all packages and apps. Who may import what is part of it:
// only the api package may use fetch, only the platform package may use @tauri-apps/*.

import js from "@eslint/js";
import globals from "globals";
import svelte from "eslint-plugin-svelte";
import ts from "typescript-eslint";

const tauriOnlyInPlatform = {
  group: ["@tauri-apps/*"],
  message: "Only the platform package talks to the shell.",
};

const fetchOnlyInApi = {
  name: "fetch",
  message: "Only the api package talks to the network.",
};

export default ts.config(
  { ignores: ["**/dist/", "**/node_modules/", "packages/api/src/schema.ts"] },
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      eqeqeq: "error",
      "no-restricted-globals": ["error", fetchOnlyInApi],
      "no-restricted-imports": ["error", { patterns: [tauriOnlyInPlatform] }],
      "no-restricted-properties": [
        "error",
        { object: "window", property: "fetch", message: fetchOnlyInApi.message },
        { object: "globalThis", property: "fetch", message: fetchOnlyInApi.message },
        { property: "randomUUID", message: "Absent over plain HTTP: use the ids of the sync package." },
        { object: "navigator", property: "onLine", message: "It means nothing at a show: only our own ping counts." },
      ],
      "no-restricted-syntax": ["error", { selector: "ExportDefaultDeclaration", message: "Name what you export." }],
      "no-undef": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    files: ["**/*.svelte"],
    rules: { "prefer-const": "off", "svelte/prefer-const": "error" },
  },
  { files: ["packages/api/**"], rules: { "no-restricted-globals": "off" } },
  // The page's worker passes on what it does not have.
  { files: ["apps/phone/worker/**"], rules: { "no-restricted-globals": "off" } },
  { files: ["packages/platform/**"], rules: { "no-restricted-imports": "off" } },
  {
    files: ["**/*.config.{js,ts}", "**/scripts/**"],
    languageOptions: { globals: { ...globals.node } },
    rules: { "no-restricted-syntax": "off" },
  },
);
