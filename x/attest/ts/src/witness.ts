// Witnesses (见证方) bound when a header existed. The part of step 11 of PROOF.md that concerns the witness file (见证文件).

import { byteText, concat, equal, textBytes, unbase64 } from "./bytes.js";
import { second } from "./bundle.js";
import { verifyWitness } from "./ed25519.js";
import { invalid, type Refusal } from "./errors.js";
import { sha256 } from "./tree.js";
import { isPrintable, type Trust, type Witness } from "./trust.js";

const noteBytesMax = 64 * 1024;
const linesMax = 64;
const aheadMax = 60n; // seconds

/** Cosigned is the header that a witness file is held against. */
export interface Cosigned {
  readonly chainId: string;
  readonly height: bigint;
  readonly hash: Uint8Array;
  readonly time: bigint; // nanoseconds
}

/** checkWitnessFile gives the names of the witnesses that count. A line that is not of a key of the trust file says nothing; one that is must be right. */
export async function checkWitnessFile(file: Uint8Array, h: Cosigned, trust: Trust, now: bigint): Promise<string[]> {
  const bad = (what: string): Refusal => invalid(11, "E_WITNESS_FORM", `witness file: ${what}`);
  if (file.length > noteBytesMax) throw bad(`${file.length} bytes, more than ${noteBytesMax}`);
  const text = byteText(file);
  const cut = text.indexOf("\n\n");
  const body = text.slice(0, cut + 1);
  const rows = text.slice(cut + 2).split("\n");
  if (cut < 0 || body.split("\n").length !== 4 || rows.pop() !== "" || rows.length < 1 || rows.length > linesMax) {
    throw bad(`it is three lines, an empty line and 1 to ${linesMax} signature lines, each ended by a line feed`);
  }
  const lines = rows.map((row) => {
    const m = /^\xe2\x80\x94 ([^ ]+) ([^ ]+)$/.exec(row); // U+2014 in UTF-8
    const sig = m === null ? undefined : unbase64(m[2]!);
    if (m === null || sig === undefined || !isPrintable(m[1]!) || sig.length <= 4) throw bad('a signature line is not "— NAME BASE64"');
    return { name: m[1]!, sig };
  });
  if (!isPrintable(h.chainId)) throw bad("the chain id cannot stand in a checkpoint");
  const checkpoint = `xinlian.header/v1/${h.chainId}\n${h.height}\n${base64(h.hash)}\n`;
  if (body !== checkpoint) throw invalid(11, "E_WITNESS_OTHER", `the witness file is not of the header of height ${h.height}`);

  const signed = new Set<Witness>();
  const names: string[] = [];
  for (const { name, sig } of lines) {
    const w = trust.witnesses.keys.find((k) => k.name === name && equal(keyId(k), sig.subarray(0, 4)));
    if (w === undefined) continue;
    if (signed.has(w)) throw bad(`the witness ${name} signs twice`);
    signed.add(w);
    if (await cosigns(w, textBytes(checkpoint), sig, h, now, trust.witnesses.withinSeconds, bad)) names.push(name);
  }
  return names;
}

/** cosigns judges one cosignature of a witness that the trust file knows. */
async function cosigns(
  w: Witness,
  checkpoint: Uint8Array,
  sig: Uint8Array,
  h: Cosigned,
  now: bigint,
  within: bigint,
  bad: (what: string) => Refusal,
): Promise<boolean> {
  if (sig.length !== 76) throw bad(`the cosignature of ${w.name} has ${sig.length} bytes instead of 76`);
  const wrongTime = (what: string) => invalid(11, "E_WITNESS_TIME", `the cosignature of ${w.name} ${what}`);
  const at = new DataView(sig.buffer, sig.byteOffset + 4, 8).getBigInt64(0);
  if (at <= 0n) throw wrongTime("has no time");
  const message = concat(textBytes(`cosignature/v1\ntime ${at}\n`), checkpoint);
  if (!(await verifyWitness(w.pubKey, message, sig.subarray(12)))) {
    throw invalid(11, "E_WITNESS_SIG", `the cosignature of ${w.name} does not verify`);
  }
  return evidenceTime(at, h, now, within, wrongTime);
}

/**
 * evidenceTime judges, in whole seconds, the time of a cosignature or time stamp: none is from the future, none was made before its header, and
 * one that was made too long afterwards does not count.
 */
export function evidenceTime(at: bigint, h: Cosigned, now: bigint, within: bigint, wrong: (what: string) => Refusal): boolean {
  const clock = now >= 0n ? now / second : -((-now + second - 1n) / second); // rounded down
  const header = h.time / second;
  if (at > clock + aheadMax) throw wrong("is ahead of the clock");
  if (at < header - aheadMax) throw wrong("is older than the header");
  return within === 0n || at - header <= within;
}

/** keyId is how a signature line names a key: the first four bytes of SHA-256(name ‖ line feed ‖ 4 ‖ key). */
function keyId(w: Witness): Uint8Array {
  return sha256(concat(textBytes(w.name + "\n\x04"), w.pubKey)).subarray(0, 4);
}

const base64 = (b: Uint8Array): string => btoa(byteText(b));
