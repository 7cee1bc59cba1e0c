// DER, as far as time stamps and their keys need it.

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
    const tag = this.#byte();
    if ((tag & 0x1f) === 0x1f) throw new BadDer("a long tag");
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
    return BigInt.asIntN(8 * b.length, b.reduce((n, x) => (n << 8n) | BigInt(x), 0n));
  }

  /** oid gives an object identifier in the dotted form. */
  oid(): string {
    const parts: bigint[] = [];
    let part = 0n;
    let open = false;
    for (const b of this.content(tags.oid)) {
      if (!open && b === 0x80) throw new BadDer("an identifier not in its shortest form");
      part = (part << 7n) | BigInt(b & 0x7f);
      open = b >= 0x80;
      if (open) continue;
      if (parts.length === 0) {
        const first = part < 80n ? part / 40n : 2n;
        parts.push(first, part - 40n * first);
      } else parts.push(part);
      part = 0n;
    }
    if (open || parts.length === 0) throw new BadDer("an identifier that ends too early");
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
