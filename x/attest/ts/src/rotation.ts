// Rotation (信任文件轮换): the section "Rotation" of PROOF.md, step by step.

import { concat, equal, textBytes, unbase64, unhex } from "./bytes.js";
import { hashBytes, signatureBytes } from "./bundle.js";
import { verifyWitness } from "./ed25519.js";
import { invalid, Refusal } from "./errors.js";
import { formatTime } from "./time.js";
import { sha256 } from "./tree.js";
import { covers, Fields, parseTrust, readFile, type Trust, versionOf } from "./trust.js";
import { checkTime } from "./verify.js";

const bytesMax = 4 * 1024 * 1024;
const signaturesMax = 1024;

interface Signature {
  readonly pubKey: Uint8Array;
  readonly signature: Uint8Array;
}

const bad = (what: string): Refusal => invalid(1, "E_ROTATION_FORM", `rotation file: ${what}`);

/** rotate gives the trust file that follows the one in force. All are bytes of files; now is the clock, nanoseconds since 1970. */
export async function rotate(oldFile: Uint8Array, rotation: Uint8Array, now: bigint): Promise<Uint8Array> {
  // 1. The time, the old file and the form of the rotation.
  checkTime(now);
  const old = parseTrust(oldFile);
  const r = read(rotation);

  // 2. It begins at the old file.
  if (!equal(r.from, sha256(oldFile))) throw invalid(2, "E_ROTATION_FROM", "the rotation does not begin at this trust file");

  // 3. The new file follows.
  follows(old, r.trust);

  // 4. Signatures of keys in force.
  const message = concat(textBytes("xinlian/trust-rotation/v1\n"), sha256(oldFile), sha256(r.trust));
  const height = old.inForce();
  const set = old.validators.filter((v) => covers(v, height));
  let signed = 0n;
  for (const [i, s] of r.signatures.entries()) {
    const wrong = (what: string) => invalid(4, "E_ROTATION_SIG", `signature ${i} ${what}`);
    const by = set.find((v) => equal(v.pubKey, s.pubKey));
    if (by === undefined) throw wrong("is of a key that the old trust file does not have in force");
    if (r.signatures.slice(0, i).some((o) => equal(o.pubKey, s.pubKey))) throw wrong("is of a key that has signed already");
    if (!(await verifyWitness(s.pubKey, message, s.signature))) throw wrong("does not verify");
    signed += by.power;
  }

  // 5. The old file has not ended, and so the new one has not; more than two thirds; in their windows.
  const untrusted = (code: "E_TRUST_EXPIRED" | "E_ROTATION_QUORUM" | "E_TRUST_WINDOW", text: string) => new Refusal("untrusted", 5, code, text);
  if (now > old.notAfter) throw untrusted("E_TRUST_EXPIRED", `the trust file ended at ${formatTime(old.notAfter)}; get the current one`);
  const total = set.reduce((sum, v) => sum + v.power, 0n);
  if (3n * signed <= 2n * total) throw untrusted("E_ROTATION_QUORUM", `the new trust file is signed by ${signed} of ${total}, not more than two thirds`);
  if (!old.inWindow(height, now)) {
    throw untrusted("E_TRUST_WINDOW", "a validator of the set in force is outside its window of time in the old trust file");
  }
  return r.trust;
}

/** follows is step 3. It holds rotations to one direction: no way of them leads back to a file that was left, and a set that has an end keeps it. */
function follows(old: Trust, file: Uint8Array): void {
  const wrong = (what: string) => invalid(3, "E_ROTATION_TRUST", `the new trust file ${what}`);
  let next: Trust;
  try {
    next = parseTrust(file);
  } catch (e) {
    if (!(e instanceof Refusal) || e.verdict === "unsupported") throw e;
    throw wrong(`cannot be used: ${e.text}`);
  }
  if (next.chainId !== old.chainId) throw wrong("is of another chain");
  if (next.anchor.height < old.anchor.height) throw wrong(`has an older anchor (height ${next.anchor.height}) than the old one (${old.anchor.height})`);
  if (next.anchor.height === old.anchor.height && !equal(next.anchor.headerHash, old.anchor.headerHash)) {
    throw wrong(`has another anchor at height ${next.anchor.height}`);
  }
  if (next.notAfter < old.notAfter) throw wrong(`ends at ${formatTime(next.notAfter)}, before the old one (${formatTime(old.notAfter)})`);
  const [was, is] = [old.inForce(), next.inForce()];
  if (is < was) throw wrong(`has its newest set from height ${is}, the old one from ${was}: it goes back to a set that was replaced`);
  if (next.anchor.height === old.anchor.height && next.notAfter === old.notAfter && is === was) {
    throw wrong("is no newer: neither its end nor its anchor nor its newest set is later than in the old one");
  }
  // The old file's replaced sets, wherever either file has another from there on.
  for (const { from: h } of [...old.epochs, ...next.epochs]) {
    const [before, after] = [old.epochAt(h), next.epochAt(h)];
    if (h >= was || before?.end === undefined || after === undefined || after.size === 0) continue;
    if (after.end === undefined || after.end > before.end) {
      throw wrong(`lets the set at height ${h} go on, which ends at ${formatTime(before.end)} in the old one: whoever has its old keys by now could sign`);
    }
  }
}

/** read is the form of a rotation file (轮换文件). */
function read(raw: Uint8Array): { from: Uint8Array; trust: Uint8Array; signatures: Signature[] } {
  const json = readFile(raw, bytesMax, bad);
  const v = versionOf(json, bad);
  if (v !== 1n) throw new Refusal("unsupported", 1, "E_VERSION", `a rotation file of version ${v}; this program reads version 1`);
  const top = new Fields(json, "", ["version", "from", "trust", "signatures"], bad);
  const from = unhex(top.text("from"));
  if (from === undefined || from.length !== hashBytes) throw bad("from is not 64 hexadecimal digits");
  const trust = unbase64(top.text("trust"));
  if (trust === undefined) throw bad("trust is no base64");
  const rows = top.get("signatures");
  if (!Array.isArray(rows) || rows.length > signaturesMax) throw bad(`no list of at most ${signaturesMax} signatures`);
  const signatures = rows.map((row, i): Signature => {
    const f = new Fields(row, `signature ${i}: `, ["pub_key", "signature"], bad);
    const [pubKey, signature] = [unbase64(f.text("pub_key")), unbase64(f.text("signature"))];
    if (pubKey?.length !== 32 || signature?.length !== signatureBytes) throw bad(`signature ${i}: a key has 32 bytes, a signature 64, in base64`);
    return { pubKey, signature };
  });
  return { from, trust, signatures };
}
