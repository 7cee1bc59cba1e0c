// The wire format: protobuf in its one encoding. Fields come in ascending order, numbers in their shortest form, no default is
// written, but a message within a message always is, unless it is one of a list; lists of numbers are packed. So a reader need only
// ask for each field in turn: what is not the field asked for is left, and what is left at the end is refused.

import { byteText, concat } from "./bytes.js";

/** Malformed is thrown by Fields and never leaves this package. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

const bad = (): Malformed =>
  new Malformed("unknown, repeated or misordered fields, a default written out, or a number not in its shortest form");

const varintType = 0;
const lengthType = 2;

/**
 * varint reads a base-128 number of at most 64 bits at a place, and the place behind it. undefined: there is none. shortest refuses
 * further forms of a number.
 */
export function varint(raw: Uint8Array, at: number, shortest: boolean): [value: bigint, next: number] | undefined {
  let low = 0; // seven bits a time while it fits a number
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const b = raw[at + i];
    if (b === undefined || (i === 9 && b > 1)) return undefined;
    if (i < 4) low += (b & 0x7f) * 2 ** (7 * i);
    else value |= BigInt(b & 0x7f) << BigInt(7 * i);
    if (b < 0x80) {
      if (shortest && i > 0 && b === 0) return undefined;
      return [value | BigInt(low), at + i + 1];
    }
  }
  return undefined;
}

/** walk passes the fields at the top of a message, and judges no more than that each ends within it: what is to be counted before it is decoded. */
export function* walk(raw: Uint8Array): Generator<{ readonly field: bigint; readonly value: Uint8Array | bigint }> {
  for (let at = 0; at < raw.length; ) {
    const tag = varint(raw, at, false);
    const number = tag && varint(raw, tag[1], false);
    if (tag === undefined || number === undefined) throw bad();
    const [field, type] = [tag[0] >> 3n, Number(tag[0] & 7n)];
    const [value, from] = number;
    at = from;
    if (type === varintType) {
      yield { field, value };
    } else {
      if (type !== lengthType || value > BigInt(raw.length - from)) throw bad();
      at += Number(value);
      yield { field, value: raw.subarray(from, at) };
    }
  }
}

/** Fields reads one message. Ask for its fields in ascending order, then call end. */
export class Fields {
  #at = 0;
  readonly #raw: Uint8Array;

  constructor(raw: Uint8Array) {
    this.#raw = raw;
  }

  /** end refuses what no field has taken. */
  end(): void {
    if (this.#at !== this.#raw.length) throw bad();
  }

  /** tag passes the tag of a field if it stands here. */
  #tag(field: number, type: number): boolean {
    const t = varint(this.#raw, this.#at, true);
    if (t === undefined || t[0] !== BigInt(field * 8 + type)) return false;
    this.#at = t[1];
    return true;
  }

  #number(): bigint {
    const v = varint(this.#raw, this.#at, true);
    if (v === undefined) throw bad();
    this.#at = v[1];
    return v[0];
  }

  #chunk(): Uint8Array {
    const size = this.#number();
    if (size > BigInt(this.#raw.length - this.#at)) throw bad();
    const from = this.#at;
    this.#at += Number(size);
    return this.#raw.subarray(from, this.#at);
  }

  uint64(field: number): bigint {
    if (!this.#tag(field, varintType)) return 0n;
    const v = this.#number();
    if (v === 0n) throw bad();
    return v;
  }

  int64(field: number): bigint {
    return BigInt.asIntN(64, this.uint64(field));
  }

  uint32(field: number): number {
    return narrow(this.uint64(field), 0n, 0xffff_ffffn);
  }

  /** int32 reads an int32 or an enum: a negative one is written in ten bytes. */
  int32(field: number): number {
    return narrow(this.int64(field), -0x8000_0000n, 0x7fff_ffffn);
  }

  bool(field: number): boolean {
    return narrow(this.uint64(field), 0n, 1n) === 1;
  }

  bytes(field: number): Uint8Array {
    if (!this.#tag(field, lengthType)) return new Uint8Array(0);
    const v = this.#chunk();
    if (v.length === 0) throw bad();
    return v;
  }

  text(field: number): string {
    return byteText(this.bytes(field));
  }

  /** message reads a message that is always there, if only as an empty one. */
  message<T>(field: number, read: (f: Fields) => T): T {
    if (!this.#tag(field, lengthType)) throw bad();
    return readMessage(this.#chunk(), read);
  }

  /** optional reads a message that may be missing; one that is there may be empty. */
  optional<T>(field: number, read: (f: Fields) => T): T | undefined {
    return this.#tag(field, lengthType) ? readMessage(this.#chunk(), read) : undefined;
  }

  messages<T>(field: number, read: (f: Fields) => T): T[] {
    const out: T[] = [];
    while (this.#tag(field, lengthType)) out.push(readMessage(this.#chunk(), read));
    return out;
  }

  /** numbers reads a packed list. */
  #numbers(field: number): bigint[] {
    const packed = new Fields(this.bytes(field));
    const out: bigint[] = [];
    while (packed.#at < packed.#raw.length) out.push(packed.#number());
    return out;
  }

  uint32s(field: number): number[] {
    return this.#numbers(field).map((v) => narrow(v, 0n, 0xffff_ffffn));
  }

  int64s(field: number): bigint[] {
    return this.#numbers(field).map((v) => BigInt.asIntN(64, v));
  }

  /** sint64s reads numbers in the zigzag form. */
  sint64s(field: number): bigint[] {
    return this.#numbers(field).map((v) => BigInt.asIntN(64, (v >> 1n) ^ -(v & 1n)));
  }
}

/** readMessage reads all of a message. It throws Malformed where that is not the one encoding of any. */
export function readMessage<T>(raw: Uint8Array, read: (f: Fields) => T): T {
  const f = new Fields(raw);
  const m = read(f);
  f.end();
  return m;
}

function narrow(v: bigint, min: bigint, max: bigint): number {
  if (v < min || v > max) throw bad();
  return Number(v);
}

// The writers below omit a field of value zero; messageField, for fields that are always there, does not.

const none = new Uint8Array(0);

export function uvarint(v: bigint): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, v);
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  return Uint8Array.from(out);
}

export function numberField(field: number, v: bigint): Uint8Array {
  return v === 0n ? none : concat(Uint8Array.of(field * 8 + varintType), uvarint(v));
}

/** fixedField writes a number in eight bytes, lowest first. */
export function fixedField(field: number, v: bigint): Uint8Array {
  if (v === 0n) return none;
  const out = new Uint8Array(9);
  out[0] = field * 8 + 1;
  new DataView(out.buffer).setBigInt64(1, v, true);
  return out;
}

export function bytesField(field: number, v: Uint8Array): Uint8Array {
  return v.length === 0 ? none : messageField(field, v);
}

export function messageField(field: number, v: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(field * 8 + lengthType), uvarint(BigInt(v.length)), v);
}
