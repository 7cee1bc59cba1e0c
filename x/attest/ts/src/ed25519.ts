// One ed25519 signature by the rules of ZIP-215.
//
// WebCrypto is fast and follows RFC 8032, each platform in its own way: some refuse keys of small order, some encodings that are not
// reduced, and all compare without the cofactor. What ZIP-215 accepts, WebCrypto may therefore refuse; its no decides nothing.
// Its yes decides where it cannot be more than ZIP-215 says: S is reduced (seen to here), key and R are written in their one form
// (seen to here, so that every platform hashes the same bytes), and then S·B = R + k·A, which gives 8·S·B = 8·R + 8·k·A. Everything
// else is left to @noble/curves, which has the rules of ZIP-215.

import { sha512 } from "@noble/hashes/sha2.js";

import { concat, equal } from "./bytes.js";

/**
 * portable is @noble/curves, loaded when it is first needed: where the platform says yes it never is, and what it computes as it is loaded costs more than the rest
 * of a first verdict (npm run bench-cold).
 */
const portable = async () => (await import("./portable-ed25519.js")).ed25519;

const fieldPrime = 2n ** 255n - 19n;
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

/** verifySignature tells whether a signature is that of a key of 32 bytes on a message, by ZIP-215. */
export async function verifySignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (key.length !== 32 || signature.length !== 64 || littleEndian(signature.subarray(32)) >= groupOrder) return false;
  if (isReduced(key) && isReduced(signature.subarray(0, 32)) && (await platformAccepts(key, message, signature))) return true;
  return (await portable()).verify(signature, message, key, { zip215: true });
}

/** platformAccepts asks WebCrypto. A page that did not come over https has none, and a platform need not know ed25519. */
export async function platformAccepts(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return false;
  try {
    const k = await subtle.importKey("raw", whole(key), { name: "Ed25519" }, false, ["verify"]);
    return await subtle.verify({ name: "Ed25519" }, k, whole(signature), whole(message));
  } catch {
    return false; // no such algorithm here, or a key that it does not take
  }
}

/** whole copies bytes into memory of their own, which WebCrypto asks for. */
const whole = (b: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(b);

/** isReduced tells whether a point is written in its one form: y below the prime, and no sign where x is 0. */
export function isReduced(point: Uint8Array): boolean {
  const all = littleEndian(point);
  const y = BigInt.asUintN(255, all);
  return y < fieldPrime && !(y !== all && (y === 1n || y === fieldPrime - 1n));
}

/**
 * verifyWitness is stricter, as witnesses sign by RFC 8032: S is reduced, and S·B - k·A is written as R is, byte for byte. The key may be written
 * in any way that ZIP-215 reads.
 */
export async function verifyWitness(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (key.length !== 32 || signature.length !== 64) return false;
  const s = littleEndian(signature.subarray(32));
  if (s >= groupOrder) return false;
  const r = signature.subarray(0, 32);
  const ed25519 = await portable();
  try {
    const a = ed25519.Point.fromBytes(key, true);
    const k = littleEndian(sha512(concat(r, key, message))) % groupOrder;
    return equal(ed25519.Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), r);
  } catch {
    return false; // the key is no point of the curve
  }
}

/** littleEndian reads a number of a multiple of eight bytes, lowest first. */
function littleEndian(b: Uint8Array): bigint {
  const words = new DataView(b.buffer, b.byteOffset, b.length);
  let n = 0n;
  for (let at = b.length - 8; at >= 0; at -= 8) n = (n << 64n) | words.getBigUint64(at, true);
  return n;
}
