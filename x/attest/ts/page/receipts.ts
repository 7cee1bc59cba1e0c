// Receipts (查询回执) as firms and lenders hold them: JSON of a gateway, of which the bytes, the salt and the way to the anchor are read. What the gateway
// says beside them in plain words proves nothing.

import { type AnchoredRoot, badReceipt, checkAnswer, isOf, openReceipt, type Receipt, receiptRoot } from "../src/anchor.js";
import { equal, hex, unhex } from "../src/bytes.js";
import { type Json, JsonNumber, JsonObject, readJson } from "../src/json.js";

const bytesMax = 8 << 20; // more than the largest page of receipts has, or the answer to a query

/** Answer is what a receipt may be of; an answer that opens nothing has an opening of no bytes. */
export interface Answer {
  readonly bundle: Uint8Array;
  readonly opening: Uint8Array;
}

/** Held is a receipt as it is held. */
export interface Held {
  readonly receipt: Uint8Array;
  readonly salt: Uint8Array;
  readonly anchor: { readonly hour: bigint; readonly root: Uint8Array; readonly place: bigint; readonly path: readonly Uint8Array[] } | undefined;
  readonly within: Answer | undefined; // the answer in which it came
}

/**
 * Judged is what becomes of one: anchored under a proof, or with an hour whose proof is not here, or with no hour yet. ofAnswer says whether it
 * is of the answer that is here; undefined: none is.
 */
export interface Judged {
  readonly says: Receipt;
  readonly hour: bigint | undefined;
  readonly by: AnchoredRoot | undefined;
  readonly ofAnswer: boolean | undefined;
}

/** looksHeld says whether a file is to be read as JSON, as receipts are. No bundle, pack or proof begins like that. */
export function looksHeld(bytes: Uint8Array): boolean {
  const first = bytes.find((b) => ![0x20, 0x09, 0x0a, 0x0d].includes(b));
  return first === 0x7b;
}

/** readReceipts reads one receipt, the answer to a query with its receipt, or a page of receipts. It throws a Refusal of E_RECEIPT. */
export function readReceipts(bytes: Uint8Array): Held[] {
  if (bytes.length > bytesMax) throw badReceipt(`the file has more than ${bytesMax} bytes`);
  let json: Json;
  try {
    json = readJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (e) {
    throw badReceipt(`no JSON of receipts: ${e instanceof Error ? e.message : String(e)}`);
  }
  const o = object(json);
  const page = o.get("receipts");
  if (Array.isArray(page)) {
    if (page.length === 0) throw badReceipt("the file holds no receipts");
    return page.map((json) => held(json));
  }
  const receipt = o.get("receipt");
  return [receipt === undefined ? held(o) : held(receipt, answerOf(o))];
}

function held(json: Json, within?: Answer): Held {
  const o = object(json);
  const anchor = o.get("anchor") ?? null;
  return { receipt: base64(o.get("bytes"), "bytes"), salt: hash(o.get("salt"), "salt"), anchor: anchor === null ? undefined : anchorOf(object(anchor)), within };
}

/** answerOf gives what an answer to a query has beside its receipt. */
function answerOf(o: JsonObject): Answer | undefined {
  if (!o.has("attestation")) return undefined;
  const opening = o.get("opening") ?? null;
  return { bundle: base64(o.get("attestation"), "attestation"), opening: opening === null ? new Uint8Array() : base64(opening, "opening") };
}

function anchorOf(o: JsonObject): Held["anchor"] {
  const path = o.get("path");
  if (!Array.isArray(path)) throw badReceipt("the anchor has no path");
  return { hour: number(o.get("hour"), "hour"), root: hash(o.get("root"), "root"), place: number(o.get("place"), "place"), path: path.map((h) => hash(h, "path")) };
}

function object(json: Json): JsonObject {
  if (!(json instanceof JsonObject)) throw badReceipt("no JSON of receipts: an object is missing");
  return json;
}

function number(json: Json | undefined, field: string): bigint {
  if (!(json instanceof JsonNumber) || !/^[0-9]{1,19}$/.test(json.digits)) throw badReceipt(`${field} is no number from 0 on`);
  return BigInt(json.digits);
}

function hash(json: Json | undefined, field: string): Uint8Array {
  const bytes = typeof json === "string" && /^[0-9a-f]{64}$/.test(json) ? unhex(json) : undefined;
  if (bytes === undefined) throw badReceipt(`${field} is not 64 hexadecimal digits in lower case`);
  return bytes;
}

function base64(json: Json | undefined, field: string): Uint8Array {
  // With padding and without stray bits, which atob would overlook.
  if (typeof json === "string" && json !== "" && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(json)) {
    const bytes = atob(json);
    if (btoa(bytes) === json) return Uint8Array.from(bytes, (c) => c.charCodeAt(0));
  }
  throw badReceipt(`${field}: no base64`);
}

/** judge is Q1, Q2 and, where a proof of its gateway and hour is here, Q4; Q3 for the answer in which a receipt came. It throws a Refusal. */
function judge(h: Held, roots: readonly AnchoredRoot[], answer: Answer | undefined): Judged {
  const says = openReceipt(h.receipt, h.salt);
  if (h.within !== undefined) checkAnswer(says, h.within.bundle, h.within.opening);
  const ofAnswer = answer === undefined ? (h.within === undefined ? undefined : true) : isOf(says, answer.bundle, answer.opening);
  const { anchor } = h;
  if (anchor === undefined) return { says, hour: undefined, by: undefined, ofAnswer };
  if (!equal(receiptRoot(h.receipt, h.salt, anchor.place, anchor.path), anchor.root)) {
    throw badReceipt("receipt and path do not lead to the root beside them");
  }
  const by = roots.find((r) => r.gateway === says.gateway && r.hour === anchor.hour);
  by?.covers(h.receipt, h.salt, anchor.place, anchor.path);
  return { says, hour: anchor.hour, by, ofAnswer };
}

/**
 * judgeAll judges the receipts of a file, all before one is shown: a file with a forged receipt in it is refused whole. So is one of which no receipt is of the
 * answer beside it (Q3); of a page one is enough.
 */
export function judgeAll(held: readonly Held[], roots: readonly AnchoredRoot[], answer: Answer | undefined): Judged[] {
  const all = held.map((h) => judge(h, roots, answer));
  if (answer !== undefined && !all.some((j) => j.ofAnswer)) {
    throw badReceipt(all.length === 1 ? `receipt ${hex(all[0]!.says.id)} is of another answer` : "none of the receipts is of this answer");
  }
  return all;
}

/** agree refuses proofs that show two rows of one gateway and hour: whoever signed one of them is not to be believed. */
export function agree(roots: readonly AnchoredRoot[]): void {
  for (const a of roots) {
    const b = roots.find((r) => r.gateway === a.gateway && r.hour === a.hour)!;
    if (!equal(a.root, b.root) || a.blockHeight !== b.blockHeight) {
      throw badReceipt(`two proofs show different anchors of ${a.gateway} for hour ${a.hour}; keep both files`);
    }
  }
}
