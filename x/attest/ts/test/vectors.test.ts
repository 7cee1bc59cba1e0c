// Every vector of testdata gets the exit code, and the code, that it asks for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { judge, vectors } from "./corpus.js";

test("vectors", async () => {
  const all = vectors();
  assert.ok(all.length >= 180, `only ${all.length} vectors`);
  const wrong: string[] = [];
  for (const v of all) {
    const got = await judge(v.question);
    if (got.exit !== v.exit || (v.code !== "*" && got.code !== v.code)) {
      wrong.push(`${v.name}: exit ${got.exit} ${got.code} (${got.refusal?.text ?? ""}), want ${v.exit} ${v.code}`);
    }
  }
  console.log(`${all.length} vectors, ${all.filter((v) => v.exit !== 0).length} of them not accepted`);
  assert.deepEqual(wrong, []);
});
