// The platform is what the run says: without this, a run on a platform that lacks something would show nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { platformAccepts } from "../src/ed25519.js";

const without = process.env["XINLIAN_WITHOUT"];

test(`the platform has ${without === undefined ? "all" : `no ${without}`}`, async () => {
  assert.equal(globalThis.crypto === undefined, without === "crypto");
  assert.equal(globalThis.crypto?.subtle === undefined, without !== undefined);
  assert.equal(process.getBuiltinModule === undefined, without !== undefined);
  // RFC 8032, 7.1, test 1: a platform that has ed25519 says yes to it.
  const bytes = (digits: string) => new Uint8Array(Buffer.from(digits, "hex"));
  const key = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const signature = bytes("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  assert.equal(await platformAccepts(key, new Uint8Array(), signature), without === undefined);
});
