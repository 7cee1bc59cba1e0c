// The hashing under every claim: the sparse Merkle tree with its proofs, the RFC 6962 root, and the app hash. The format is that of
// the package comment of x/attest/tree.

import { sha256 as portable } from "@noble/hashes/sha2.js";

import { compare, concat, equal } from "./bytes.js";
import { uvarint } from "./wire.js";

// Node's own SHA-256, where this runs in Node: before it has been compiled, the portable one is a quarter of a first verdict (npm run bench-cold), and afterwards twice as dear.
const native = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process?.getBuiltinModule?.("node:crypto") as
  | { hash?: (algorithm: string, data: Uint8Array, encoding: "buffer") => Uint8Array }
  | undefined;

/** sha256 gives bytes of its own. */
export const sha256 = (data: Uint8Array): Uint8Array => (native?.hash === undefined ? portable(data) : new Uint8Array(native.hash("sha256", data, "buffer")));

/** empty stands for a subtree without leaves. */
export const empty = new Uint8Array(32);

const depthMax = 256;
const claimsMax = 16384;

const leafByte = Uint8Array.of(0);
const innerByte = Uint8Array.of(1);

export const leafHash = (path: Uint8Array, valueHash: Uint8Array): Uint8Array => sha256(concat(leafByte, path, valueHash));
export const innerHash = (l: Uint8Array, r: Uint8Array): Uint8Array => sha256(concat(innerByte, l, r));

/** logLeaf hashes one entry of a log (RFC 6962). */
export const logLeaf = (data: Uint8Array): Uint8Array => sha256(concat(leafByte, data));

/** logRoot is the RFC 6962 root over leaf hashes. */
export function logRoot(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return leaves[0]!;
  let cut = 1;
  while (cut * 2 < leaves.length) cut *= 2;
  return innerHash(logRoot(leaves.slice(0, cut)), logRoot(leaves.slice(cut)));
}

/** appEntryLeaf is the leaf of one named part of the state, of which only SHA-256(value) need be known. */
export function appEntryLeaf(name: string, valueHash: Uint8Array): Uint8Array {
  const n = new TextEncoder().encode(name);
  return logLeaf(concat(uvarint(BigInt(n.length)), n, uvarint(BigInt(valueHash.length)), valueHash));
}

/** TreeClaim says of one path that there is a leaf with this value hash, or that there is none. */
export interface TreeClaim {
  readonly path: Uint8Array;
  readonly valueHash?: Uint8Array;
}

/** BadProof is thrown by rootOf and never leaves this package. */
export class BadProof extends Error {
  override readonly name = "BadProof";
}

const bad = (why: string): BadProof => new BadProof(why);

/**
 * rootOf computes the root of the only trees in which the claims, ascending by path, hold by this proof. The root means nothing until
 * it is compared with a trusted one.
 */
export function rootOf(claims: readonly TreeClaim[], shape: Uint8Array, hashes: Uint8Array): Uint8Array {
  if (claims.length === 0 || claims.length > claimsMax) throw bad("no claims, or too many");
  for (let i = 1; i < claims.length; i++) {
    if (compare(claims[i - 1]!.path, claims[i]!.path) >= 0) throw bad("claims are not in strictly ascending order of path");
  }
  const w = new Walk(claims, shape, hashes);
  const root = w.visit(0, claims.length, 0).hash;
  w.finish();
  return root;
}

/** Subtree is what the walk knows of a subtree that it has passed; other: a branch, or a hash of which nothing else is known. */
interface Subtree {
  readonly hash: Uint8Array;
  readonly kind: "empty" | "leaf" | "other";
}

const nothing: Subtree = { hash: empty, kind: "empty" };

/** Walk reads a proof from front to back. */
class Walk {
  readonly #claims: readonly TreeClaim[];
  readonly #shape: Uint8Array;
  readonly #hashes: Uint8Array;
  #bits = 0; // read of the shape
  #at = 0; // read of the hashes

  constructor(claims: readonly TreeClaim[], shape: Uint8Array, hashes: Uint8Array) {
    this.#claims = claims;
    this.#shape = shape;
    this.#hashes = hashes;
  }

  /** visit passes the subtree at depth that holds the claims from lo up to hi, at least one. */
  visit(lo: number, hi: number, depth: number): Subtree {
    if (!this.#bit()) return this.#terminal(lo, hi, depth);
    if (depth >= depthMax) throw bad("a branch at depth 256");
    let cut = lo; // the first claim of side 1
    while (cut < hi && bitOf(this.#claims[cut]!.path, depth) === 0) cut++;
    const l = this.#side(lo, cut, depth + 1);
    const r = this.#side(cut, hi, depth + 1);
    // A subtree with one leaf is that leaf and one with none is empty, so neither is ever a branch.
    if ((l.kind === "empty" && r.kind !== "other") || (r.kind === "empty" && l.kind !== "other")) {
      throw bad("a branch holds fewer than two leaves");
    }
    return { hash: innerHash(l.hash, r.hash), kind: "other" };
  }

  #side(lo: number, hi: number, depth: number): Subtree {
    if (lo < hi) return this.visit(lo, hi, depth);
    if (!this.#bit()) return nothing;
    const hash = this.#hash();
    if (equal(hash, empty)) throw bad("an empty side is given as a hash");
    return { hash, kind: "other" };
  }

  #terminal(lo: number, hi: number, depth: number): Subtree {
    const leaf = this.#bit();
    const foreign = this.#bit();
    if (!leaf && foreign) throw bad("unknown kind of terminal");
    const here = this.#claims.slice(lo, hi);
    const present = here.filter((c) => c.valueHash !== undefined);
    if (leaf && !foreign) {
      if (present.length !== 1) throw bad("a leaf is shown that not exactly one claim calls present");
      return { hash: leafHash(present[0]!.path, present[0]!.valueHash!), kind: "leaf" };
    }
    if (present.length > 0) throw bad("a claim of presence ends without its leaf");
    if (!leaf) return nothing;
    const path = this.#hash();
    const valueHash = this.#hash();
    for (let i = 0; i < depth; i++) {
      if (bitOf(path, i) !== bitOf(here[0]!.path, i)) throw bad("a foreign leaf stands outside its subtree");
    }
    if (here.some((c) => equal(c.path, path))) throw bad("a foreign leaf is one of the claims");
    return { hash: leafHash(path, valueHash), kind: "leaf" };
  }

  #bit(): boolean {
    const i = this.#bits++;
    if (i >> 3 >= this.#shape.length) throw bad("the shape ends too early");
    return bitOf(this.#shape, i) === 1;
  }

  #hash(): Uint8Array {
    if (this.#hashes.length - this.#at < 32) throw bad("the hashes end too early");
    this.#at += 32;
    return this.#hashes.subarray(this.#at - 32, this.#at);
  }

  finish(): void {
    if (this.#shape.length !== (this.#bits + 7) >> 3) throw bad("the shape has surplus bytes");
    for (let i = this.#bits; i < 8 * this.#shape.length; i++) {
      if (bitOf(this.#shape, i) !== 0) throw bad("the shape is not filled up with zero bits");
    }
    if (this.#at !== this.#hashes.length) throw bad("there are surplus hashes");
  }
}

/** bitOf reads a bit, the most significant one of the first byte first. */
export function bitOf(b: Uint8Array, i: number): number {
  return (b[i >> 3]! >> (7 - (i & 7))) & 1;
}
