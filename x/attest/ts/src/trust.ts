// The trust file (信任文件): all that a verifier believes without proof.

import { byteText, equal, textBytes, unbase64, unhex } from "./bytes.js";
import { addressOf, chainIdMax, compareMembers, maxPower, type ValidatorSet } from "./bundle.js";
import { Refusal, usage } from "./errors.js";
import { type Json, JsonNumber, JsonObject, readJson } from "./json.js";
import { type AuthorityKey, keyText, readAuthorityKey } from "./stamp.js";
import { parseTime } from "./time.js";
import { empty } from "./tree.js";

const version = 1n;
const bytesMax = 1024 * 1024;
const validatorsMax = 1024;
const rowsMax = 4 * validatorsMax; // the sets of several epochs
const int64Max = 2n ** 63n - 1n;

/** Anchor (锚) names one block. */
export interface Anchor {
  readonly height: bigint;
  readonly headerHash: Uint8Array;
}

/** TrustedValidator is in force at the heights fromHeight to untilHeight, both included; 0 = open. */
export interface TrustedValidator {
  readonly pubKey: Uint8Array;
  readonly power: bigint;
  readonly fromHeight: bigint;
  readonly untilHeight: bigint;
  readonly validFrom: bigint | undefined;
  readonly validUntil: bigint | undefined;
}

/** Witness (见证方) is a key that cosigns headers, under the name by which its signature lines are found. */
export interface Witness {
  readonly name: string;
  readonly pubKey: Uint8Array;
}

/** Witnesses says how many of them must have cosigned a header, and within how many seconds after it; 0 = any time after. */
export interface Witnesses {
  readonly required: number;
  readonly withinSeconds: bigint;
  readonly keys: readonly Witness[];
}

/** Authority (时间戳机构) is a key that signs time stamps, pinned by itself. */
export interface Authority {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly key: AuthorityKey;
}

/** Stamps says how many authorities must have stamped a header, and within how many seconds after it; 0 = any time after. */
export interface Stamps {
  readonly required: number;
  readonly withinSeconds: bigint;
  readonly authorities: readonly Authority[];
}

/** Trust is what parseTrust returns; nothing else makes one. */
export class Trust {
  readonly chainId: string; // byteText
  readonly anchor: Anchor;
  readonly validators: readonly TrustedValidator[];
  readonly witnesses: Witnesses;
  readonly stamps: Stamps;
  readonly notAfter: bigint;
  /** The ranges of heights with one set, ascending. */
  readonly epochs: readonly Epoch[];

  /** By parseTrust. */
  constructor(
    made: typeof parsed,
    f: {
      chainId: string;
      anchor: Anchor;
      validators: readonly TrustedValidator[];
      epochs: readonly Epoch[];
      witnesses: Witnesses;
      stamps: Stamps;
      notAfter: bigint;
    },
  ) {
    if (made !== parsed) throw new TypeError("a trust file is read by parseTrust");
    this.chainId = f.chainId;
    this.anchor = f.anchor;
    this.validators = f.validators;
    this.witnesses = f.witnesses;
    this.stamps = f.stamps;
    this.notAfter = f.notAfter;
    this.epochs = f.epochs;
  }

  /** setAt is the file's validator set at a height; undefined where it has none. */
  setAt(height: bigint): ValidatorSet | undefined {
    const members = this.validators
      .filter((v) => covers(v, height))
      .map((v) => ({ ...v, address: addressOf(v.pubKey) }))
      .sort((a, b) => compareMembers(a.power, a.address, b.power, b.address));
    if (members.length === 0) return undefined;
    const pubKeys = new Uint8Array(32 * members.length);
    members.forEach((v, i) => pubKeys.set(v.pubKey, 32 * i));
    return { pubKeys, powers: members.map((v) => v.power) };
  }

  /** epochAt is the range that a height lies in; sets are made only where one is asked for. */
  epochAt(height: bigint): Epoch | undefined {
    return this.epochs[this.#indexAt(height)];
  }

  /** inForce is the first height of the newest range that has a set. A file that parseTrust has read has one. */
  inForce(): bigint {
    return this.epochs.findLast((e) => e.size > 0)!.from;
  }

  /** rangeAt is the newest range of heights with one set that begins at or below a height; until is its last, undefined where it is open. */
  rangeAt(height: bigint): { from: bigint; until: bigint | undefined } | undefined {
    for (let i = this.#indexAt(height); i >= 0; i--) {
      const e = this.epochs[i]!;
      if (e.size === 0) continue;
      const after = this.epochs[i + 1];
      return { from: e.from, until: after === undefined ? undefined : after.from - 1n };
    }
    return undefined;
  }

  /** #indexAt is the place of the epoch that a height lies in; -1 below the first. */
  #indexAt(height: bigint): number {
    let [low, high] = [0, this.epochs.length]; // the first that begins above it lies between
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.epochs[middle]!.from <= height) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** inWindow tells whether a time lies in the windows of all validators at a height. */
  inWindow(height: bigint, time: bigint): boolean {
    return this.validators
      .filter((v) => covers(v, height))
      .every((v) => (v.validFrom === undefined || time >= v.validFrom) && (v.validUntil === undefined || time <= v.validUntil));
  }
}

const parsed = Symbol("parseTrust");

export function covers(v: TrustedValidator, height: bigint): boolean {
  return height >= v.fromHeight && (v.untilHeight === 0n || height <= v.untilHeight);
}

const badTrust = (what: string): Refusal => usage("E_TRUST", `trust file: ${what}`);
const bad = badTrust;

/** parseTrust reads a trust.json. It throws a Refusal of class usage, or unsupported for a file of another version. */
export function parseTrust(raw: Uint8Array): Trust {
  const json = readFile(raw, bytesMax, bad);
  const v = versionOf(json, bad);
  if (v !== version) throw new Refusal("unsupported", 1, "E_VERSION", `a trust file of version ${v}; this program reads version ${version}`);
  const top = new Fields(json, "", ["version", "chain_id", "anchor", "validators", "witnesses", "timestamps", "not_after"]);
  const chainId = byteText(new TextEncoder().encode(top.text("chain_id")));
  if (chainId.length < 1 || chainId.length > chainIdMax) throw bad(`chain_id has 1 to ${chainIdMax} bytes`);

  const a = new Fields(top.get("anchor"), "anchor: ", ["height", "header_hash"]);
  const headerHash = unhex(a.text("header_hash"));
  if (headerHash === undefined || headerHash.length !== 32) throw bad("anchor: header_hash is not 64 hexadecimal digits");
  const anchor = { height: a.integer("height"), headerHash };
  if (anchor.height < 1n) throw bad("anchor.height is not positive");
  if (equal(headerHash, empty)) throw bad("anchor.header_hash is not set");

  const rows = top.get("validators");
  if (!Array.isArray(rows) || rows.length < 1 || rows.length > rowsMax) throw bad(`1 to ${rowsMax} validators are needed`);
  const validators = rows.map(trustedValidator);
  checkOnce(validators);
  const epochs = epochsOf(validators);
  const witnesses = top.has("witnesses") ? parseWitnesses(top.get("witnesses"), chainId) : noWitnesses;
  const stamps = top.has("timestamps") ? parseStamps(top.get("timestamps")) : noStamps;
  return new Trust(parsed, { chainId, anchor, validators, epochs, witnesses, stamps, notAfter: top.time("not_after") });
}

/** versionOf is looked at before what else there is: a file of another version has other fields. */
export function versionOf(json: Json, bad: (what: string) => Refusal): bigint {
  return new Fields(json, "", undefined, bad).integer("version");
}

/** readFile reads the JSON of a file of bounded size. */
export function readFile(raw: Uint8Array, max: number, bad: (what: string) => Refusal): Json {
  if (raw.length > max) throw bad(`${raw.length} bytes, more than ${max}`);
  try {
    return readJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw), true);
  } catch (e) {
    throw bad(e instanceof SyntaxError ? e.message : "not UTF-8");
  }
}

const noWitnesses: Witnesses = { required: 0, withinSeconds: 0n, keys: [] };
const noStamps: Stamps = { required: 0, withinSeconds: 0n, authorities: [] };
const evidenceMax = 64; // witnesses, and authorities
const withinMax = 100n * 366n * 86400n;

/** isPrintable holds for what may stand in a name of a signed note. */
export function isPrintable(s: string): boolean {
  return /^[!-*,-~]+$/.test(s);
}

function parseWitnesses(json: Json, chainId: string): Witnesses {
  const { rows, ...asked } = parseAsked(json, "witnesses: ", "keys");
  if (!isPrintable(chainId)) throw bad("witnesses: the chain id cannot stand in a checkpoint");
  const keys = rows.map((row, i): Witness => {
    const w = new Fields(row, `witness ${i}: `, ["name", "pub_key"]);
    const pubKey = unbase64(w.text("pub_key"));
    if (pubKey === undefined || pubKey.length !== 32) throw bad(`witness ${i}: pub_key is not an ed25519 key of 32 bytes in base64`);
    return { name: nameOf(w, `witness ${i}: `), pubKey };
  });
  checkDistinct("witness", keys, (k) => k.pubKey);
  return { ...asked, keys };
}

function parseStamps(json: Json): Stamps {
  const { rows, ...asked } = parseAsked(json, "timestamps: ", "authorities");
  const authorities = rows.map((row, i): Authority => {
    const at = `authority ${i}: `;
    const f = new Fields(row, at, ["name", "public_key"]);
    const publicKey = unbase64(f.text("public_key"));
    const key = publicKey === undefined ? undefined : readAuthorityKey(publicKey);
    if (publicKey === undefined || key === undefined) {
      throw bad(`${at}public_key is no SubjectPublicKeyInfo of RSA with 2048 to 8192 bits, or of P-256 or P-384, in base64`);
    }
    return { name: nameOf(f, at), publicKey, key };
  });
  checkDistinct("authority", authorities, (a) => textBytes(keyText(a.key))); // not their encodings: one key has several
  return { ...asked, authorities };
}

/** parseAsked reads what witnesses and time stamps have in common. */
function parseAsked(json: Json, at: string, list: string): { required: number; withinSeconds: bigint; rows: Json[] } {
  const f = new Fields(json, at, ["required", "within_seconds", list]);
  const rows = f.get(list);
  if (!Array.isArray(rows) || rows.length < 1 || rows.length > evidenceMax) throw bad(`${at}1 to ${evidenceMax} keys are needed`);
  const required = f.integer("required");
  if (required < 0n || required > BigInt(rows.length)) throw bad(`${at}${required} are required, ${rows.length} have keys`);
  const withinSeconds = f.has("within_seconds") ? f.integer("within_seconds") : 0n;
  if (withinSeconds < 0n || withinSeconds > withinMax) throw bad(`${at}within_seconds is negative or more than ${withinMax}`);
  return { required: Number(required), withinSeconds, rows };
}

function nameOf(f: Fields, at: string): string {
  const name = f.text("name");
  if (!isPrintable(name) || name.length > 128) throw bad(`${at}name has 1 to 128 characters of ASCII without blanks and plus`);
  return name;
}

function checkDistinct<T extends { readonly name: string }>(what: string, all: readonly T[], key: (t: T) => Uint8Array): void {
  all.forEach((k, i) => {
    if (all.slice(0, i).some((o) => o.name === k.name || equal(key(o), key(k)))) {
      throw bad(`${what} ${i}: its name or its key is listed twice`);
    }
  });
}

function trustedValidator(row: Json, i: number): TrustedValidator {
  const at = `validator ${i}: `;
  const f = new Fields(row, at, ["pub_key", "power", "from_height", "until_height", "valid_from", "valid_until"]);
  const pubKey = unbase64(f.text("pub_key"));
  if (pubKey === undefined || pubKey.length !== 32) throw bad(`${at}pub_key is not an ed25519 key of 32 bytes in base64`);
  const v = {
    pubKey,
    power: f.integer("power"),
    fromHeight: f.integer("from_height"),
    untilHeight: f.has("until_height") ? f.integer("until_height") : 0n,
    validFrom: f.has("valid_from") ? f.time("valid_from") : undefined,
    validUntil: f.has("valid_until") ? f.time("valid_until") : undefined,
  };
  if (v.power < 1n || v.power > maxPower) throw bad(`${at}power is not positive, or too large`);
  if (v.fromHeight < 1n || (v.untilHeight !== 0n && v.untilHeight < v.fromHeight)) {
    throw bad(`${at}from_height and until_height are no range`);
  }
  if (v.validFrom !== undefined && v.validUntil !== undefined && v.validUntil < v.validFrom) {
    throw bad(`${at}valid_from and valid_until are no range`);
  }
  return v;
}

/** checkOnce: one key has at most one entry for any height. Of ranges in their order, two that meet stand side by side. */
function checkOnce(validators: readonly TrustedValidator[]): void {
  const order = validators
    .map((v, i) => ({ v, i, key: byteText(v.pubKey) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : compare64(a.v.fromHeight, b.v.fromHeight) || a.i - b.i));
  order.forEach((o, n) => {
    const before = order[n - 1];
    if (before?.key === o.key && covers(before.v, o.v.fromHeight)) {
      throw bad(`validator ${Math.max(before.i, o.i)}: its key is listed twice for the same height`);
    }
  });
}

function compare64(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Epoch is a range of heights, up to the next epoch, in which the set of the trust file does not change: it begins where a validator's range begins, or
 * right after one has ended.
 */
export interface Epoch {
  readonly from: bigint;
  readonly size: number; // of the set; 0: the file has none here
  readonly end: bigint | undefined; // the first validUntil of the set, with which all of it ends
}

/** epochsOf gives those of a file, ascending, and holds the set of each to what can be a set. One pass: a file may have thousands of ranges. */
function epochsOf(validators: readonly TrustedValidator[]): Epoch[] {
  const changes = validators.flatMap((v) => {
    const comes = { at: v.fromHeight, size: 1, power: v.power, end: v.validUntil };
    const open = v.untilHeight === 0n || v.untilHeight === int64Max; // after the last height there is none
    return open ? [comes] : [comes, { at: v.untilHeight + 1n, size: -1, power: -v.power, end: v.validUntil }];
  });
  changes.sort((a, b) => compare64(a.at, b.at) || a.size - b.size); // who leaves before who comes
  const all: Epoch[] = [];
  const ends: bigint[] = []; // ascending
  let [size, total] = [0, 0n];
  changes.forEach((c, i) => {
    size += c.size;
    total += c.power;
    if (total > maxPower) throw bad(`at height ${c.at} the power of all validators is too large`);
    if (size > validatorsMax) throw bad(`at height ${c.at} there are more than ${validatorsMax} validators`);
    if (c.end !== undefined) {
      const at = ends.findIndex((e) => e >= c.end!);
      if (c.size < 0) ends.splice(at, 1);
      else ends.splice(at < 0 ? ends.length : at, 0, c.end);
    }
    if (changes[i + 1]?.at !== c.at) all.push({ from: c.at, size, end: ends[0] });
  });
  return all;
}

/** Fields of one JSON object whose keys are among those allowed; undefined: any. Every get refuses what is missing, null or of another type. */
export class Fields {
  readonly #fields: JsonObject;
  readonly #at: string;
  readonly #bad: (what: string) => Refusal;

  constructor(json: Json, at: string, allowed: readonly string[] | undefined, bad = badTrust) {
    this.#bad = bad;
    if (!(json instanceof JsonObject)) throw bad(`${at}not a JSON object`);
    if (json.twice !== undefined) throw bad(`${at}field ${JSON.stringify(json.twice)} occurs twice`);
    for (const key of json.keys()) if (allowed !== undefined && !allowed.includes(key)) throw bad(`${at}unknown field ${JSON.stringify(key)}`);
    this.#fields = json;
    this.#at = at;
  }

  has(key: string): boolean {
    return this.#fields.has(key);
  }

  get(key: string): Json {
    const v = this.#fields.get(key);
    if (v === undefined || v === null) throw this.#bad(`${this.#at}field "${key}" is ${v === null ? "null" : "missing"}`);
    return v;
  }

  text(key: string): string {
    const v = this.get(key);
    if (typeof v !== "string") throw this.#bad(`${this.#at}field "${key}" is no text`);
    return v;
  }

  integer(key: string): bigint {
    const v = this.get(key);
    if (!(v instanceof JsonNumber) || !/^-?[0-9]+$/.test(v.digits)) throw this.#bad(`${this.#at}field "${key}" is no whole number`);
    const n = v.digits.length > 20 ? int64Max + 1n : BigInt(v.digits); // a number of a million digits takes half a second to make
    if (n > int64Max || n < -int64Max - 1n) throw this.#bad(`${this.#at}field "${key}" is out of range`);
    return n;
  }

  time(key: string): bigint {
    const t = parseTime(this.text(key));
    if (t === undefined) throw this.#bad(`${this.#at}field "${key}" is not a time of RFC 3339 with zone`);
    return t;
  }
}
