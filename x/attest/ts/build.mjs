// node build.mjs test, node build.mjs browser: bundles each *.test.ts of that folder into node_modules/.build/, for node --test.
// node build.mjs bench: bundles bench/*.ts in the same way, for node.
// node build.mjs page [FILE]: writes the page that a gateway serves: one file, script and style inside, and a policy that allows those two alone.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

import { build } from "esbuild";

async function tests(folder) {
  rmSync(`node_modules/.build/${folder}`, { recursive: true, force: true });
  await build({
    entryPoints: readdirSync(folder).filter((f) => f.endsWith(folder === "bench" ? ".ts" : ".test.ts")).map((f) => `${folder}/${f}`),
    outdir: `node_modules/.build/${folder}`,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    external: ["playwright-core", "esbuild"],
    logLevel: "warning",
  });
}

async function page(file) {
  const bundled = await build({
    entryPoints: ["page/page.ts", "page/page.css"],
    outdir: "out",
    write: false,
    bundle: true,
    minify: true,
    legalComments: "inline",
    charset: "utf8",
    platform: "browser",
    target: ["chrome111", "firefox115", "safari16.4"],
    format: "iife",
    logLevel: "warning",
  });
  const part = (ext) => bundled.outputFiles.find((f) => f.path.endsWith(ext)).text.trimEnd();
  const [script, style] = [part(".js"), part(".css")];
  if (/<\/(script|style)/i.test(script + style)) throw new Error("the script or the style would end its element");
  const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "img-src data:", // the empty icon, which keeps a browser from asking for one
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  const html = readFileSync("page/page.html", "utf8")
    .replace("POLICY", () => policy)
    .replace("STYLE", () => style)
    .replace("SCRIPT", () => script);
  writeFileSync(file, html);
}

const [what, file] = process.argv.slice(2);
switch (what) {
  case "test":
  case "browser":
  case "bench":
    await tests(what);
    break;
  case "page":
    await page(file ?? "../../../node/gateway/page/verify.html");
    break;
  default:
    console.error("usage: node build.mjs test | browser | bench | page [FILE]");
    process.exit(2);
}
