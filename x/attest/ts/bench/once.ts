// One task for a platform that has done nothing yet, or for one that does it again. cold.ts runs it, each time in a new process or a new page.

import { decodeBundle, parseClaim, parseTime, parseTrust, verify } from "../src/index.js";
import { platformAccepts } from "../src/ed25519.js";
import { sha256 } from "../src/tree.js";

/** Given is what a task needs; bytes are base64. */
export interface Given {
  bundle: string;
  trust: string;
  subject: string;
  claim: string;
  maxAge: string;
  at: string;
  signatures: { key: string; message: string; signature: string }[]; // as many as the bundle has
}

const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** once gives the milliseconds that a task takes. */
async function once(task: string, g: Given): Promise<number> {
  const [bundle, trust] = [bytes(g.bundle), bytes(g.trust)];
  const all = g.signatures.map((s) => ({ key: bytes(s.key), message: bytes(s.message), signature: bytes(s.signature) }));
  const { ed25519 } = task === "noble" ? await import("../src/portable-ed25519.js") : { ed25519: undefined };
  const began = performance.now();
  let ok = true;
  switch (task) {
    case "verify": {
      const policy = { subject: g.subject, claim: parseClaim(g.claim), maxAge: BigInt(g.maxAge), now: parseTime(g.at)! };
      ok = (await verify(bundle, parseTrust(trust), policy)).holds;
      break;
    }
    case "read":
      parseTrust(trust);
      decodeBundle(bundle);
      break;
    case "hash":
      for (let i = 0; i < 42 + (17 * all.length) / 3; i++) sha256(all[0]!.message.subarray(0, 65)); // 59 for 3 signatures of 4, 127 for 15 of 21
      break;
    case "noble":
      ok = all.every((s) => ed25519!.verify(s.signature, s.message, s.key, { zip215: true }));
      break;
    case "webcrypto":
      ok = (await Promise.all(all.map((s) => platformAccepts(s.key, s.message, s.signature)))).every(Boolean);
      break;
  }
  const took = performance.now() - began;
  if (!ok) throw new Error(`${task} says no`);
  return took;
}

/** again does a task many times, one after the other, and gives the milliseconds of each in ascending order. */
async function again(task: string, g: Given, rounds: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < rounds; i++) took.push(await once(task, g));
  return took.sort((a, b) => a - b);
}

Object.assign(globalThis, { once, again });
