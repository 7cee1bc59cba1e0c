// Verify: PROOF.md, step by step. No clock, no disk, no network, no memory of other bundles.

import { compare, equal } from "./bytes.js";
import { type Block, type Bundle, decodeBundle, type Header, type HeaderRef, second, timeOf, type ValidatorSet } from "./bundle.js";
import { type Answer, type Claim, claimText, judge, parseClaim } from "./claim.js";
import { checkCommit } from "./commit.js";
import { invalid, Refusal, usage } from "./errors.js";
import { headerHash, setHash } from "./header.js";
import { readStanding, type Standing, standingKey, standingValue } from "./standing.js";
import { checkStamps } from "./stamp.js";
import { formatTime } from "./time.js";
import { appEntryLeaf, BadProof, empty, logRoot, rootOf, sha256 } from "./tree.js";
import { Trust } from "./trust.js";
import { isUSCC } from "./uscc.js";
import { checkWitnessFile } from "./witness.js";

/** headerAheadMax is how far a header may be ahead of the clock, in nanoseconds. */
export const headerAheadMax = 60n * second;

/** Policy (策略) is what the caller asks. Subject, claim, maxAge and now are mandatory. */
export interface Policy {
  readonly subject: string; // 统一社会信用代码; empty in verifyMany
  readonly claim: Claim;
  readonly maxAge?: bigint; // of the header, against now, in nanoseconds
  readonly now: bigint; // nanoseconds since 1970; nothing here reads a clock
  /** Takes the place of maxAge: a bundle of any age passes, although the facts may have changed since. */
  readonly unsafeAnyAge?: boolean;
  /** Header bundles (区块头证明包), for a bundle that only names its header. */
  readonly headers?: readonly Uint8Array[];
  /** A witness file (见证文件). */
  readonly witness?: Uint8Array;
  /** Time stamps (时间戳) over the header hash: responses of RFC 3161, in DER. */
  readonly stamps?: readonly Uint8Array[];
}

/** Verdict (结论) is what has been verified. */
export interface Verdict extends Answer, Seen {
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
export function checkPolicy(p: Policy, trust: Trust): void {
  if (!(trust instanceof Trust)) throw usage("E_TRUST", "no trust file");
  parseClaim(claimText(p.claim));
  if (typeof p.now !== "bigint") throw usage("E_POLICY", "policy: no time to judge age by");
  if (p.unsafeAnyAge === true ? p.maxAge !== undefined : typeof p.maxAge !== "bigint" || p.maxAge <= 0n) {
    throw usage("E_POLICY", "policy: no largest age, or a largest age and any age at once");
  }
}

/** checkTime refuses to judge by no time: what is not compared has not ended. */
export function checkTime(now: bigint): void {
  if (typeof now !== "bigint") throw usage("E_POLICY", "policy: no time to judge by");
}

/** Facts are what steps 2 to 10 give: what holds whatever the clock says and whoever asks. block is undefined for a header that is not given. */
interface Facts {
  readonly bundle: Bundle;
  readonly block: Verified | undefined;
  readonly standings: readonly (Standing | undefined)[];
}

async function facts(bytes: Uint8Array, trust: Trust, headers: readonly Verified[]): Promise<Facts> {
  // 2-4. Armor, magic, size, encoding, form of every field. The caller's bytes may change while signatures are awaited.
  const bundle = decodeBundle(new Uint8Array(bytes));

  // 5-8. Chain, anchor, sets, signatures; or the header that is named.
  const block = "hash" in bundle.block ? given(bundle.block, headers) : await checkBlock(bundle.block, trust);

  // 9. The state part hashes to the header's app hash.
  checkState(bundle, block?.header.appHash);

  // 10. Every standing is one that a state could hold, of the subject under whose key it stands.
  return { bundle, block, standings: bundle.entries.map(readStanding) };
}

/** given finds the header that is named among those that have passed steps 5 to 8. */
function given(ref: HeaderRef, headers: readonly Verified[]): Verified | undefined {
  const isAt = (h: Verified) => h.header.height === ref.height;
  const isIt = (h: Verified) => equal(h.hash, ref.hash);
  const found = headers.find((h) => isAt(h) && isIt(h));
  if (found === undefined && headers.some((h) => isAt(h) || isIt(h))) {
    throw invalid(5, "E_HEADER", `the bundle names another header at height ${ref.height} than the one that was given`);
  }
  return found;
}

async function run(bytes: Uint8Array, trust: Trust, p: Policy): Promise<Verdict[]> {
  const headers: Verified[] = [];
  for (const h of p.headers ?? []) {
    const { block } = await facts(h, trust, []);
    if (block === undefined) throw invalid(4, "E_FORM", "this bundle carries no header; give one that does");
    headers.push(block);
  }
  const { bundle: b, block, standings } = await facts(bytes, trust, headers);
  if (p.subject !== "" && !b.entries.some((e) => e.subject === p.subject)) {
    throw invalid(10, "E_SUBJECT", `the bundle does not speak of ${p.subject}`);
  }
  if (block === undefined) {
    checkExpired(trust, p.now);
    throw untrusted("E_HEADER_UNKNOWN", "the bundle only names its header; give a bundle that carries this header as well");
  }
  const header = block.header;

  // 11. Not from the future.
  const seen = await checkSeen(block, trust, p);

  // 12. The trust file is in force and reaches the bundle, and those whom it asks for have seen the header.
  checkReach(block, seen, trust, p.now);

  // 13-14. Age, then the claim.
  const age = ageOf(header, p.now);
  const verdicts = b.entries
    .map((e, i): Verdict => {
      const answer = judge(p.claim, standings[i]);
      return {
        ...answer,
        subject: e.subject,
        claim: p.claim,
        holds: answer.code === "OK",
        standing: standings[i],
        chainId: header.chainId,
        height: header.height - 1n,
        headerHeight: header.height,
        headerHash: block.hash,
        time: timeOf(header),
        age,
        signedPower: block.signed,
        totalPower: block.total,
        signers: block.signers,
        validators: block.validators,
        catalogVersion: new DataView(b.catalog.buffer, b.catalog.byteOffset, 8).getBigUint64(0),
        ...seen,
      };
    })
    .filter((v) => p.subject === "" || v.subject === p.subject)
    .sort((x, y) => (x.subject < y.subject ? -1 : 1));
  if (p.maxAge !== undefined && age > p.maxAge) throw stale(age, p.maxAge, verdicts);
  return verdicts;
}

/** ageOf is the age of a header; one from the future has age 0. */
export function ageOf(h: Header, now: bigint): bigint {
  return now > timeOf(h) ? now - timeOf(h) : 0n;
}

export function stale<Seen>(age: bigint, maxAge: bigint, seen?: Seen): Refusal<Seen> {
  return new Refusal("stale", 13, "E_STALE", `the header is ${age / second} s old, more than ${maxAge / second} s; fetch a newer one`, seen);
}

/** Seen are those of the trust file who have seen a header and count. */
export interface Seen {
  readonly witnessed: readonly string[]; // names of the witnesses
  readonly stamped: readonly string[]; // names of the authorities
}

export function checkFuture(h: Header, now: bigint): void {
  const ahead = timeOf(h) - now;
  if (ahead > headerAheadMax) throw invalid(11, "E_HEADER_FUTURE", `the header is ${ahead / second} s ahead of the clock`);
}

/** checkSeen is step 11. */
export async function checkSeen(block: Verified, trust: Trust, p: Pick<Policy, "now" | "witness" | "stamps">): Promise<Seen> {
  const { header, hash } = block;
  checkFuture(header, p.now);
  const cosigned = { chainId: header.chainId, height: header.height, hash, time: timeOf(header) };
  return {
    witnessed: p.witness === undefined || p.witness.length === 0 ? [] : await checkWitnessFile(p.witness, cosigned, trust, p.now),
    stamped: await checkStamps(p.stamps ?? [], cosigned, trust, p.now),
  };
}

/** Link is one place where the trust file reaches the chain of sets: the header at it was signed by the file's own set. */
interface Link {
  readonly height: bigint;
  readonly time: bigint;
}

/** Verified is the outcome of steps 5 to 8. */
export interface Verified {
  readonly header: Header;
  readonly hash: Uint8Array;
  readonly signed: bigint;
  readonly total: bigint;
  readonly signers: number;
  readonly validators: number;
  readonly links: readonly Link[];
  /** The set that signed the first header is left out and not the trust file's: nothing is said of its signatures. */
  readonly unknownSet: boolean;
}

/** checkBlock is steps 5 to 8: for the header of each step in order, then for the header of the bundle. */
export async function checkBlock(b: Block, trust: Trust): Promise<Verified> {
  const links: Link[] = [];
  const first = b.steps[0]?.header ?? b.header;
  let set = b.validators ?? pinned(first, trust); // in force; undefined: unknown
  const unknownSet = set === undefined;
  let inForce = set === undefined ? first.validatorsHash : setHash(set);
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

    // 7. Signed by the set in force, which the header names, and on to another where it is a step.
    if (!equal(h.validatorsHash, inForce)) throw invalid(7, "E_SET_HASH", `the header at height ${h.height} names another validator set`);
    const nextHash = at.next === undefined ? undefined : setHash(at.next);
    if (nextHash !== undefined) {
      if (!equal(h.nextValidatorsHash, nextHash)) {
        throw invalid(7, "E_STEP_NEXT", `the header at height ${h.height} names another next validator set`);
      }
      if (equal(nextHash, inForce)) throw invalid(7, "E_STEP_ORDER", `the step at height ${h.height} changes nothing`);
    }

    // 8. With more than two thirds of its power.
    let power = { signed: 0n, total: 0n, signers: 0 };
    if (set !== undefined) {
      power = await checkCommit(h, hash, at.commit, set);
      const known = h.height >= anchor.height && trust.epochAt(h.height)?.size === set.powers.length;
      const believed = known ? trust.setAt(h.height) : undefined;
      if (believed !== undefined && sameSet(believed, set)) links.push({ height: h.height, time: timeOf(h) });
    }
    if (at.next === undefined || nextHash === undefined) return { header: h, hash, ...power, validators: set?.powers.length ?? 0, links, unknownSet };
    set = at.next;
    inForce = nextHash;
    last = { header: h, hash };
  }
  throw new Error("the header of the bundle ends the loop"); // not reached
}

/** sameSet tells what equal hashes would, without hashing again: both are in the engine's order. */
function sameSet(a: ValidatorSet, b: ValidatorSet): boolean {
  return equal(a.pubKeys, b.pubKeys) && a.powers.length === b.powers.length && a.powers.every((p, i) => p === b.powers[i]);
}

/** pinned is the trust file's set for the first header of a pinned-set bundle, where that header names it. */
function pinned(first: Header, trust: Trust): ValidatorSet | undefined {
  const set = trust.setAt(first.height);
  return set !== undefined && equal(setHash(set), first.validatorsHash) ? set : undefined;
}

/** checkState is step 9. */
function checkState(b: Bundle, appHash: Uint8Array | undefined): void {
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
  if (appHash === undefined) return; // of a header that is not given
  if (!equal(appHashOf(sha256(b.catalog), b.log, b.pack, sha256(root)), appHash)) {
    throw invalid(9, "E_APP_HASH", "entries, path and the other parts of the state do not lead to the app hash of the header");
  }
}

/** appHashOf is the app hash, from SHA-256 of the value of each of its entries. */
export function appHashOf(catalog: Uint8Array, log: Uint8Array, pack: Uint8Array, state: Uint8Array): Uint8Array {
  return logRoot(Object.entries({ catalog, log, pack, state }).map(([name, hash]) => appEntryLeaf(name, hash)));
}

function untrusted(
  code: "E_TRUST_EXPIRED" | "E_TRUST_OLDER" | "E_TRUST_SET" | "E_TRUST_WINDOW" | "E_HEADER_UNKNOWN" | "E_WITNESS_QUORUM" | "E_STAMP_QUORUM",
  text: string,
): Refusal {
  return new Refusal("untrusted", 12, code, text);
}

function checkExpired(trust: Trust, now: bigint): void {
  if (now > trust.notAfter) throw untrusted("E_TRUST_EXPIRED", `the trust file ended at ${formatTime(trust.notAfter)}; get the current one, or judge what was kept as of a time before`);
}

/** checkReach is step 12. */
export function checkReach(block: Verified, seen: Seen, trust: Trust, now: bigint): void {
  checkExpired(trust, now);
  const height = block.header.height;
  if (height < trust.anchor.height) {
    throw untrusted("E_TRUST_OLDER", `the bundle (height ${height}) is older than the anchor of the trust file (${trust.anchor.height}); get a newer bundle`);
  }
  if (block.links.length === 0 || block.unknownSet) {
    throw untrusted(
      "E_TRUST_SET",
      "no validator set of the bundle is in the trust file; get a bundle with the steps from it, or the current trust file",
    );
  }
  // Whoever holds the keys of a set that the file has replaced leads to any set from an old height. Where the file says until when the set signs, steps within lead nowhere.
  const range = trust.rangeAt(height);
  const within = range?.until !== undefined && height <= range.until;
  const links = block.links.filter((l) => range !== undefined && l.height >= range.from && (!within || l.height === height));
  if (links.length === 0) {
    throw untrusted(
      "E_TRUST_SET",
      `the bundle leads to height ${height} past the validator set that the trust file has there; get another bundle, or the current trust file`,
    );
  }
  if (!links.some((l) => trust.inWindow(l.height, now) && trust.inWindow(l.height, l.time))) {
    throw untrusted("E_TRUST_WINDOW", "a validator of the set that signed is outside its window of time in the trust file; get a newer bundle, or the current trust file");
  }
  const [witnesses, stamps] = [trust.witnesses.required, trust.stamps.required];
  if (seen.witnessed.length < witnesses) {
    throw untrusted("E_WITNESS_QUORUM", `the trust file asks for ${witnesses} witnesses, ${seen.witnessed.length} have cosigned the header; give a witness file that more have signed`);
  }
  if (seen.stamped.length < stamps) {
    throw untrusted(
      "E_STAMP_QUORUM",
      `the trust file asks for time stamps of ${stamps} authorities, the header has them of ${seen.stamped.length}; give time stamps by keys that the file names`,
    );
  }
}

/** exitCode is that of PROOF.md for a verdict or a refusal. */
export function exitCode(outcome: { readonly holds: boolean } | Refusal): number {
  if (!(outcome instanceof Refusal)) return outcome.holds ? 0 : 6;
  return { usage: 2, unsupported: 5, invalid: 1, untrusted: 4, stale: 3 }[outcome.verdict];
}
