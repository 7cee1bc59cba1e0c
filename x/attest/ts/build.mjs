// node build.mjs test: bundles each test/*.test.ts into node_modules/.build/test/, for node --test.

import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";

const [what] = process.argv.slice(2);
switch (what) {
  case "test":
    rmSync("node_modules/.build/test", { recursive: true, force: true });
    await build({
      entryPoints: readdirSync("test").filter((f) => f.endsWith(".test.ts")).map((f) => `test/${f}`),
      outdir: "node_modules/.build/test",
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      target: "node20",
      format: "esm",
      external: ["playwright-core"],
      logLevel: "warning",
    });
    break;
  default:
    console.error("usage: node build.mjs test");
    process.exit(2);
}
