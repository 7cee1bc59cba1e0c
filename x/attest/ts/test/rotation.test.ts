// Every vector of testdata/rotations gets the exit code and the code that it asks for, and gives the trust file that it carries.

import assert from "node:assert/strict";
import { test } from "node:test";

import { hex } from "../src/bytes.js";
import { parseTime, parseTrust, rotate } from "../src/index.js";
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

test("a trust file with a key that is far too large is refused at once", () => {
  const v = rotationVectors().find((v) => v.exit === 0)!;
  const of = (tag: number, ...parts: Uint8Array[]): Uint8Array => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Uint8Array.of(tag, 0x83, content.length >> 16, (content.length >> 8) & 255, content.length & 255), content]);
  };
  const short = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
  const pair = of(0x30, of(2, new Uint8Array(300_000).fill(0x55)), short("0203010001"));
  const key = of(0x30, short("300d06092a864886f70d0101010500"), of(3, Uint8Array.of(0), pair));
  const json = JSON.parse(Buffer.from(v.old).toString()) as Record<string, unknown>;
  json["timestamps"] = { required: 1, authorities: [{ name: "large.example", public_key: Buffer.from(key).toString("base64") }] };
  const file = Buffer.from(JSON.stringify(json));
  const before = process.cpuUsage(); // of this process: others run beside it
  assert.throws(() => parseTrust(file), /large|RSA/);
  const { user, system } = process.cpuUsage(before);
  console.log(`refused in ${((user + system) / 1000).toFixed(1)} ms`);
  assert.ok(user + system < 5_000_000, "a number is made in quadratic time");
});
