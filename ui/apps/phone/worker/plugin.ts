// Builds the worker as a file of its own, after the page: it must know the page's files by their names.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { build, type Plugin } from "vite";

const SOURCE = fileURLToPath(new URL("worker.ts", import.meta.url));
/** At the root, so that it may speak for the whole page. */
const NAME = "sw.js";
const VERSION_CHARS = 12;

/** Adds the worker to a build of the page. */
export function pageWorker(): Plugin {
  let publicDir = "";
  return {
    name: "showdesk:page-worker",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      publicDir = config.publicDir;
    },
    async generateBundle(_options, bundle) {
      const built = Object.values(bundle).map((file) => ({
        name: file.fileName,
        content: file.type === "chunk" ? file.code : file.source,
      }));
      const copied = filesIn(publicDir).map((name) => ({ name, content: readFileSync(join(publicDir, name)) }));
      const files = [...built, ...copied].filter(({ name }) => !name.endsWith(".map"));
      // The page itself is asked for as `./`, the only name it has on a phone.
      const names = files.map(({ name }) => name).filter((name) => name !== "index.html");
      const source = await workerCode(names.sort(), versionOf(files));
      this.emitFile({ type: "asset", fileName: NAME, source });
    },
  };
}

async function workerCode(files: readonly string[], version: string): Promise<string> {
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    define: { __FILES__: JSON.stringify(files), __VERSION__: JSON.stringify(version) },
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      lib: { entry: SOURCE, formats: ["iife"], name: "worker", fileName: () => NAME },
    },
  });
  const [output] = [built].flat();
  if (output === undefined || !("output" in output)) throw new Error("the worker was watched, not built");
  return output.output[0].code;
}

/** A name for exactly these files. */
function versionOf(files: readonly { readonly name: string; readonly content: string | Uint8Array }[]): string {
  const hash = createHash("sha256");
  for (const { name, content } of [...files].sort((one, other) => (one.name < other.name ? -1 : 1))) {
    hash.update(name).update("\0").update(content).update("\0");
  }
  return hash.digest("hex").slice(0, VERSION_CHARS);
}

function filesIn(folder: string): string[] {
  if (folder === "") return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
