// Time stamps (时间戳) of RFC 3161 bound when a header existed, as witnesses do. The part of step 11 of PROOF.md that concerns them.
//
// Signatures are checked here and not by WebCrypto, which a page that did not come over https does not have: RSA by its definition, ECDSA by
// @noble/curves, which is loaded when the first such signature comes.

import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";

import { byteText, concat, equal, hex, unhex } from "./bytes.js";
import { second } from "./bundle.js";
import { BadDer, context, Der, tags } from "./der.js";
import { invalid } from "./errors.js";
import { parseTime } from "./time.js";
import type { Trust } from "./trust.js";
import { type Cosigned, evidenceTime } from "./witness.js";

const stampBytesMax = 64 * 1024;
const stampsMax = 64;

interface Digest {
  readonly of: (data: Uint8Array) => Uint8Array;
  /** What PKCS #1 version 1.5 writes before it. */
  readonly prefix: Uint8Array;
  /** Signature algorithms that name it, besides plain RSA. */
  readonly rsa: string;
  readonly ecdsa: string;
}

const digests: Record<string, Digest> = {
  "2.16.840.1.101.3.4.2.1": { of: sha256, prefix: unhex("3031300d060960864801650304020105000420")!, rsa: "1.2.840.113549.1.1.11", ecdsa: "1.2.840.10045.4.3.2" },
  "2.16.840.1.101.3.4.2.2": { of: sha384, prefix: unhex("3041300d060960864801650304020205000430")!, rsa: "1.2.840.113549.1.1.12", ecdsa: "1.2.840.10045.4.3.3" },
  "2.16.840.1.101.3.4.2.3": { of: sha512, prefix: unhex("3051300d060960864801650304020305000440")!, rsa: "1.2.840.113549.1.1.13", ecdsa: "1.2.840.10045.4.3.4" },
};
const sha256Id = "2.16.840.1.101.3.4.2.1";
const rsaId = "1.2.840.113549.1.1.1";
const ecId = "1.2.840.10045.2.1";
const signedDataId = "1.2.840.113549.1.7.2";
const stampInfoId = "1.2.840.113549.1.9.16.1.4";
const contentTypeId = "1.2.840.113549.1.9.3";
const messageDigestId = "1.2.840.113549.1.9.4";

/** Stamp is a time stamp that contradicts itself nowhere. */
interface Stamp {
  readonly imprint: Uint8Array;
  readonly time: bigint; // nanoseconds
  readonly digest: Digest;
  readonly algorithm: string;
  readonly signed: Uint8Array; // the attributes, as a set
  readonly signature: Uint8Array;
}

/** checkStamps gives the names of the authorities that count. A stamp that no key of the trust file has signed says nothing. */
export async function checkStamps(stamps: readonly Uint8Array[], h: Cosigned, trust: Trust, now: bigint): Promise<string[]> {
  if (stamps.length > stampsMax) throw invalid(11, "E_STAMP_FORM", `${stamps.length} time stamps, more than ${stampsMax}`);
  const names: string[] = [];
  for (const [i, raw] of stamps.entries()) {
    const s = readStamp(raw);
    if (s === undefined) throw invalid(11, "E_STAMP_FORM", `time stamp ${i} is no granted time stamp of RFC 3161 over a SHA-256, or contradicts itself`);
    if (!equal(s.imprint, h.hash)) throw invalid(11, "E_STAMP_OTHER", `time stamp ${i} is not of the header of height ${h.height}`);
    for (const a of trust.stamps.authorities) {
      if (!(await isBy(s, a.key))) continue;
      const wrong = (what: string) => invalid(11, "E_STAMP_TIME", `the time stamp of ${a.name} ${what}`);
      // In whole seconds, as all evidence.
      const counts = evidenceTime(s.time / second, h, now, trust.stamps.withinSeconds, wrong);
      if (counts && !names.includes(a.name)) names.push(a.name);
    }
  }
  return names;
}

/** readStamp reads a TimeStampResp; undefined for one that is not well formed or contradicts itself. */
function readStamp(raw: Uint8Array): Stamp | undefined {
  if (raw.length > stampBytesMax) return undefined;
  try {
    return parseStamp(raw);
  } catch (e) {
    if (!(e instanceof BadDer)) throw e;
    return undefined;
  }
}

function parseStamp(raw: Uint8Array): Stamp | undefined {
  const whole = new Der(raw);
  const response = whole.inside(tags.sequence);
  whole.end();
  const said = response.inside(tags.sequence);
  const status = said.small();
  for (let i = 0; i < 2 && said.more; i++) said.any(); // in words, and why not
  if (status !== 0n && status !== 1n) return undefined;
  const token = response.inside(tags.sequence);
  if (token.oid() !== signedDataId) return undefined;
  const held = token.inside(context(0));
  const data = held.inside(tags.sequence);
  held.end();

  data.small(); // version
  for (const occur = data.inside(tags.set); occur.more; ) occur.algorithm();
  const content = data.inside(tags.sequence);
  if (content.oid() !== stampInfoId) return undefined;
  const boxed = content.inside(context(0));
  const info = boxed.content(tags.octets);
  boxed.end();
  data.skip(context(0)); // certificates
  data.skip(context(1)); // revocations
  const signers = data.inside(tags.set);
  const signer = signers.inside(tags.sequence);
  signers.end(); // one

  signer.small(); // version
  signer.any(); // who it is: the key says so
  const digest = digests[signer.algorithm()];
  if (digest === undefined) return undefined;
  const attributes = signer.any();
  if (attributes.tag !== context(0)) return undefined;
  const algorithm = signer.algorithm();
  const signature = signer.content(tags.octets);
  if (signer.more) signer.any(); // what is not signed
  if (!areOf(attributes.content, digest.of(info))) return undefined;

  const stamped = readInfo(info);
  // What is signed is the set under its own tag.
  const signed = concat(Uint8Array.of(tags.set), attributes.all.subarray(1));
  return stamped && { ...stamped, digest, algorithm, signed, signature };
}

/** areOf tells whether signed attributes name the content of a time stamp, once, by kind and by digest. */
function areOf(attributes: Uint8Array, sum: Uint8Array): boolean {
  let kinds = 0;
  let sums = 0;
  for (const all = new Der(attributes); all.more; ) {
    const a = all.inside(tags.sequence);
    const kind = a.oid();
    const values = new Der(a.any().content);
    if (kind === contentTypeId) {
      kinds++;
      if (values.oid() !== stampInfoId) return false;
      values.end();
    }
    if (kind === messageDigestId) {
      sums++;
      if (!equal(values.content(tags.octets), sum)) return false;
      values.end();
    }
  }
  return kinds === 1 && sums === 1;
}

/** readInfo reads a TSTInfo, as far as the time. */
function readInfo(raw: Uint8Array): { imprint: Uint8Array; time: bigint } | undefined {
  const whole = new Der(raw);
  const info = whole.inside(tags.sequence);
  whole.end();
  if (info.small() !== 1n) return undefined;
  info.content(tags.oid); // policy, of any size: 2.25 and a UUID is one
  const printed = info.inside(tags.sequence);
  if (printed.algorithm() !== sha256Id) return undefined;
  const imprint = printed.content(tags.octets);
  info.integer(); // serial number
  const m = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{0,8}[1-9])?Z$/.exec(byteText(info.content(tags.time)));
  if (m === null) return undefined;
  const time = parseTime(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}${m[7] ?? ""}Z`);
  return time === undefined ? undefined : { imprint, time };
}

/** AuthorityKey is the public key of an authority. */
export type AuthorityKey = { readonly n: bigint; readonly e: bigint } | { readonly curve: Curve; readonly point: Uint8Array };

/** Curve is y² = x³ - 3x + b modulo p, of SEC 2. */
interface Curve {
  readonly name: "p256" | "p384";
  readonly p: bigint;
  readonly b: bigint;
}

const curves: Record<string, Curve> = {
  "1.2.840.10045.3.1.7": {
    name: "p256",
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  "1.3.132.0.34": {
    name: "p384",
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
};

/** isOn tells whether an uncompressed point, 4 ‖ x ‖ y, is one of the curve. It holds no secret: nothing here need take the same time. */
function isOn({ p, b }: Curve, point: Uint8Array): boolean {
  const size = Math.ceil(p.toString(2).length / 8);
  if (point[0] !== 4 || point.length !== 1 + 2 * size) return false;
  const [x, y] = [toNumber(point.subarray(1, 1 + size)), toNumber(point.subarray(1 + size))];
  return x < p && y < p && (y * y - (x * x * x - 3n * x + b)) % p === 0n;
}

/** readAuthorityKey reads a SubjectPublicKeyInfo: RSA of 2,048 to 8,192 bits, or ECDSA over P-256 or P-384, uncompressed. undefined for any other. */
export function readAuthorityKey(raw: Uint8Array): AuthorityKey | undefined {
  try {
    const whole = new Der(raw);
    const spki = whole.inside(tags.sequence);
    whole.end();
    const algorithm = spki.inside(tags.sequence);
    const kind = algorithm.oid();
    const parameters = algorithm.more ? algorithm.any() : undefined;
    const bits = spki.content(tags.bits);
    if (bits[0] !== 0) return undefined; // bits that no byte fills
    const key = bits.subarray(1);
    if (kind === rsaId) {
      const held = new Der(key);
      const pair = held.inside(tags.sequence);
      held.end();
      const n = pair.integer();
      const e = pair.small();
      const size = n.toString(2).length;
      return n > 0n && n % 2n === 1n && size >= 2048 && size <= 8192 && e >= 3n && e % 2n === 1n ? { n, e } : undefined;
    }
    if (kind !== ecId) return undefined;
    if (parameters === undefined) return undefined;
    const named = new Der(parameters.all);
    const curve = curves[named.oid()];
    named.end();
    return curve !== undefined && isOn(curve, key) ? { curve, point: key } : undefined;
  } catch {
    return undefined; // no DER
  }
}

/** keyText is the same for the same key, whatever its encoding was. */
export const keyText = (key: AuthorityKey): string => ("n" in key ? `${key.n} ${key.e}` : `${key.curve.name} ${hex(key.point)}`);

/** isBy tells whether a stamp is signed with this key. */
async function isBy(s: Stamp, key: AuthorityKey): Promise<boolean> {
  const sum = s.digest.of(s.signed);
  if ("n" in key) return (s.algorithm === rsaId || s.algorithm === s.digest.rsa) && rsaVerify(key, concat(s.digest.prefix, sum), s.signature);
  if (s.algorithm !== s.digest.ecdsa) return false;
  const portable = (await import("./portable-nist.js"))[key.curve.name];
  try {
    return portable.verify(s.signature, sum, key.point, { format: "der", lowS: false, prehash: false });
  } catch {
    return false; // no signature at all
  }
}

/** rsaVerify is RSASSA-PKCS1-v1_5 of RFC 8017: the padding is made and compared, never parsed. */
function rsaVerify(key: { n: bigint; e: bigint }, info: Uint8Array, signature: Uint8Array): boolean {
  const size = Math.ceil(key.n.toString(2).length / 8);
  if (signature.length !== size || key.e >= 2n ** 31n) return false;
  const s = toNumber(signature);
  if (s >= key.n) return false;
  const padded = new Uint8Array(size).fill(0xff);
  padded.set([0, 1]);
  padded[size - info.length - 1] = 0;
  padded.set(info, size - info.length);
  return power(s, key.e, key.n) === toNumber(padded);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let out = 1n;
  for (let b = base, e = exponent; e > 0n; b = (b * b) % modulus, e >>= 1n) if (e & 1n) out = (out * b) % modulus;
  return out;
}

const toNumber = (b: Uint8Array): bigint => BigInt(`0x0${hex(b)}`); // a digit more: no bytes are 0
