// Anchor proofs (存证证明), and the receipts (查询回执) that they cover. The sections "A receipt" and "Anchor proof" of PROOF.md.

import { concat, equal, hex, textBytes } from "./bytes.js";
import { type Block, bytesMax, checkParts, commit, hashBytes, header, maxSeconds, readAll, saltBytes, step, timeOf, validatorSet } from "./bundle.js";
import { invalid, Refusal, usage } from "./errors.js";
import { checkMagic, checkSize, checkSteps } from "./pack.js";
import { BadProof, innerHash, logLeaf, rootOf, sha256 } from "./tree.js";
import { Trust } from "./trust.js";
import { isUSCC } from "./uscc.js";
import { appHashOf, checkBlock, checkReach, checkSeen, checkTime, type Policy, type Seen } from "./verify.js";
import { bytesField, type Fields, Malformed, numberField, readMessage } from "./wire.js";

export const anchorProofMagic = "XLN1";

const hourMax = maxSeconds / 3600n;
const pathMin = 6;
const pathMax = 40;
const receiptBytesMax = 4096;

/** Row is the ledger's row of an anchor. */
interface Row {
  readonly gateway: string; // byteText
  readonly hour: bigint;
  readonly root: Uint8Array;
  readonly height: bigint;
}

interface ProofFile extends Block {
  readonly catalog: Uint8Array; // this and the next two: SHA-256 of the values of the app hash
  readonly log: Uint8Array;
  readonly pack: Uint8Array;
  readonly row: Row;
  readonly shape: Uint8Array;
  readonly hashes: Uint8Array;
}

const rowOf = (f: Fields): Row => ({ gateway: f.text(1), hour: f.int64(2), root: f.bytes(3), height: f.int64(4) });

const proofFile = (f: Fields): ProofFile => ({
  header: f.message(1, header),
  commit: f.message(2, commit),
  validators: f.message(3, validatorSet),
  steps: f.messages(4, step),
  catalog: f.bytes(5),
  log: f.bytes(6),
  pack: f.bytes(7),
  row: f.message(8, rowOf),
  shape: f.bytes(9),
  hashes: f.bytes(10),
});

/** Receipt (查询回执) is what one says. */
export interface Receipt {
  readonly id: Uint8Array;
  readonly subject: string;
  readonly requester: string;
  readonly gateway: string;
  readonly authorisation: Uint8Array; // empty: only what is published was asked for
  readonly purpose: number;
  readonly asked: readonly number[];
  readonly opened: readonly number[];
  readonly refusal: number;
  readonly atHeight: bigint;
  readonly atTime: bigint;
  readonly clockMs: bigint;
  readonly latencyUs: number;
  readonly answerDigest: Uint8Array;
}

const receiptOf = (f: Fields): Receipt => ({
  id: f.bytes(1),
  subject: f.text(2),
  requester: f.text(3),
  gateway: f.text(4),
  authorisation: f.bytes(5),
  purpose: f.int32(6),
  asked: f.uint32s(7),
  opened: f.uint32s(8),
  refusal: f.uint32(9),
  atHeight: f.int64(10),
  atTime: f.int64(11),
  clockMs: f.int64(12),
  latencyUs: f.uint32(13),
  answerDigest: f.bytes(14),
});

/** When is what an anchor is asked with: the time, and what stands beside the header. */
export type When = Pick<Policy, "now" | "witness" | "stamps">;

/** AnchoredRoot (存证) is a row of the ledger that has been judged. openAnchorProof makes it. */
export class AnchoredRoot {
  constructor(
    readonly gateway: string,
    /** Legal time in hours since 1970. */
    readonly hour: bigint,
    readonly root: Uint8Array,
    /** The block that holds the row. */
    readonly blockHeight: bigint,
    readonly headerHeight: bigint,
    /** Of the header, nanoseconds since 1970. */
    readonly time: bigint,
    readonly signedPower: bigint,
    readonly totalPower: bigint,
    readonly seen: Seen,
  ) {}

  /** covers is Q1, Q2 and Q4: it gives the receipt where it is anchored here, and refuses it otherwise. */
  covers(receipt: Uint8Array, salt: Uint8Array, place: bigint, path: readonly Uint8Array[]): Receipt {
    // Q1. Form.
    const r = openReceipt(receipt, salt);

    // Q2. Path.
    const hash = receiptRoot(receipt, salt, place, path);

    // Q4. Anchor.
    if (r.gateway !== this.gateway) throw badReceipt("the receipt is of another gateway than the anchor");
    if (!equal(hash, this.root)) throw badReceipt("receipt and path do not lead to the root that the ledger holds");
    if (r.atHeight >= this.blockHeight) throw badReceipt(`the receipt speaks of height ${r.atHeight}, its anchor stands since block ${this.blockHeight}`);
    return r;
  }
}

export const badReceipt = (text: string): Refusal => invalid(0, "E_RECEIPT", text);

/** receiptRoot is Q2: the root to which a receipt leads with its salt and path. */
export function receiptRoot(receipt: Uint8Array, salt: Uint8Array, place: bigint, path: readonly Uint8Array[]): Uint8Array {
  if (path.length < pathMin || path.length > pathMax || place < 0n || place >> BigInt(path.length) !== 0n || path.some((h) => h.length !== hashBytes)) {
    throw badReceipt(`the path has not ${pathMin} to ${pathMax} hashes, or the place does not lie in it`);
  }
  let hash = logLeaf(concat(salt, receipt));
  let at = place;
  for (const sibling of path) {
    hash = (at & 1n) === 0n ? innerHash(hash, sibling) : innerHash(sibling, hash);
    at >>= 1n;
  }
  return hash;
}

/** answerDigest is what a receipt says of an answer. One that opens nothing has an opening of no bytes. */
export const answerDigest = (bundle: Uint8Array, opening: Uint8Array): Uint8Array => sha256(concat(sha256(bundle), sha256(opening)));

/** isOf is Q3: whether a receipt is of an answer. */
export const isOf = (r: Receipt, bundle: Uint8Array, opening: Uint8Array): boolean => equal(r.answerDigest, answerDigest(bundle, opening));

/** checkAnswer is Q3 for a receipt that has to be of an answer: it refuses one that is of another. */
export function checkAnswer(r: Receipt, bundle: Uint8Array, opening: Uint8Array): void {
  if (!isOf(r, bundle, opening)) throw badReceipt(`receipt ${hex(r.id)} is of another answer`);
}

/** openReceipt is Q1. Alone it proves nothing: anybody can write a receipt. */
export function openReceipt(raw: Uint8Array, salt: Uint8Array): Receipt {
  if (raw.length > receiptBytesMax) throw badReceipt(`the receipt has more than ${receiptBytesMax} bytes`);
  let r: Receipt;
  try {
    r = readMessage(raw, receiptOf);
  } catch (e) {
    if (!(e instanceof Malformed)) throw e;
    throw badReceipt("the bytes are no receipt in its one encoding");
  }
  const ascending = (list: readonly number[]) => list.every((c, i) => c >= 1 && c <= 2 && (i === 0 || list[i - 1]! < c));
  const ok =
    salt.length === saltBytes &&
    r.id.length === hashBytes &&
    r.answerDigest.length === hashBytes &&
    (r.authorisation.length === 0 || r.authorisation.length === hashBytes) &&
    isUSCC(r.subject) &&
    isUSCC(r.requester) &&
    isUSCC(r.gateway) &&
    r.purpose >= 1 &&
    r.purpose <= 6 &&
    r.atHeight >= 1n &&
    r.atTime >= 0n &&
    r.atTime <= maxSeconds &&
    ascending(r.asked) &&
    ascending(r.opened);
  if (!ok) throw badReceipt("the receipt has an impossible field");
  return r;
}

/** openAnchorProof judges an anchor proof. An anchor decides no claim about anybody and does not grow old. */
export async function openAnchorProof(bytes: Uint8Array, trust: Trust, when: When): Promise<AnchoredRoot> {
  // 1. The policy.
  if (!(trust instanceof Trust)) throw usage("E_TRUST", "no trust file");
  checkTime(when.now);

  // 2-4. Magic, size, encoding, form of every field. The caller's bytes may change while signatures are awaited.
  const f = decode(new Uint8Array(bytes));

  // 5-8. Chain, anchor of the trust file, sets, signatures.
  const block = await checkBlock(f, trust);

  // 9. The row is in the tree, which with the rest of the state hashes to the header's app hash.
  const row = f.row;
  let root: Uint8Array;
  try {
    root = rootOf([{ path: sha256(anchorKey(row)), valueHash: sha256(encodeRow(row)) }], f.shape, f.hashes);
  } catch (e) {
    if (!(e instanceof BadProof)) throw e;
    throw invalid(9, "E_PATH", `tree proof: ${e.message}`);
  }
  if (!equal(appHashOf(f.catalog, f.log, f.pack, sha256(root)), block.header.appHash)) {
    throw invalid(9, "E_APP_HASH", "row, path and the other parts of the state do not lead to the app hash of the header");
  }

  // 10. The row could stand in this state.
  const headerHeight = block.header.height;
  if (row.height > headerHeight - 1n) throw invalid(10, "E_ANCHOR_ROW", `the row is of block ${row.height}, the state of height ${headerHeight - 1n}`);

  // 11-12. Not from the future, the trust file in force and reaching it, its witnesses and authorities.
  const seen = await checkSeen(block, trust, when);
  checkReach(block, seen, trust, when.now);
  return new AnchoredRoot(row.gateway, row.hour, row.root, row.height, headerHeight, timeOf(block.header), block.signed, block.total, seen);
}

/** anchorKey is the key of the leaf that binds a row, in the state tree. */
function anchorKey(row: Row): Uint8Array {
  const hour = new Uint8Array(8);
  new DataView(hour.buffer).setBigUint64(0, row.hour);
  return concat(textBytes("R\xa3"), textBytes(row.gateway), hour);
}

const encodeRow = (row: Row): Uint8Array =>
  concat(bytesField(1, textBytes(row.gateway)), numberField(2, row.hour), bytesField(3, row.root), numberField(4, row.height));

/** decode is steps 2 to 4. */
function decode(raw: Uint8Array): ProofFile {
  const body = checkMagic(raw, anchorProofMagic);
  checkSize(raw, "anchor proof", () => checkSteps(body), bytesMax);
  const f = readAll("anchor proof", body, proofFile);
  checkParts(f);
  if ([f.catalog, f.log, f.pack].some((x) => x.length !== hashBytes)) throw invalid(4, "E_FORM", "catalog, log and pack have 32 bytes each");
  const r = f.row;
  if (!isUSCC(r.gateway) || r.hour < 0n || r.hour > hourMax || r.root.length !== hashBytes || r.height < 1n) {
    throw invalid(4, "E_FORM", "the row has an impossible field");
  }
  return f;
}
