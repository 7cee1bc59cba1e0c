// The hash of this platform and the portable one, which browsers have, are the same.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sha256 as portable } from "@noble/hashes/sha2.js";

import { sha256 } from "../src/tree.js";

test("SHA-256 of the platform", () => {
  const bytes = new Uint8Array(70_000).map((_, i) => (i * 7) ^ (i >> 8));
  for (const n of [...Array(300).keys(), 65_535, 65_536, 69_000]) {
    for (const data of [bytes.slice(0, n), bytes.subarray(n % 97, (n % 97) + n)]) assert.deepEqual(sha256(data), portable(data), `${n} bytes`);
  }
  const sum = sha256(bytes);
  sum.fill(0); // it is the caller's
  assert.deepEqual(sha256(bytes), portable(bytes));
});
