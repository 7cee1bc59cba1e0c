// DER, as far as time stamps and their keys need it.

import { hex } from "./bytes.js";

/** BadDer is thrown by Der and never leaves this package. */
export class BadDer extends Error {
  override readonly name = "BadDer";
}

export const tags = { integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, time: 0x18, sequence: 0x30, set: 0x31 } as const;

/** context is the tag of a constructed value that its place alone names. */
export const context = (n: number): number => 0xa0 + n;

/** Value is one value of DER: its tag, its content, and all of its bytes. */
export interface Value {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly all: Uint8Array;
}

/** Der reads values one after the other. */
export class Der {
  readonly #raw: Uint8Array;
  #at = 0;

  constructor(raw: Uint8Array) {
    this.#raw = raw;
  }

  get more(): boolean {
    return this.#at < this.#raw.length;
  }

  /** any reads the next value, whatever it is. */
  any(): Value {
    const from = this.#at;
    let tag = this.#byte();
    if ((tag & 0x1f) === 0x1f) {
      const long = this.#base128();
      if (long < 0x1f) throw new BadDer("a long tag for a short one");
      tag = 0x100 + long; // none that is asked for
    }
    let size = this.#byte();
    if (size >= 0x80) {
      const bytes = size - 0x80;
      if (bytes < 1 || bytes > 4) throw new BadDer("a length of another form");
      size = 0;
      for (let i = 0; i < bytes; i++) size = size * 256 + this.#byte();
      if (size < 0x80 || size < 256 ** (bytes - 1)) throw new BadDer("a length not in its shortest form");
    }
    if (size > this.#raw.length - this.#at) throw new BadDer("a value reaches beyond the end");
    const begin = this.#at;
    this.#at += size;
    return { tag, content: this.#raw.subarray(begin, this.#at), all: this.#raw.subarray(from, this.#at) };
  }

  #byte(): number {
    const b = this.#raw[this.#at++];
    if (b === undefined) throw new BadDer("the value ends too early");
    return b;
  }

  /** content reads the next value, which has this tag, and gives its content. */
  content(tag: number): Uint8Array {
    const v = this.any();
    if (v.tag !== tag) throw new BadDer("a value of another kind");
    return v.content;
  }

  /** inside reads the next value, which has this tag, and gives a reader of its content. */
  inside(tag: number): Der {
    return new Der(this.content(tag));
  }

  /** skip passes the next value if it has this tag. */
  skip(tag: number): void {
    if (this.#raw[this.#at] === tag) this.any();
  }

  integer(): bigint {
    const b = this.content(tags.integer);
    if (b.length === 0 || (b.length > 1 && ((b[0] === 0 && b[1]! < 0x80) || (b[0] === 0xff && b[1]! >= 0x80)))) {
      throw new BadDer("a number not in its shortest form");
    }
    return BigInt.asIntN(8 * b.length, BigInt(`0x${hex(b)}`));
  }

  /** small reads a number of at most 64 bits. */
  small(): bigint {
    const n = this.integer();
    if (BigInt.asIntN(64, n) !== n) throw new BadDer("a number that is too large");
    return n;
  }

  /** base128 reads a number in seven bits a byte, of at most 31 bits. */
  #base128(): number {
    let n = 0;
    for (let first = true; ; first = false) {
      const b = this.#byte();
      if (first && b === 0x80) throw new BadDer("a number not in its shortest form");
      n = n * 128 + (b & 0x7f);
      if (n >= 2 ** 31) throw new BadDer("a number that is too large");
      if (b < 0x80) return n;
    }
  }

  /** oid gives an object identifier in the dotted form. */
  oid(): string {
    const parts: number[] = [];
    for (const all = new Der(this.content(tags.oid)); all.more; ) {
      const part = all.#base128();
      const first = Math.min(Math.floor(part / 40), 2);
      if (parts.length === 0) parts.push(first, part - 40 * first);
      else parts.push(part);
    }
    if (parts.length === 0) throw new BadDer("an identifier of nothing");
    return parts.join(".");
  }

  /** algorithm reads an AlgorithmIdentifier and gives its identifier; parameters may be anything. */
  algorithm(): string {
    const a = this.inside(tags.sequence);
    const id = a.oid();
    if (a.more) a.any();
    return id;
  }

  end(): void {
    if (this.more) throw new BadDer("something follows");
  }
}
