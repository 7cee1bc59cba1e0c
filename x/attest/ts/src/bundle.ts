// The bundle (证明包): what it is made of, and steps 2 to 4 of PROOF.md.

import { byteText, compare, unbase64 } from "./bytes.js";
import { invalid, Refusal } from "./errors.js";
import { sha256 } from "./tree.js";
import { isUSCC } from "./uscc.js";
import { type Fields, Malformed, readMessage, walk } from "./wire.js";

/** magic is what every bundle of this version begins with. */
export const magic = "XLA1";

/** mediaType of a bundle over HTTP. */
export const mediaType = "application/vnd.xinlian.attestation.v1";

export const bytesMax = 128 * 1024; // of a bundle for one subject, and of a standing
const manyBytesMax = 16 * 1024 * 1024;
const entriesMax = 10_000;
export const stepsMax = 1024;
const validatorsMax = 1024;
export const chainIdMax = 50;

export const hashBytes = 32;
const keyBytes = 32;
const addressBytes = 20;
export const signatureBytes = 64;
export const saltBytes = 32;

/** maxPower is the engine's bound on the power of a set: (2^63-1)/8. */
export const maxPower = (2n ** 63n - 1n) / 8n;

/** maxSeconds is the last second of the year 9999. */
export const maxSeconds = 253402300799n;
export const second = 1_000_000_000n;

/** Header (区块头) is a block header of CometBFT, field by field. */
export interface Header {
  readonly blockVersion: bigint;
  readonly appVersion: bigint;
  readonly chainId: string; // byteText
  readonly height: bigint;
  readonly timeSeconds: bigint;
  readonly timeNanos: number;
  readonly lastBlockHash: Uint8Array;
  readonly lastPartsTotal: number;
  readonly lastPartsHash: Uint8Array;
  readonly lastCommitHash: Uint8Array;
  readonly dataHash: Uint8Array;
  readonly validatorsHash: Uint8Array;
  readonly nextValidatorsHash: Uint8Array;
  readonly consensusHash: Uint8Array;
  readonly appHash: Uint8Array;
  readonly lastResultsHash: Uint8Array;
  readonly evidenceHash: Uint8Array;
  readonly proposer: Uint8Array;
}

/** Commit (提交) is the precommits of just over two thirds of the power. */
export interface Commit {
  readonly round: number;
  readonly partsTotal: number;
  readonly partsHash: Uint8Array;
  readonly signers: Uint8Array; // bitmap over the set
  readonly signatures: Uint8Array; // 64 bytes a signer
  readonly times: readonly bigint[]; // vote time less header time, nanoseconds
}

/** ValidatorSet (验证者集合) in the engine's order. */
export interface ValidatorSet {
  readonly pubKeys: Uint8Array; // 32 bytes a validator
  readonly powers: readonly bigint[];
}

/** Step leads from one validator set to the next. */
export interface Step {
  readonly header: Header;
  readonly commit: Commit;
  readonly next: ValidatorSet;
}

/** Entry is what the bundle says of one subject. */
export interface Entry {
  readonly subject: string;
  readonly standing: Uint8Array; // empty: not enrolled
  readonly salt: Uint8Array;
}

/** HeaderRef names a header that another bundle carries. */
export interface HeaderRef {
  readonly height: bigint;
  readonly hash: Uint8Array;
}

/** Block is the part of a bundle that speaks of the block. */
export interface Block {
  readonly header: Header; // of height H+1; its app hash is the state of H
  readonly commit: Commit;
  readonly validators: ValidatorSet | undefined; // that signed the first of the headers; undefined: the trust file's
  readonly steps: readonly Step[];
}

/** Form (形式) of a bundle: what it carries of the block. */
export type Form = "self-contained" | "pinned-set" | "header-known";

export interface Bundle {
  readonly form: Form;
  readonly block: Block | HeaderRef;
  readonly catalog: Uint8Array;
  readonly log: Uint8Array;
  readonly pack: Uint8Array;
  readonly entries: readonly Entry[];
  readonly shape: Uint8Array;
  readonly hashes: Uint8Array;
}

export const header = (f: Fields): Header => ({
  blockVersion: f.uint64(1),
  appVersion: f.uint64(2),
  chainId: f.text(3),
  height: f.int64(4),
  timeSeconds: f.int64(5),
  timeNanos: f.int32(6),
  lastBlockHash: f.bytes(7),
  lastPartsTotal: f.uint32(8),
  lastPartsHash: f.bytes(9),
  lastCommitHash: f.bytes(10),
  dataHash: f.bytes(11),
  validatorsHash: f.bytes(12),
  nextValidatorsHash: f.bytes(13),
  consensusHash: f.bytes(14),
  appHash: f.bytes(15),
  lastResultsHash: f.bytes(16),
  evidenceHash: f.bytes(17),
  proposer: f.bytes(18),
});

export const commit = (f: Fields): Commit => ({
  round: f.int32(1),
  partsTotal: f.uint32(2),
  partsHash: f.bytes(3),
  signers: f.bytes(4),
  signatures: f.bytes(5),
  times: f.sint64s(6),
});

export const validatorSet = (f: Fields): ValidatorSet => ({ pubKeys: f.bytes(1), powers: f.int64s(2) });

export const step = (f: Fields): Step => ({
  header: f.message(1, header),
  commit: f.message(2, commit),
  next: f.message(3, validatorSet),
});

const entry = (f: Fields): Entry => ({ subject: f.text(1), standing: f.bytes(2), salt: f.bytes(3) });

const headerRef = (f: Fields): HeaderRef => ({ height: f.int64(1), hash: f.bytes(2) });

const message = (f: Fields) => ({
  header: f.optional(1, header),
  commit: f.optional(2, commit),
  validators: f.optional(3, validatorSet),
  steps: f.messages(4, step),
  catalog: f.bytes(5),
  log: f.bytes(6),
  pack: f.bytes(7),
  entries: f.messages(8, entry),
  shape: f.bytes(9),
  hashes: f.bytes(10),
  known: f.optional(11, headerRef),
});

/** decodeBundle is steps 2 to 4 of PROOF.md. What it returns is well formed and UNVERIFIED, and looks into bytes. */
export function decodeBundle(bytes: Uint8Array): Bundle {
  const raw = unarmor(bytes);
  checkMagic(raw);
  const body = raw.subarray(magic.length);
  checkSize(raw.length, body);
  checkNumbers("bundle", body);
  const m = readAll("bundle", body, message);
  const block = checkBlockForm(m);
  const form = "hash" in block ? "header-known" : block.validators === undefined ? "pinned-set" : "self-contained";
  const { catalog, log, pack, entries, shape, hashes } = m;
  const b: Bundle = { form, block, catalog, log, pack, entries, shape, hashes };
  checkStateForm(b);
  return b;
}

/** readAll reads all of a message; what is not its one encoding is refused. */
export function readAll<T>(what: string, body: Uint8Array, read: (f: Fields) => T): T {
  try {
    return readMessage(body, read);
  } catch (e) {
    throw badEncoding(what, e);
  }
}

/** badEncoding makes the refusal of what is Malformed. */
export function badEncoding(what: string, e: unknown): unknown {
  return e instanceof Malformed ? invalid(3, "E_ENCODING", `${what}: ${e.message}`) : e;
}

/** checkBlockForm holds the fields that speak of the block to one of the three forms, and each of them to what it may be. */
function checkBlockForm(m: ReturnType<typeof message>): Block | HeaderRef {
  const bad = (what: string) => invalid(4, "E_FORM", what);
  const { header, commit, validators, steps, known } = m;
  if (known !== undefined) {
    if (header !== undefined || commit !== undefined || validators !== undefined || steps.length > 0) {
      throw bad("the bundle names a known header beside one of its own");
    }
    if (known.height < 1n || known.hash.length !== hashBytes) throw bad("a known header has a positive height and a hash of 32 bytes");
    return known;
  }
  if (header === undefined || commit === undefined) throw bad("neither a header with its commit nor a known header");
  const block: Block = { header, commit, validators, steps };
  checkParts(block);
  return block;
}

/** checkParts is what step 4 says of headers, commits and sets. */
export function checkParts(b: Block): void {
  for (const s of b.steps) {
    checkHeaderForm(s.header);
    checkCommitForm(s.commit);
    checkSetForm(s.next);
  }
  checkHeaderForm(b.header);
  checkCommitForm(b.commit);
  if (b.validators !== undefined) checkSetForm(b.validators);
}

const armorBegin = "-----BEGIN XINLIAN ATTESTATION-----\n";
const armorEnd = "-----END XINLIAN ATTESTATION-----\n";
const armorWidth = 64;

/** unarmor takes the text (文本封装) away where there is some. It has one form. */
export function unarmor(raw: Uint8Array): Uint8Array {
  const bad = invalid(2, "E_ARMOR", "armor is base64 in lines of 64 characters, each ended by a line feed, between its two marker lines");
  if (byteText(raw.subarray(0, 5)) !== "-----") return raw;
  const characters = 4 * Math.ceil(manyBytesMax / 3);
  const max = armorBegin.length + characters + Math.ceil(characters / armorWidth) + armorEnd.length;
  if (raw.length > max) throw invalid(2, "E_SIZE", `${raw.length} bytes of text, more than ${max}`);
  const text = byteText(raw);
  if (!text.startsWith(armorBegin) || !text.endsWith(armorEnd) || text.length < armorBegin.length + armorEnd.length) throw bad;
  const lines = text.slice(armorBegin.length, -armorEnd.length).split("\n");
  if (lines.pop() !== "") throw bad; // what follows the last line feed
  const whole = lines.every((l, i) => (i < lines.length - 1 ? l.length === armorWidth : l.length >= 1 && l.length <= armorWidth));
  const out = whole ? unbase64(lines.join("")) : undefined;
  if (out === undefined) throw bad;
  return out;
}

function checkMagic(raw: Uint8Array): void {
  const head = String.fromCharCode(...raw.subarray(0, magic.length));
  if (head === magic) return;
  if (/^XLA[0-9]$/.test(head)) {
    throw new Refusal("unsupported", 2, "E_VERSION", `a bundle of version ${head[3]}; this program reads version 1`);
  }
  throw invalid(2, "E_MAGIC", `not a bundle: it does not begin with ${magic}`);
}

/** checkSize bounds the bytes, and the fields at the top, before anything is made of them. */
function checkSize(size: number, body: Uint8Array): void {
  const large = (what: string) => invalid(3, "E_SIZE", what);
  if (size > manyBytesMax) throw large(`${size} bytes, more than ${manyBytesMax}`);
  let entries = 0;
  let steps = 0;
  let state = false;
  try {
    for (const { field, value } of walk(body)) {
      if (typeof value === "bigint") throw new Malformed(`field ${field} is a number; a bundle has none at the top`);
      if (field === 4n) steps++;
      if (field === 8n) entries++;
      if (field > 4n) state = true;
      else if (state) throw new Malformed(`field ${field} of the block stands behind the state`);
    }
  } catch (e) {
    throw badEncoding("bundle", e);
  }
  if (entries > entriesMax) throw large(`${entries} entries, more than ${entriesMax}`);
  if (steps > stepsMax) throw large(`${steps} steps, more than ${stepsMax}`);
  if (entries <= 1 && size > bytesMax) throw large(`${size} bytes for one subject, more than ${bytesMax}`);
  if (!state) throw invalid(3, "E_ENCODING", "the bundle says nothing of the state");
}

/** numbersMax bounds a list of numbers, in bytes: a set and a commit have one number a validator, of ten bytes at most. */
const numbersMax = 10 * validatorsMax;

/** Lists says where in a message lists of numbers stand. */
interface Lists {
  readonly numbers?: bigint; // the field that is one
  readonly within?: ReadonlyMap<bigint, Lists>; // the messages that have some
  readonly many?: bigint; // that of them which may occur more than once
}

const commitLists: Lists = { numbers: 6n };
const setLists: Lists = { numbers: 2n };
const stepLists: Lists = { within: new Map([[2n, commitLists], [3n, setLists]]) };
const blockLists: Lists = { within: new Map([[2n, commitLists], [3n, setLists], [4n, stepLists]]), many: 4n };

/** checkNumbers bounds the lists of numbers of the block part before they are decoded, which takes far more room. */
export function checkNumbers(what: string, body: Uint8Array): void {
  try {
    bound(body, blockLists);
  } catch (e) {
    throw badEncoding(what, e);
  }
}

function bound(raw: Uint8Array, l: Lists): void {
  const seen = new Set<bigint>();
  for (const { field, value } of walk(raw)) {
    const inner = l.within?.get(field);
    if (inner === undefined && field !== l.numbers) continue;
    if (typeof value === "bigint" || (seen.has(field) && field !== l.many)) throw new Malformed(`field ${field} is repeated, or a number that is not packed`);
    seen.add(field);
    if (inner !== undefined) bound(value, inner);
    else if (value.length > numbersMax) throw invalid(3, "E_SIZE", `a list of numbers of ${value.length} bytes, more than ${numbersMax}`);
  }
}

function checkHeaderForm(h: Header): void {
  const bad = (what: string) => invalid(4, "E_FORM", `header: ${what}`);
  if (h.chainId.length < 1 || h.chainId.length > chainIdMax) throw bad("the chain id is empty or too long");
  if (h.height < 1n) throw bad("the height is not positive");
  if (h.timeSeconds < 0n || h.timeSeconds > maxSeconds || h.timeNanos < 0 || h.timeNanos >= Number(second)) {
    throw bad("the time is out of range");
  }
  if ([h.validatorsHash, h.nextValidatorsHash, h.appHash].some((x) => x.length !== hashBytes)) {
    throw bad("validators, next validators and app hash have 32 bytes each");
  }
  if (h.proposer.length !== addressBytes) throw bad("the proposer has 20 bytes");
  const absent = h.lastBlockHash.length === 0;
  if (absent !== (h.lastPartsHash.length === 0) || absent !== (h.lastPartsTotal === 0)) throw bad("half of a last block id");
  const others = [
    h.lastBlockHash,
    h.lastPartsHash,
    h.lastCommitHash,
    h.dataHash,
    h.consensusHash,
    h.lastResultsHash,
    h.evidenceHash,
  ];
  if (others.some((x) => x.length !== 0 && x.length !== hashBytes)) throw bad("a hash has neither 0 nor 32 bytes");
}

function checkCommitForm(c: Commit): void {
  const bad = (what: string) => invalid(4, "E_COMMIT_FORM", `commit: ${what}`);
  if (c.round < 0) throw bad("the round is negative");
  if (c.partsTotal === 0 || c.partsHash.length !== hashBytes) throw bad("no part set header");
  if (c.signatures.length !== signatureBytes * c.times.length) throw bad("as many times as signatures of 64 bytes are needed");
}

/** checkSetForm holds a set to what the engine itself keeps. */
function checkSetForm(s: ValidatorSet): void {
  const bad = (what: string) => invalid(4, "E_SET_FORM", `validator set: ${what}`);
  const n = s.powers.length;
  if (n === 0) throw bad("it is empty");
  if (n > validatorsMax) throw bad("too many validators");
  if (s.pubKeys.length !== n * keyBytes) throw bad("as many keys of 32 bytes as powers are needed");
  if (s.powers.some((p) => p <= 0n) || totalPower(s) > maxPower) throw bad("a power is not positive, or their sum is too large");
  const addresses = s.powers.map((_, i) => addressOf(keyAt(s, i)));
  for (let i = 1; i < n; i++) {
    if (compareMembers(s.powers[i - 1]!, addresses[i - 1]!, s.powers[i]!, addresses[i]!) >= 0) {
      throw bad("it is not in order of power and address");
    }
  }
  // Two entries of one key need not be neighbours: their powers may differ.
  if (new Set(addresses.map(String)).size !== n) throw bad("a key occurs twice");
}

/** compareMembers orders the members of a set: by power descending, then by address ascending. */
export function compareMembers(powerA: bigint, addressA: Uint8Array, powerB: bigint, addressB: Uint8Array): number {
  if (powerA !== powerB) return powerA > powerB ? -1 : 1;
  return compare(addressA, addressB);
}

/** addressOf is how the engine names a validator: the first 20 bytes of the SHA-256 of its key. */
export function addressOf(key: Uint8Array): Uint8Array {
  return sha256(key).subarray(0, addressBytes);
}

export function keyAt(s: ValidatorSet, i: number): Uint8Array {
  return s.pubKeys.subarray(i * keyBytes, (i + 1) * keyBytes);
}

export function totalPower(s: ValidatorSet): bigint {
  return s.powers.reduce((sum, p) => sum + p, 0n);
}

function checkStateForm(b: Bundle): void {
  const bad = (what: string) => invalid(4, "E_FORM", what);
  if (b.catalog.length !== 8 + hashBytes) throw bad(`the catalog value has ${b.catalog.length} bytes instead of 40`);
  if (b.log.length !== hashBytes || b.pack.length !== hashBytes) throw bad("log and pack have 32 bytes each");
  if (b.entries.length === 0) throw bad("no entries");
  b.entries.forEach((e, i) => {
    if (!isUSCC(e.subject)) throw bad(`entry ${i}: the subject is not a 统一社会信用代码`);
    if (e.salt.length !== (e.standing.length === 0 ? 0 : saltBytes)) {
      throw bad(`entry ${i}: a standing comes with a salt of 32 bytes, none with none`);
    }
    if (e.standing.length > bytesMax) throw invalid(4, "E_SIZE", `entry ${i}: a standing of ${e.standing.length} bytes`);
  });
}

/** timeOf gives the time of a header in nanoseconds since 1970. */
export const timeOf = (h: Header): bigint => h.timeSeconds * second + BigInt(h.timeNanos);
