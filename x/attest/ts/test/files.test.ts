// Packs, deltas, anchor proofs, receipts and rotations that the Go implementation has judged (TestFilesToJudge in x/attest), judged again. XINLIAN_SECOND names
// the folder; `scripts/dev second` makes it.

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { hex } from "../src/bytes.js";
import { applyDelta, checkAnswer, exitCode, openAnchorProof, openPack, parseClaim, parseTime, parseTrust, Refusal, rotate } from "../src/index.js";
import { uscc } from "./corpus.js";

const dir = process.env["XINLIAN_SECOND"];
const skip = dir === undefined ? "XINLIAN_SECOND names no folder; scripts/dev second" : false;

interface Judged {
  kind: string;
  file: string;
  base?: string;
  trust: string;
  claim?: string;
  max_age?: string;
  at: string;
  receipt?: string;
  salt?: string;
  place?: string;
  path?: string[];
  bundle?: string;
  opening?: string;
  exit: number;
  code: string;
  said?: string;
}

const bytes = (s: string) => new Uint8Array(Buffer.from(s, "base64"));
const digits = (s: string) => new Uint8Array(Buffer.from(s, "hex"));

/** say is what an accepted file says, in the words of the Go test. */
async function say(j: Judged): Promise<string> {
  const now = parseTime(j.at)!;
  if (j.kind.startsWith("rotation")) return Buffer.from(await rotate(bytes(j.base ?? ""), bytes(j.file), now)).toString("base64");
  const trust = parseTrust(bytes(j.trust));
  if (j.claim !== undefined) {
    const file = j.base === undefined ? bytes(j.file) : applyDelta(bytes(j.base), bytes(j.file));
    const p = await openPack(file, trust, { subject: "", claim: parseClaim(j.claim), maxAge: BigInt(j.max_age!), now });
    const look = Array.from({ length: 20 }, (_, n) => (p.judge(uscc(n), now).holds ? "0" : "1")).join("");
    return `${hex(p.root)} ${p.size} ${p.height} ${look}`;
  }
  const a = await openAnchorProof(bytes(j.file), trust, { now });
  if (j.place === undefined) return `${a.gateway} ${a.hour} ${hex(a.root)} ${a.blockHeight} ${a.headerHeight}`;
  const r = a.covers(bytes(j.receipt ?? ""), digits(j.salt ?? ""), BigInt(j.place), (j.path ?? []).map(digits));
  if (j.bundle !== undefined) checkAnswer(r, bytes(j.bundle), bytes(j.opening ?? ""));
  return `${r.subject} ${r.requester} ${r.purpose} ${r.atHeight} ${r.atTime} ${r.clockMs} ${r.refusal} ${r.latencyUs} ${hex(r.answerDigest)}`;
}

test("the same of every file as in Go", { skip }, async () => {
  const wrong: string[] = [];
  const counts: Record<string, number> = {};
  for await (const line of createInterface({ input: createReadStream(dir + "/files.jsonl") })) {
    const j = JSON.parse(line) as Judged;
    let got = { exit: 0, code: "OK", said: "" as string | undefined, text: "" };
    try {
      got.said = await say(j);
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
      got = { exit: exitCode(e), code: e.code, said: undefined, text: e.text };
    }
    counts[j.kind] = (counts[j.kind] ?? 0) + 1;
    if (got.exit !== j.exit || got.code !== j.code || got.said !== j.said) {
      wrong.push(`${j.kind}: exit ${got.exit} ${got.code} (${got.text}) ${got.said}, Go: ${j.exit} ${j.code} ${j.said}; ${line.slice(0, 3000)}`);
    }
  }
  console.log(counts, `${wrong.length} differ`);
  assert.deepEqual(wrong.slice(0, 10), []);
});
