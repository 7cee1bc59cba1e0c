// The questions that the Go implementation has judged (TestSecondImplementation in x/attest), judged again: same exit code, same code,
// same view of every verdict. XINLIAN_SECOND names the folder; `scripts/dev second` makes it.

import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { unhex } from "../src/bytes.js";
import { platformAccepts, verifySignature } from "../src/ed25519.js";
import { verdictView } from "../src/view.js";
import { judge } from "./corpus.js";

const dir = process.env["XINLIAN_SECOND"];
const skip = dir === undefined ? "XINLIAN_SECOND names no folder; scripts/dev second" : false;

interface Judged {
  kind: string;
  bundle: string;
  trust: string;
  headers: string[];
  witness?: string;
  stamps: string[];
  subject: string;
  claim: string;
  max_age: string;
  at: string;
  exit: number;
  code: string;
  view?: unknown;
}

/** comparable leaves out what people read in each program's own words, and how many U+FFFD stand for bytes that are no UTF-8. */
function comparable(view: object): unknown {
  return JSON.parse(JSON.stringify({ ...view, reason: "" }).replace(/\ufffd+/g, "\ufffd"));
}

test("the same verdicts as in Go", { skip }, async () => {
  const wrong: string[] = [];
  const counts: Record<string, number> = {};
  for await (const line of createInterface({ input: createReadStream(dir + "/judged.jsonl") })) {
    const j = JSON.parse(line) as Judged;
    const got = await judge({
      bundle: Buffer.from(j.bundle, "base64"),
      trust: Buffer.from(j.trust, "base64"),
      headers: j.headers.map((h) => Buffer.from(h, "base64")),
      stamps: j.stamps.map((s) => Buffer.from(s, "base64")),
      witness: j.witness === undefined ? undefined : Buffer.from(j.witness, "base64"),
      subject: j.subject,
      claim: j.claim,
      maxAge: BigInt(j.max_age),
      at: j.at,
    });
    counts[j.kind] = (counts[j.kind] ?? 0) + 1;
    if (got.exit !== j.exit || got.code !== j.code) {
      wrong.push(`${j.kind}: exit ${got.exit} ${got.code} (${got.refusal?.text ?? ""}), Go: ${j.exit} ${j.code}; ${line.replace(/"bundle":"[^"]*"/, "").slice(0, 2000)}`);
      continue;
    }
    if (j.view === undefined) continue;
    const view = verdictView(got.refusal ?? got.verdicts.find((v) => !v.holds) ?? got.verdicts[0]!, got.policy!);
    try {
      assert.deepEqual(comparable(view), comparable(j.view as object));
    } catch (e) {
      wrong.push(`${j.kind}: another view: ${(e as Error).message}`);
    }
  }
  console.log(counts, `${wrong.length} differ`);
  assert.deepEqual(wrong.slice(0, 10), []);
});

test("signatures: ZIP-215, as in Go", { skip }, async () => {
  const all = JSON.parse(readFileSync(dir + "/signatures.json", "utf8")) as {
    key: string;
    message: string;
    signature: string;
    valid: boolean;
  }[];
  let platform = 0;
  const wrong: string[] = [];
  for (const s of all) {
    const [key, message, signature] = [unhex(s.key)!, unhex(s.message)!, unhex(s.signature)!];
    if ((await verifySignature(key, message, signature)) !== s.valid) wrong.push(`key ${s.key}, signature ${s.signature}: want ${s.valid}`);
    // The argument of ed25519.ts, seen on this platform: its yes is never more than ZIP-215 says.
    const accepts = await platformAccepts(key, message, signature);
    if (accepts) platform++;
    if (accepts && !s.valid) wrong.push(`key ${s.key}, signature ${s.signature}: WebCrypto accepts it`);
  }
  console.log(`${all.length} signatures, ${all.filter((s) => s.valid).length} valid, ${platform} of them for WebCrypto too`);
  assert.deepEqual(wrong, []);
});
