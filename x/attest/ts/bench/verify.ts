// npm run bench: what a verdict costs, against n single verifications of a signature in the same run: by @noble/curves (ZIP-215), and by WebCrypto
// where the platform has ed25519. n is the number of signatures of the bundle. Rounds alternate and the best of each counts, so that
// interruptions and garbage collection are left out on all sides. Processor time is that of all threads.

import { ed25519 } from "@noble/curves/ed25519.js";

import { decodeBundle, parseClaim, parseTime, parseTrust, verify } from "../src/index.js";
import type { Block } from "../src/bundle.js";
import { platformAccepts } from "../src/ed25519.js";
import { vectors } from "../test/corpus.js";

const rounds = Number(process.env["XINLIAN_ROUNDS"] ?? 100);

interface Cost {
  wall: number; // ms
  cpu: number; // ms
}

async function costOf(f: () => Promise<unknown>): Promise<Cost> {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  await f();
  const used = process.cpuUsage(cpu);
  return { wall: performance.now() - wall, cpu: (used.user + used.system) / 1000 };
}

for (const name of ["ok-present.xlv", "ok-validators-21.xlv", "ok-validators-100.xlv"]) {
  const q = vectors().find((v) => v.name === name)!.question;
  const policy = { subject: q.subject, claim: parseClaim(q.claim), maxAge: q.maxAge, now: parseTime(q.at)! };
  const block = decodeBundle(q.bundle).block as Block;
  const n = block.commit.times.length;
  const key = ed25519.keygen(new Uint8Array(32).fill(7));
  const message = new Uint8Array(130);
  const signature = ed25519.sign(message, key.secretKey);
  const each = Array.from({ length: n });
  const tasks = {
    verify: () => verify(q.bundle, parseTrust(q.trust), policy),
    noble: async () => each.forEach(() => ed25519.verify(signature, message, key.publicKey, { zip215: true })),
    platform: () => Promise.all(each.map(() => platformAccepts(key.publicKey, message, signature))),
  };
  const best: Record<string, Cost> = {};
  for (let i = 0; i < rounds; i++) {
    for (const [task, f] of Object.entries(tasks)) {
      const c = await costOf(f);
      const b = best[task] ?? c;
      best[task] = { wall: Math.min(b.wall, c.wall), cpu: Math.min(b.cpu, c.cpu) };
    }
  }
  const [v, noble, platform] = [best["verify"]!, best["noble"]!, best["platform"]!];
  const ratio = (a: number, b: number) => (a / b).toFixed(2);
  console.log(
    `${block.validators!.powers.length} validators, ${n} signatures: wall ${v.wall.toFixed(2)} ms, processor ${v.cpu.toFixed(2)} ms;`,
    `to ${n} of noble ${ratio(v.wall, noble.wall)} and ${ratio(v.cpu, noble.cpu)},`,
    `to ${n} of WebCrypto ${ratio(v.wall, platform.wall)} and ${ratio(v.cpu, platform.cpu)}`,
  );
}
