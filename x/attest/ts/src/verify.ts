// Verify: PROOF.md, step by step. No clock, no disk, no network, no memory of other bundles.

import { compare, equal } from "./bytes.js";
import { type Bundle, decodeBundle, type Header, second, timeOf } from "./bundle.js";
import { type Answer, type Claim, claimText, judge, parseClaim } from "./claim.js";
import { checkCommit } from "./commit.js";
import { invalid, Refusal, usage } from "./errors.js";
import { headerHash, setHash } from "./header.js";
import { readStanding, type Standing, standingKey, standingValue } from "./standing.js";
import { formatTime } from "./time.js";
import { appEntryLeaf, BadProof, empty, logRoot, rootOf, sha256 } from "./tree.js";
import { Trust } from "./trust.js";
import { isUSCC } from "./uscc.js";

/** headerAheadMax is how far a header may be ahead of the clock, in nanoseconds. */
export const headerAheadMax = 60n * second;

/** Policy (策略) is what the caller asks. All fields but the last are mandatory. */
export interface Policy {
  readonly subject: string; // 统一社会信用代码; empty in verifyMany
  readonly claim: Claim;
  readonly maxAge?: bigint; // of the header, against now, in nanoseconds
  readonly now: bigint; // nanoseconds since 1970; nothing here reads a clock
  /** Takes the place of maxAge: a bundle of any age passes, although the facts may have changed since. */
  readonly unsafeAnyAge?: boolean;
}

/** Verdict (结论) is what has been verified. */
export interface Verdict extends Answer {
  readonly subject: string;
  readonly claim: Claim;
  readonly holds: boolean;
  readonly standing: Standing | undefined; // undefined: not enrolled
  readonly chainId: string;
  readonly height: bigint; // of the state: that of the header less one
  readonly headerHeight: bigint;
  readonly headerHash: Uint8Array;
  readonly time: bigint; // of the header, nanoseconds since 1970
  readonly age: bigint; // nanoseconds
  readonly signedPower: bigint;
  readonly totalPower: bigint;
  readonly signers: number;
  readonly validators: number;
  readonly catalogVersion: bigint;
}

/** verify judges one bundle for policy.subject. It throws a Refusal; a verdict whose holds is false is none. */
export async function verify(bundle: Uint8Array, trust: Trust, policy: Policy): Promise<Verdict> {
  checkPolicy(policy, trust);
  if (!isUSCC(policy.subject)) {
    throw usage("E_POLICY", "policy: the subject is not a 统一社会信用代码: 18 characters, upper case, with the right check character");
  }
  return (await run(bundle, trust, policy))[0]!;
}

/** verifyMany judges every subject of one bundle; policy.subject is empty. Verdicts are sorted by subject. */
export async function verifyMany(bundle: Uint8Array, trust: Trust, policy: Policy): Promise<Verdict[]> {
  checkPolicy(policy, trust);
  if (policy.subject !== "") throw usage("E_POLICY", "a subject is named where all of the bundle are judged");
  return run(bundle, trust, policy);
}

/** checkPolicy is step 1, but for the subject. */
function checkPolicy(p: Policy, trust: Trust): void {
  if (!(trust instanceof Trust)) throw usage("E_TRUST", "no trust file");
  parseClaim(claimText(p.claim));
  if (typeof p.now !== "bigint") throw usage("E_POLICY", "policy: no time to judge age by");
  if (p.unsafeAnyAge === true ? p.maxAge !== undefined : typeof p.maxAge !== "bigint" || p.maxAge <= 0n) {
    throw usage("E_POLICY", "policy: no largest age, or a largest age and any age at once");
  }
}

async function run(bytes: Uint8Array, trust: Trust, p: Policy): Promise<Verdict[]> {
  // 2-4. Magic, size, encoding, form of every field. The caller's bytes may change while signatures are awaited.
  const b = decodeBundle(Uint8Array.from(bytes));

  // 5-8. Chain, anchor, sets, signatures.
  const block = await checkBlock(b, trust);

  // 9. The state part hashes to the header's app hash.
  checkState(b);

  // 10. Every standing is one that a state could hold, of the subject under whose key it stands.
  const standings = b.entries.map(readStanding);
  if (p.subject !== "" && !b.entries.some((e) => e.subject === p.subject)) {
    throw invalid(10, "E_SUBJECT", `the bundle does not speak of ${p.subject}`);
  }

  // 11. Not from the future.
  const time = timeOf(b.header);
  if (time - p.now > headerAheadMax) throw invalid(11, "E_HEADER_FUTURE", `the header is ${(time - p.now) / second} s ahead of the clock`);

  // 12. The trust file is in force and reaches the bundle.
  checkReach(b.header, block.links, trust, p.now);

  // 13-14. Age, then the claim.
  const age = p.now > time ? p.now - time : 0n;
  const verdicts = b.entries
    .map((e, i): Verdict => {
      const answer = judge(p.claim, standings[i]);
      return {
        ...answer,
        subject: e.subject,
        claim: p.claim,
        holds: answer.code === "OK",
        standing: standings[i],
        chainId: b.header.chainId,
        height: b.header.height - 1n,
        headerHeight: b.header.height,
        headerHash: block.hash,
        time,
        age,
        signedPower: block.signed,
        totalPower: block.total,
        signers: block.signers,
        validators: block.validators,
        catalogVersion: new DataView(b.catalog.buffer, b.catalog.byteOffset, 8).getBigUint64(0),
      };
    })
    .filter((v) => p.subject === "" || v.subject === p.subject)
    .sort((x, y) => (x.subject < y.subject ? -1 : 1));
  if (p.maxAge !== undefined && age > p.maxAge) {
    throw new Refusal(
      "stale",
      13,
      "E_STALE",
      `the header is ${age / second} s old, more than ${p.maxAge / second} s; fetch a newer bundle`,
      verdicts,
    );
  }
  return verdicts;
}

/** Link is one place where the trust file reaches the chain of sets: the header at it was signed by the file's own set. */
interface Link {
  readonly height: bigint;
  readonly time: bigint;
}

interface Block {
  readonly hash: Uint8Array;
  readonly signed: bigint;
  readonly total: bigint;
  readonly signers: number;
  readonly validators: number;
  readonly links: readonly Link[];
}

/** checkBlock is steps 5 to 8: for the header of each step in order, then for the header of the bundle. */
async function checkBlock(b: Bundle, trust: Trust): Promise<Block> {
  const links: Link[] = [];
  let set = b.validators;
  let inForce = setHash(set);
  let last: { header: Header; hash: Uint8Array } | undefined;
  for (const at of [...b.steps, { header: b.header, commit: b.commit, next: undefined }]) {
    const h = at.header;
    const hash = headerHash(h);

    // 5. The chain that was asked for; the anchor where the header is at it or right above it.
    if (h.chainId !== trust.chainId) throw invalid(5, "E_CHAIN", "the bundle is of another chain than the trust file");
    const anchor = trust.anchor;
    if (h.height === anchor.height && !equal(hash, anchor.headerHash)) {
      throw invalid(5, "E_ANCHOR", `the block at height ${h.height} is not the anchor of the trust file`);
    }
    if (h.height === anchor.height + 1n && !equal(h.lastBlockHash, anchor.headerHash)) {
      throw invalid(5, "E_ANCHOR", `the block at height ${h.height} does not follow the anchor of the trust file`);
    }

    // 6. Forward in height and time.
    if (last !== undefined) {
      if (h.height <= last.header.height || timeOf(h) <= timeOf(last.header)) {
        throw invalid(6, "E_STEP_ORDER", `the block at height ${h.height} does not come after that at height ${last.header.height}`);
      }
      if (h.height === last.header.height + 1n && !equal(h.lastBlockHash, last.hash)) {
        throw invalid(6, "E_STEP_ORDER", `the block at height ${h.height} does not follow that at height ${last.header.height}`);
      }
    }

    // 7. Signed by the set in force, which the header names.
    if (!equal(h.validatorsHash, inForce)) throw invalid(7, "E_SET_HASH", `the header at height ${h.height} names another validator set`);

    // 8. With more than two thirds of its power.
    const commit = await checkCommit(h, hash, at.commit, set);
    const believed = h.height >= anchor.height ? trust.setHashAt(h.height) : undefined;
    if (believed !== undefined && equal(believed, inForce)) links.push({ height: h.height, time: timeOf(h) });
    if (at.next === undefined) return { hash, ...commit, validators: set.powers.length, links };

    const nextHash = setHash(at.next);
    if (!equal(h.nextValidatorsHash, nextHash)) {
      throw invalid(7, "E_STEP_NEXT", `the header at height ${h.height} names another next validator set`);
    }
    if (equal(nextHash, inForce)) throw invalid(7, "E_STEP_ORDER", `the step at height ${h.height} changes nothing`);
    set = at.next;
    inForce = nextHash;
    last = { header: h, hash };
  }
  throw new Error("the header of the bundle ends the loop"); // not reached
}

/** checkState is step 9. */
function checkState(b: Bundle): void {
  const claims = b.entries.map((e) => {
    const path = sha256(standingKey(e.subject));
    return e.standing.length === 0 ? { path } : { path, valueHash: sha256(standingValue(e.salt, e.standing)) };
  });
  for (let i = 1; i < claims.length; i++) {
    if (compare(claims[i - 1]!.path, claims[i]!.path) >= 0) {
      throw invalid(9, "E_ENTRY_ORDER", "the entries are not in ascending order of their paths");
    }
  }
  let root: Uint8Array;
  try {
    root = rootOf(claims, b.shape, b.hashes);
  } catch (e) {
    if (!(e instanceof BadProof)) throw e;
    throw invalid(9, "E_PATH", `tree proof: ${e.message}`);
  }
  if (equal(root, empty)) throw invalid(9, "E_PATH", "the state is empty");
  const leaves = [
    appEntryLeaf("catalog", sha256(b.catalog)),
    appEntryLeaf("log", b.log),
    appEntryLeaf("pack", b.pack),
    appEntryLeaf("state", sha256(root)),
  ];
  if (!equal(logRoot(leaves), b.header.appHash)) {
    throw invalid(9, "E_APP_HASH", "entries, path and the other parts of the state do not lead to the app hash of the header");
  }
}

/** checkReach is step 12. */
function checkReach(h: Header, links: readonly Link[], trust: Trust, now: bigint): void {
  const refuse = (code: "E_TRUST_EXPIRED" | "E_TRUST_OLDER" | "E_TRUST_SET" | "E_TRUST_WINDOW", text: string) =>
    new Refusal("untrusted", 12, code, text);
  if (now > trust.notAfter) throw refuse("E_TRUST_EXPIRED", `the trust file ended at ${formatTime(trust.notAfter)}; get the current one`);
  if (h.height < trust.anchor.height) {
    throw refuse("E_TRUST_OLDER", `the bundle (height ${h.height}) is older than the anchor of the trust file (${trust.anchor.height})`);
  }
  if (links.length === 0) {
    throw refuse(
      "E_TRUST_SET",
      "no validator set of the bundle is in the trust file; get a bundle with the steps from it, or the current trust file",
    );
  }
  if (!links.some((l) => trust.inWindow(l.height, now) && trust.inWindow(l.height, l.time))) {
    throw refuse("E_TRUST_WINDOW", "a validator of the set that signed is outside its window of time in the trust file");
  }
}

/** exitCode is that of PROOF.md for a verdict or a refusal. */
export function exitCode(outcome: Verdict | Refusal): number {
  if (!(outcome instanceof Refusal)) return outcome.holds ? 0 : 6;
  return { usage: 2, unsupported: 5, invalid: 1, untrusted: 4, stale: 3 }[outcome.verdict];
}
