// Every vector of testdata/anchors gets the exit code and the code that it asks for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { checkAnswer } from "../src/index.js";
import { anchorOf, anchorVectors, refused } from "./corpus.js";

test("anchor vectors", async () => {
  const all = anchorVectors();
  assert.ok(all.length >= 85, `only ${all.length} vectors`);
  for (const v of all) {
    assert.deepEqual((await refused(() => anchorOf(v))) ?? { exit: 0, code: "OK" }, { exit: v.exit, code: v.code }, v.name);
  }
  console.log(`${all.length} anchor vectors, ${all.filter((v) => v.exit !== 0).length} of them not accepted`);
});

test("a changed bit of an anchor proof is seen", async () => {
  const v = anchorVectors().find((v) => v.name === "ok.xlv")!;
  const accepted: number[] = [];
  for (let i = 0; i < v.payload.length; i += 5) {
    const payload = Uint8Array.from(v.payload);
    payload[i]! ^= 1 << (i % 8);
    if ((await refused(() => anchorOf({ ...v, payload }))) === undefined) accepted.push(i);
  }
  assert.deepEqual(accepted, []);
});

test("a receipt says what its bytes say", async () => {
  const v = anchorVectors().find((v) => v.name === "receipt-ok.xlv")!;
  const a = await anchorOf(v);
  const r = a.covers(v.receipt!, v.salt, v.place, v.path);
  assert.deepEqual([r.purpose, r.asked, r.opened, r.atHeight, r.gateway, a.blockHeight, a.headerHeight], [1, [1], [], 88n, a.gateway, 95n, 101n]);
});

test("a changed bit of an answer is seen", async () => {
  const v = anchorVectors().find((v) => v.name === "receipt-answer-ok.xlv")!;
  const r = (await anchorOf(v)).covers(v.receipt!, v.salt, v.place, v.path);
  const { bundle, opening } = v.answer!;
  const accepted: string[] = [];
  for (const [what, file] of Object.entries({ bundle, opening })) {
    for (let i = 0; i < file.length; i++) {
      const changed = Uint8Array.from(file);
      changed[i]! ^= 1 << (i % 8);
      if ((await refused(() => checkAnswer(r, what === "bundle" ? changed : bundle, what === "opening" ? changed : opening))) === undefined) accepted.push(`${what} ${i}`);
    }
  }
  assert.deepEqual(accepted, []);
});
