// Every vector of testdata/packs gets the exit code and the code that it asks for; look-ups say what the set says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { applyDelta, exitCode, parseTime, second } from "../src/index.js";
import { packOf, type PackVector, packVector, packVectors, refused, uscc } from "./corpus.js";

test("pack vectors", async () => {
  const all = packVectors();
  assert.ok(all.length >= 80, `only ${all.length} vectors`);
  for (const v of all) {
    assert.deepEqual((await refused(() => packOf(v))) ?? { exit: 0, code: "OK" }, { exit: v.exit, code: v.code }, v.name);
  }
  console.log(`${all.length} pack vectors, ${all.filter((v) => v.exit !== 0).length} of them not accepted`);
});

test("look-ups", async () => {
  const members: Record<string, (n: number) => boolean> = {
    "ok-serious": (n) => n < 7,
    "ok-negative": (n) => n < 12,
    "ok-empty": () => false,
    "ok-one": (n) => n === 3,
    "delta-ok": (n) => n >= 2 && n < 9,
    "delta-ok-to-empty": () => false,
  };
  for (const [name, isIn] of Object.entries(members)) {
    const v = packVector(name + ".xlv");
    const at = parseTime(v.at)!;
    const pack = await packOf(v);
    let size = 0;
    for (let n = 0; n < 40; n++) {
      const v = pack.judge(uscc(n), at);
      assert.deepEqual([v.holds, v.code, exitCode(v)], isIn(n) ? [false, "E_CLAIM", 6] : [true, "OK", 0], `${name}: firm ${n}`);
      if (isIn(n)) size++;
    }
    assert.equal(pack.size, size);
    const code = uscc(0);
    for (const bad of ["", code.slice(0, 17), code + " ", code.toLowerCase(), "９" + code.slice(1), code.slice(0, 17) + "!"]) {
      assert.deepEqual(await refused(() => pack.judge(bad, at)), { exit: 2, code: "E_POLICY" }, `${name}: ${bad}`);
    }
  }
});

test("a pack that is kept open grows old, and keeps nothing of the file", async () => {
  const v = packVector("ok-serious.xlv");
  const pack = await packOf(v);
  v.payload.fill(0);
  assert.equal(pack.judge(uscc(0), pack.time).holds, false);
  const after = (seconds: bigint) => refused(() => pack.checkAt(pack.time + seconds * second));
  assert.equal(await after(3600n), undefined);
  assert.deepEqual(await refused(() => pack.judge(uscc(0), pack.time + 3601n * second)), { exit: 3, code: "E_STALE" });
  assert.deepEqual(await after(3601n), { exit: 3, code: "E_STALE" });
  assert.deepEqual(await after(366n * 86_400n), { exit: 4, code: "E_TRUST_EXPIRED" });
  assert.deepEqual(await after(-61n), { exit: 1, code: "E_HEADER_FUTURE" });
  assert.deepEqual(await refused(() => pack.checkAt(undefined as unknown as bigint)), { exit: 2, code: "E_POLICY" });
});

test("a delta that changes nobody gives the members of the older pack, byte for byte", () => {
  const v = packVector("delta-ok-same.xlv");
  const made = applyDelta(v.base!, v.payload);
  assert.deepEqual(made.subarray(-7 * 32), new Uint8Array(v.base!.subarray(-7 * 32)));
});

test("a changed bit of a pack or of a delta is seen", async () => {
  const accepted: string[] = [];
  for (const name of ["ok-serious.xlv", "delta-ok.xlv"]) {
    const v = packVector(name);
    for (let i = 0; i < v.payload.length; i += 5) {
      const payload = Uint8Array.from(v.payload);
      payload[i]! ^= 1 << (i % 8);
      const changed: PackVector = { ...v, payload };
      if ((await refused(() => packOf(changed))) === undefined) accepted.push(`${name}: byte ${i}`);
    }
  }
  assert.deepEqual(accepted, []);
});
