// Trust files as large as they may be.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { parseTrust, verifyMany, parseClaim, parseTime } from "../src/index.js";
import { readJson } from "../src/json.js";
import { vectorDir, vectors } from "./corpus.js";

test("what a trust file of thousands of ranges costs is reading it", async () => {
  const v = vectors().find((v) => v.name === "trust-ranges-most.xlv")!;
  const file = readFileSync(vectorDir + "trust-ranges-most.json");
  const best = async (f: () => unknown): Promise<number> => {
    let shortest = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      await f();
      shortest = Math.min(shortest, performance.now() - start);
    }
    return shortest;
  };
  const reading = await best(() => readJson(file.toString()));
  const judging = await best(() => {
    const q = v.question;
    return verifyMany(q.bundle, parseTrust(file), { subject: "", claim: parseClaim(q.claim), maxAge: q.maxAge, now: parseTime(q.at)! });
  });
  console.log(`text ${reading.toFixed(1)} ms, trust file and bundle ${judging.toFixed(1)} ms`);
  assert.ok(judging < 20 * reading, `the text is read in ${reading} ms, judged with in ${judging} ms`);
});

test("a number of a million digits is refused before it is made", () => {
  const file = new TextEncoder().encode(`{"version": ${"9".repeat(1_000_000)}}`);
  const start = performance.now();
  readJson(new TextDecoder().decode(file));
  const reading = performance.now() - start;
  assert.throws(() => parseTrust(file), /out of range/);
  const judging = performance.now() - start - reading;
  assert.ok(judging < 20 * reading, `the text is read in ${reading} ms, refused in ${judging} ms`);
});

test("a trust file has at most one MiB", () => {
  const file = readFileSync(vectorDir + "trust-ranges-key-again.json");
  const padded = (size: number) => Buffer.concat([file, Buffer.alloc(size - file.length, " ")]);
  parseTrust(padded(1024 * 1024));
  assert.throws(() => parseTrust(padded(1024 * 1024 + 1)), /bytes, more than/);
});
