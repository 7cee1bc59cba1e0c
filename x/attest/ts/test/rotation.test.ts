// Every vector of testdata/rotations gets the exit code and the code that it asks for, and gives the trust file that it carries.

import assert from "node:assert/strict";
import { test } from "node:test";

import { hex } from "../src/bytes.js";
import { parseTime, rotate } from "../src/index.js";
import { sha256 } from "../src/tree.js";
import { refused, rotationVectors } from "./corpus.js";

test("rotation vectors", async () => {
  const all = rotationVectors();
  assert.ok(all.length >= 30, `only ${all.length} vectors`);
  for (const v of all) {
    let gives = "";
    const got = await refused(async () => (gives = hex(sha256(await rotate(v.old, v.payload, parseTime(v.at)!)))));
    assert.deepEqual({ ...(got ?? { exit: 0, code: "OK" }), gives }, { exit: v.exit, code: v.code, gives: v.gives }, v.name);
  }
  console.log(`${all.length} rotation vectors, ${all.filter((v) => v.exit !== 0).length} of them not accepted`);
});

test("a rotation is not judged without a time", async () => {
  const v = rotationVectors().find((v) => v.exit === 0)!;
  const got = await refused(() => rotate(v.old, v.payload, undefined as unknown as bigint));
  assert.deepEqual(got, { exit: 2, code: "E_POLICY" });
});
