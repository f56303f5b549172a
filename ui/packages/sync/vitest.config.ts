import { defineProject } from "vitest/config";

export default defineProject({
  test: { name: "sync", testTimeout: 20_000, environment: "node", setupFiles: ["fake-indexeddb/auto"] },
});
