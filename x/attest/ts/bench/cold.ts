// npm run bench-cold: what the first verdict of a program costs, against the same number of signatures as the bundle has, verified first thing by
// WebCrypto and by @noble/curves. Each time is taken in a new process of Node, or a new page of Chromium (XINLIAN_CHROMIUM) in a new context; the least and
// the median of XINLIAN_ROUNDS count. Loading the script is left out on all sides, and printed beside them for Node, as is what a verdict consists of: to read both files, and
// to hash as often as it does. Where there is Chromium, the same verdict is then taken again and again in one page, with nothing remembered from one to the next.

import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";

import { ed25519 } from "@noble/curves/ed25519.js";
import { build } from "esbuild";
import { chromium, type Page } from "playwright-core";

import { decodeBundle } from "../src/index.js";
import type { Block } from "../src/bundle.js";
import { vectors } from "../test/corpus.js";
import type { Given } from "./once.js";

const rounds = Number(process.env["XINLIAN_ROUNDS"] ?? 15);
const executablePath = process.env["XINLIAN_CHROMIUM"] ?? "/usr/bin/chromium";
const tasks = ["verify", "webcrypto", "noble", "read", "hash", "load"] as const;

const base64 = (b: Uint8Array) => Buffer.from(b).toString("base64");

function given(name: string): { g: Given; validators: number } {
  const q = vectors().find((v) => v.name === name)!.question;
  const block = decodeBundle(q.bundle).block as Block;
  const signatures = block.commit.times.map((_, i) => {
    const { secretKey, publicKey } = ed25519.keygen(new Uint8Array(32).fill(i + 1));
    const message = new Uint8Array(130).fill(i);
    return { key: base64(publicKey), message: base64(message), signature: base64(ed25519.sign(message, secretKey)) };
  });
  const g = { bundle: base64(q.bundle), trust: base64(q.trust), subject: q.subject, claim: q.claim, maxAge: String(q.maxAge), at: q.at, signatures };
  return { g, validators: block.validators!.powers.length };
}

const script = (await build({ entryPoints: ["bench/once.ts"], write: false, bundle: true, minify: true, format: "iife", target: "es2022" })).outputFiles[0]!.text;
const runner = "node_modules/.build/once.cjs";
writeFileSync(runner, `const began = performance.now();
${script}
const load = performance.now() - began;
if (process.argv[2] === "load") console.log(load);
else globalThis.once(process.argv[2], JSON.parse(require("fs").readFileSync(0, "utf8"))).then((ms) => console.log(ms));
`);

type Once = (task: string, g: Given) => Promise<number>;

interface InPage {
  once(task: string, g: object): Promise<number>;
  again(task: string, g: object, rounds: number): Promise<number[]>;
}

const names = ["ok-present.xlv", "ok-validators-21.xlv", "ok-validators-100.xlv"];

async function table(where: string, once: Once, tasks: readonly string[]): Promise<void> {
  for (const name of names.slice(0, 2)) {
    const { g, validators } = given(name);
    const times: Record<string, number[]> = {};
    for (let i = 0; i < rounds; i++) {
      for (const task of tasks) (times[task] ??= []).push(await once(task, g));
    }
    const at = (task: string, place: number) => times[task]!.sort((a, b) => a - b)[Math.floor(place * (rounds - 1))]!;
    const [v, w, n] = tasks.map((t) => at(t, 0)) as [number, number, number];
    const more = tasks.slice(3).map((t) => `${t} ${at(t, 0).toFixed(1)} (${at(t, 0.5).toFixed(1)})`);
    console.log(
      `${where}, ${validators} validators, ${g.signatures.length} signatures: first verdict ${v.toFixed(1)} ms (median ${at("verify", 0.5).toFixed(1)}),`,
      `to the signatures by WebCrypto ${(v / w).toFixed(2)} (${w.toFixed(1)} ms), by noble ${(v / n).toFixed(2)} (${n.toFixed(1)} ms);`,
      `each first thing, in ms: ${more.join(", ")}`,
    );
  }
}

await table(`Node ${process.versions.node}`, async (task, g) => Number(execFileSync(process.execPath, [runner, task], { input: JSON.stringify(g), encoding: "utf8" })), tasks);

if (existsSync(executablePath)) {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const inNewPage = async <T>(use: (page: Page) => Promise<T>): Promise<T> => {
    const context = await browser.newContext();
    await context.route("http://localhost/", (r) => r.fulfill({ body: "<!doctype html>", contentType: "text/html" }));
    const page = await context.newPage();
    await page.goto("http://localhost/"); // WebCrypto is there for a secure context alone
    await page.addScriptTag({ content: script });
    const got = await use(page);
    await context.close();
    return got;
  };
  const where = `Chromium ${browser.version()}`;
  await table(where, (task, g) => inNewPage((page) => page.evaluate(([task, g]) => (globalThis as unknown as InPage).once(task, g), [task, g] as const)), tasks.slice(0, -1)); // a page is loaded over a network
  for (const name of names) {
    const { g, validators } = given(name);
    const [v, w, n] = (await inNewPage(async (page) => {
      const all: number[][] = [];
      for (const task of tasks.slice(0, 3)) {
        all.push(await page.evaluate(([task, g, n]) => (globalThis as unknown as InPage).again(task, g, n), [task, g, 100] as const));
      }
      return all;
    })) as [number[], number[], number[]];
    const half = (all: number[]) => all[all.length >> 1]!;
    console.log(
      `${where}, ${validators} validators, ${g.signatures.length} signatures, a hundred verdicts in one page: least ${v[0]!.toFixed(2)} ms, median ${half(v).toFixed(2)};`,
      `to the median of the signatures by WebCrypto ${(half(v) / half(w)).toFixed(2)}, by noble ${(half(v) / half(n)).toFixed(2)}`,
    );
  }
  await browser.close();
} else {
  console.log(`no Chromium at ${executablePath}`);
}
