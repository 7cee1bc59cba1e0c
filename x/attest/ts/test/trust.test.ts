// Trust files as large as they may be.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { parseTrust, verifyMany, parseClaim, parseTime } from "../src/index.js";
import { readJson } from "../src/json.js";
import { vectorDir, vectors } from "./corpus.js";

/** best is the shortest of five times for which something uses the processor, in milliseconds: other programs run beside it. */
async function best(f: () => unknown): Promise<number> {
  let shortest = Infinity;
  for (let i = 0; i < 5; i++) {
    const start = process.cpuUsage();
    await f();
    const { user, system } = process.cpuUsage(start);
    shortest = Math.min(shortest, (user + system) / 1000);
  }
  return shortest;
}

test("what a trust file of thousands of ranges costs is reading it", async () => {
  const v = vectors().find((v) => v.name === "trust-ranges-most.xlv")!;
  const file = readFileSync(vectorDir + "trust-ranges-most.json");
  const reading = await best(() => readJson(file.toString()));
  const judging = await best(() => {
    const q = v.question;
    return verifyMany(q.bundle, parseTrust(file), { subject: "", claim: parseClaim(q.claim), maxAge: q.maxAge, now: parseTime(q.at)! });
  });
  console.log(`text ${reading.toFixed(1)} ms, trust file and bundle ${judging.toFixed(1)} ms`);
  assert.ok(judging < 20 * reading, `the text is read in ${reading} ms, judged with in ${judging} ms`);
});

test("a number of a million digits is refused before it is made", async () => {
  const text = `{"version": ${"9".repeat(1_000_000)}}`;
  const file = new TextEncoder().encode(text);
  const making = await best(() => BigInt("9".repeat(1_000_000)));
  const refusing = await best(() => assert.throws(() => parseTrust(file), /out of range/));
  console.log(`made in ${making.toFixed(1)} ms, refused in ${refusing.toFixed(1)} ms`);
  assert.ok(refusing < making / 2, `the number is made in ${making} ms, refused in ${refusing} ms`);
});

test("a trust file has at most one MiB", () => {
  const file = readFileSync(vectorDir + "trust-ranges-key-again.json");
  const padded = (size: number) => Buffer.concat([file, Buffer.alloc(size - file.length, " ")]);
  parseTrust(padded(1024 * 1024));
  assert.throws(() => parseTrust(padded(1024 * 1024 + 1)), /bytes, more than/);
});
