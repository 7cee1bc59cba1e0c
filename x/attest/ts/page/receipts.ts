// Receipts (查询回执) as firms and lenders hold them: JSON of a gateway, of which the bytes, the salt and the way to the anchor are read. What the gateway
// says beside them in plain words proves nothing.

import { type AnchoredRoot, badReceipt, openReceipt, type Receipt, receiptRoot } from "../src/anchor.js";
import { equal, unhex } from "../src/bytes.js";
import { type Json, JsonNumber, readJson } from "../src/json.js";

const bytesMax = 8 << 20; // more than the largest page of receipts has, or the answer to a query

/** Held is a receipt as it is held. */
export interface Held {
  readonly receipt: Uint8Array;
  readonly salt: Uint8Array;
  readonly anchor: { readonly hour: bigint; readonly root: Uint8Array; readonly place: bigint; readonly path: readonly Uint8Array[] } | undefined;
}

/** Judged is what becomes of one: anchored under a proof, or with an hour whose proof is not here, or with no hour yet. */
export interface Judged {
  readonly says: Receipt;
  readonly hour: bigint | undefined;
  readonly by: AnchoredRoot | undefined;
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
    return page.map(held);
  }
  return [held(o.get("receipt") ?? o)];
}

function held(json: Json): Held {
  const o = object(json);
  const anchor = o.get("anchor") ?? null;
  return { receipt: base64(o.get("bytes")), salt: hash(o.get("salt"), "salt"), anchor: anchor === null ? undefined : anchorOf(object(anchor)) };
}

function anchorOf(o: Map<string, Json>): Held["anchor"] {
  const path = o.get("path");
  if (!Array.isArray(path)) throw badReceipt("the anchor has no path");
  return { hour: number(o.get("hour"), "hour"), root: hash(o.get("root"), "root"), place: number(o.get("place"), "place"), path: path.map((h) => hash(h, "path")) };
}

function object(json: Json): Map<string, Json> {
  if (!(json instanceof Map)) throw badReceipt("no JSON of receipts: an object is missing");
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

function base64(json: Json | undefined): Uint8Array {
  // With padding and without stray bits, which atob would overlook.
  if (typeof json === "string" && json !== "" && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(json)) {
    const bytes = atob(json);
    if (btoa(bytes) === json) return Uint8Array.from(bytes, (c) => c.charCodeAt(0));
  }
  throw badReceipt("bytes are no base64");
}

/** judge is Q1, Q2 and, where a proof of its gateway and hour is here, Q4. It throws a Refusal. */
export function judge(h: Held, roots: readonly AnchoredRoot[]): Judged {
  const says = openReceipt(h.receipt, h.salt);
  const { anchor } = h;
  if (anchor === undefined) return { says, hour: undefined, by: undefined };
  if (!equal(receiptRoot(h.receipt, h.salt, anchor.place, anchor.path), anchor.root)) {
    throw badReceipt("receipt and path do not lead to the root beside them");
  }
  const by = roots.find((r) => r.gateway === says.gateway && r.hour === anchor.hour);
  by?.covers(h.receipt, h.salt, anchor.place, anchor.path);
  return { says, hour: anchor.hour, by };
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
