// Offline packs (离线信用包) and their deltas. The section "Pack" of PROOF.md.

import { byteText, compare, concat, equal, hex, textBytes } from "./bytes.js";
import { badEncoding, type Block, checkNumbers, checkParts, commit, hashBytes, header, readAll, step, stepsMax, timeOf, validatorSet } from "./bundle.js";
import { type Answer, type Claim, claimText } from "./claim.js";
import { invalid, Refusal, usage } from "./errors.js";
import { standingKey } from "./standing.js";
import { bitOf, empty, innerHash, leafHash, sha256 } from "./tree.js";
import { type Trust } from "./trust.js";
import { isUSCC } from "./uscc.js";
import {
  ageOf,
  appHashOf,
  checkBlock,
  checkFuture,
  checkPolicy,
  checkReach,
  checkSeen,
  checkTime,
  type Policy,
  type Seen,
  stale,
  type Verified,
} from "./verify.js";
import { bytesField, type Fields, Malformed, walk } from "./wire.js";

export const packMagic = "XLP1";
export const deltaMagic = "XLD1";

const packBytesMax = 272 * 1024 * 1024;
const membersMax = 2 ** 23;

/** The sets (名单), by their numbers. */
const sets = [undefined, "serious", "negative"] as const;

/** PackFile is what the file of a pack says. */
interface PackFile extends Block {
  readonly catalog: Uint8Array; // this and the next two: SHA-256 of the values of the app hash
  readonly log: Uint8Array;
  readonly state: Uint8Array;
  readonly set: number;
  readonly other: Uint8Array; // digest of the other set
  readonly salt: Uint8Array;
  readonly members: Uint8Array;
}

const packFile = (f: Fields): PackFile => ({
  header: f.message(1, header),
  commit: f.message(2, commit),
  validators: f.message(3, validatorSet),
  steps: f.messages(4, step),
  catalog: f.bytes(5),
  log: f.bytes(6),
  state: f.bytes(7),
  set: f.int32(8),
  other: f.bytes(9),
  salt: f.bytes(10),
  members: f.bytes(11),
});

const deltaFile = (f: Fields) => ({ base: f.bytes(1), pack: f.message(2, packFile), added: f.bytes(3), removed: f.bytes(4) });

/** PackVerdict (结论) is what a pack says of one subject. Whether one that is not in the set is enrolled, a pack does not say. */
export interface PackVerdict extends Answer {
  readonly subject: string;
  readonly claim: Claim;
  readonly holds: boolean; // the subject is not in the set
}

/** Pack is a set of subjects that has been judged. openPack makes it; it does not change. */
export class Pack {
  readonly #members: Uint8Array;
  readonly #block: Verified;
  readonly #trust: Trust;
  readonly #maxAge: bigint | undefined;

  constructor(
    members: Uint8Array,
    block: Verified,
    trust: Trust,
    policy: Policy,
    readonly seen: Seen,
    /** The identity of the set: what a delta is asked with. */
    readonly root: Uint8Array,
  ) {
    this.#members = members;
    this.#block = block;
    this.#trust = trust;
    this.#maxAge = policy.maxAge;
    this.claim = policy.claim;
  }

  /** The claim that holds of everybody who is not in the set. */
  readonly claim: Claim;

  get size(): number {
    return this.#members.length / hashBytes;
  }

  /** The height of the state: that of the header less one. */
  get height(): bigint {
    return this.#block.header.height - 1n;
  }

  /** The time of the header, nanoseconds since 1970. */
  get time(): bigint {
    return timeOf(this.#block.header);
  }

  /** checkAt judges again, at another time, what depends on the clock: steps 11 to 13. */
  checkAt(now: bigint): void {
    checkTime(now);
    checkFuture(this.#block.header, now);
    checkReach(this.#block, this.seen, this.#trust, now);
    const age = ageOf(this.#block.header, now);
    if (this.#maxAge !== undefined && age > this.#maxAge) throw stale(age, this.#maxAge);
  }

  /** judge is steps 11 to 14: a pack that is kept open grows old. A text that is no code in its one form is refused, and is no absence. */
  judge(subject: string, now: bigint): PackVerdict {
    this.checkAt(now);
    if (!isUSCC(subject)) {
      throw usage("E_POLICY", "policy: the subject is not a 统一社会信用代码: 18 characters, upper case, with the right check character");
    }
    const path = sha256(standingKey(subject));
    const at = lowerBound(this.#members, path);
    const holds = !equal(member(this.#members, at), path);
    const reason = holds ? "the subject is not in the set; whether it is enrolled a pack does not say" : "the subject is in the set";
    return { subject, claim: this.claim, holds, code: holds ? "OK" : "E_CLAIM", reason };
  }
}

/** openPack judges a pack. The policy names the claim no-serious or no-negative, and no subject. */
export async function openPack(bytes: Uint8Array, trust: Trust, policy: Policy): Promise<Pack> {
  // 1. The policy.
  checkPolicy(policy, trust);
  const set = { "no-serious": 1, "no-negative": 2 }[policy.claim.kind as string];
  if (set === undefined) throw usage("E_POLICY", `policy: no pack decides ${claimText(policy.claim)}; packs decide no-serious and no-negative`);
  if (policy.subject !== "") throw usage("E_POLICY", "policy: a subject is named; a pack is opened once and then asked about many");

  // 2-4. Magic, size, encoding, form of every field. The caller's bytes may change while signatures are awaited.
  const f = decodePack(new Uint8Array(bytes));

  // 5-8. Chain, anchor, sets, signatures.
  const block = await checkBlock(f, trust);

  // 9. The set hashes, with the rest of the state, to the header's app hash.
  const root = setRoot(f);
  const digest = sha256(concat(textBytes("xinlian/pack/v1"), f.salt, root));
  const pack = sha256(f.set === 1 ? concat(digest, f.other) : concat(f.other, digest));
  if (!equal(appHashOf(f.catalog, f.log, pack, f.state), block.header.appHash)) {
    throw invalid(9, "E_APP_HASH", "the set and the other parts of the state do not lead to the app hash of the header");
  }

  // 10. It is the set that decides the claim.
  if (f.set !== set) throw invalid(10, "E_PACK_SET", `this is the pack ${sets[f.set]}; the pack ${sets[set]} decides ${claimText(policy.claim)}`);

  // 11-13. Not from the future, the trust file in force and reaching it, its witnesses and authorities, age.
  const opened = new Pack(f.members, block, trust, policy, await checkSeen(block, trust, policy), root);
  opened.checkAt(policy.now);
  return opened;
}

/**
 * applyDelta makes the newer pack of an older one: the very bytes that a gateway serves. Neither is judged as to who signed it, and what comes out
 * is UNVERIFIED until openPack has judged it.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array {
  checkMagic(delta, deltaMagic);
  const old = decodePack(base);
  const { d, pack } = decodeDelta(delta);
  const other = (what: string) => invalid(4, "E_DELTA_BASE", `the delta follows ${what}; fetch the whole pack`);
  if (d.pack.set !== old.set) throw other(`a pack ${sets[d.pack.set]}, the older pack is ${sets[old.set]}`);
  const root = setRoot(old);
  if (!equal(root, d.base)) throw other(`the set ${hex(d.base)}, the older pack holds ${hex(root)}`);
  const members = merge(old.members, d.added, d.removed);
  checkMembers(members);
  // The members are the last field, so that the pack of a delta is what stands before them.
  return concat(textBytes(packMagic), pack, bytesField(11, members));
}

/** PackSummary is what a pack says of itself, UNVERIFIED. */
export interface PackSummary {
  readonly claim: "no-serious" | "no-negative"; // that it decides
  readonly size: number;
  readonly height: bigint; // of the state
}

/** packSummary reads what a pack says of itself. Nothing is verified. */
export function packSummary(bytes: Uint8Array): PackSummary {
  const f = decodePack(bytes);
  return { claim: f.set === 1 ? "no-serious" : "no-negative", size: f.members.length / hashBytes, height: f.header.height - 1n };
}

/** merge gives old without removed and with added. All three ascend. */
function merge(old: Uint8Array, added: Uint8Array, removed: Uint8Array): Uint8Array {
  const has = (list: Uint8Array, m: Uint8Array): boolean => {
    const at = lowerBound(list, m) * hashBytes;
    return at < list.length && equal(list.subarray(at, at + hashBytes), m);
  };
  for (let i = 0; i < added.length / hashBytes; i++) {
    if (has(old, member(added, i))) throw invalid(4, "E_DELTA", "the delta adds a member that the older pack has");
  }
  for (let i = 0; i < removed.length / hashBytes; i++) {
    if (!has(old, member(removed, i))) throw invalid(4, "E_DELTA", "the delta removes a member that the older pack does not have");
  }
  // Who is removed was there and who is added was not, so nobody is both, and the size is known.
  const out = new Uint8Array(old.length + added.length - removed.length);
  let [at, a, r] = [0, 0, 0];
  const put = (m: Uint8Array) => {
    out.set(m, at);
    at += hashBytes;
  };
  for (let i = 0; i < old.length / hashBytes; i++) {
    const m = member(old, i);
    while (a < added.length / hashBytes && compare(member(added, a), m) < 0) put(member(added, a++));
    if (r < removed.length / hashBytes && equal(member(removed, r), m)) r++;
    else put(m);
  }
  out.set(added.subarray(a * hashBytes), at);
  return out;
}

/** setRoot is the root of the tree whose leaves are the members of the set. */
function setRoot(f: PackFile): Uint8Array {
  const value = sha256(textBytes(`xinlian/pack/${sets[f.set]}/v1`));
  const below = (lo: number, hi: number, depth: number): Uint8Array => {
    if (lo === hi) return empty;
    if (lo + 1 === hi) return leafHash(member(f.members, lo), value);
    const cut = search(lo, hi, (i) => bitOf(member(f.members, i), depth) === 1);
    return innerHash(below(lo, cut, depth + 1), below(cut, hi, depth + 1));
  };
  return below(0, f.members.length / hashBytes, 0);
}

const member = (members: Uint8Array, i: number): Uint8Array => members.subarray(i * hashBytes, (i + 1) * hashBytes);

/** lowerBound is the number of members below a path. */
const lowerBound = (members: Uint8Array, path: Uint8Array): number =>
  search(0, members.length / hashBytes, (i) => compare(member(members, i), path) >= 0);

/** search gives the first place from lo up to hi from which on a condition holds. */
function search(lo: number, hi: number, holds: (i: number) => boolean): number {
  while (lo < hi) {
    const mid = lo + ((hi - lo) >> 1);
    if (holds(mid)) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

/** decodePack is steps 2 to 4 for a pack. */
function decodePack(raw: Uint8Array): PackFile {
  const body = checkMagic(raw, packMagic);
  checkSize(raw, "pack", () => checkSteps(body));
  const f = readAll("pack", body, packFile);
  checkForm(f);
  return f;
}

/** decodeDelta is steps 2 to 4 for a delta. pack is the encoding of its pack. */
function decodeDelta(raw: Uint8Array) {
  const body = checkMagic(raw, deltaMagic);
  let pack: Uint8Array | undefined;
  checkSize(raw, "delta", () => {
    for (const { field, value } of walk(body)) {
      if (field !== 2n) continue;
      if (typeof value === "bigint" || pack !== undefined) throw new Malformed("the pack is repeated, or a number");
      checkSteps(value);
      pack = value;
    }
  });
  const d = readAll("delta", body, deltaFile);
  if (d.base.length !== hashBytes || d.pack.members.length !== 0) {
    throw invalid(4, "E_FORM", "a delta names the set that it follows by 32 bytes, and carries no set of its own");
  }
  checkMembers(d.added);
  checkMembers(d.removed);
  checkForm(d.pack);
  return { d, pack: pack! }; // readAll has found it
}

/** checkMagic is step 2. It gives what follows the magic. */
export function checkMagic(raw: Uint8Array, magic: string): Uint8Array {
  const head = byteText(raw.subarray(0, magic.length));
  if (head === magic) return raw.subarray(magic.length);
  const other = { [packMagic]: "this is a pack, whole", [deltaMagic]: "this is a delta: apply it first to the pack that it follows" }[head];
  if (other !== undefined) throw invalid(2, "E_MAGIC", other);
  if (head.slice(0, 3) === magic.slice(0, 3) && /^[0-9]$/.test(head.slice(3))) {
    throw new Refusal("unsupported", 2, "E_VERSION", `a file ${magic.slice(0, 3)} of version ${head[3]}; this program reads version 1`);
  }
  throw invalid(2, "E_MAGIC", `not the file that is asked for: it does not begin with ${magic}`);
}

/** checkSize bounds what is decoded. */
export function checkSize(raw: Uint8Array, what: string, count: () => void, max = packBytesMax): void {
  if (raw.length > max) throw invalid(3, "E_SIZE", `${raw.length} bytes, more than ${max}`);
  try {
    count();
  } catch (e) {
    throw badEncoding(what, e);
  }
}

/** checkSteps bounds what is decoded of a file whose block part is that of a bundle. */
export function checkSteps(pack: Uint8Array): void {
  let steps = 0;
  for (const { field } of walk(pack)) if (field === 4n) steps++;
  if (steps > stepsMax) throw invalid(3, "E_SIZE", `${steps} steps, more than ${stepsMax}`);
  checkNumbers("pack", pack);
}

/** checkForm is step 4 for a pack. */
function checkForm(f: PackFile): void {
  checkParts(f);
  if ([f.catalog, f.log, f.state, f.other, f.salt].some((x) => x.length !== hashBytes)) {
    throw invalid(4, "E_FORM", "catalog, log, state, the digest of the other set and the salt have 32 bytes each");
  }
  if (sets[f.set] === undefined) throw invalid(4, "E_FORM", `no set has number ${f.set}`);
  checkMembers(f.members);
}

/** checkMembers holds members to their one order. Where they ascend strictly, none stands twice. */
function checkMembers(members: Uint8Array): void {
  const n = members.length / hashBytes;
  if (!Number.isInteger(n)) throw invalid(4, "E_PACK_MEMBERS", `${members.length} bytes of members, no multiple of ${hashBytes}: the set is cut`);
  if (n > membersMax) throw invalid(4, "E_SIZE", `${n} members, more than ${membersMax}`);
  let [nodes, last] = [0, -1];
  for (let i = 1; i < n; i++) {
    const [a, b] = [member(members, i - 1), member(members, i)];
    if (compare(a, b) >= 0) throw invalid(4, "E_PACK_MEMBERS", `member ${i} does not come after the one before it`);
    const shared = sharedBits(a, b);
    if (shared > last) nodes += shared - last; // a node for each beginning that two share, and that the two before do not
    last = shared;
  }
  // That bounds the work for the root, which is done before anybody's signature is looked at. Paths are hashes, of which n make 1.44 n nodes.
  const max = 4 * n + 16384;
  if (nodes > max) throw invalid(4, "E_PACK_MEMBERS", `the tree of ${n} members has ${nodes} inner nodes, more than ${max}: no paths are so alike`);
}

/** sharedBits is how many bits two paths that differ begin with alike. */
function sharedBits(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (a[at] === b[at]) at++;
  return 8 * at + Math.clz32(a[at]! ^ b[at]!) - 24;
}
