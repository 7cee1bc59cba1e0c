// What the tests read: the vectors of testdata, and the cases that the Go implementation has judged.

import { readdirSync, readFileSync } from "node:fs";

import {
  type AnchoredRoot,
  applyDelta,
  checkAnswer,
  exitCode,
  isUSCC,
  openAnchorProof,
  openPack,
  type Pack,
  parseClaim,
  parseTime,
  parseTrust,
  type Policy,
  Refusal,
  type Verdict,
  verify,
  verifyMany,
} from "../src/index.js";

export const vectorDir = "../testdata/vectors/";

export interface Vector {
  name: string;
  exit: number;
  code: string; // * = any
  question: Question;
}

/** vectors reads testdata/vectors; README.md there gives the form. */
export function vectors(): Vector[] {
  return readdirSync(vectorDir)
    .filter((f) => f.endsWith(".xlv"))
    .map((f) => vector(f, readFileSync(vectorDir + f)));
}

/** rowsOf reads a file of a corpus: its mark, rows that say what is asked and expected, an empty line, the payload. */
function rowsOf(name: string, raw: Buffer, mark: string, known: readonly string[]) {
  const cut = raw.indexOf("\n\n");
  const [first, ...lines] = raw.subarray(0, cut).toString().split("\n");
  if (cut < 0 || first !== mark) throw new Error(`${name} is no vector`);
  const rows = lines.map((l) => [l.slice(0, l.indexOf(": ")), l.slice(l.indexOf(": ") + 2)] as const);
  for (const [key] of rows) if (!known.includes(key)) throw new Error(`${name}: unknown row ${key}`);
  const all = (key: string) => rows.filter((r) => r[0] === key).map((r) => r[1]);
  const one = (key: string) => all(key)[0] ?? "";
  const [exit, code] = one("expect").split(" ");
  return { exit: Number(exit), code: code!, all, one, payload: raw.subarray(cut + 2) };
}

function vector(name: string, raw: Buffer): Vector {
  const known = ["expect", "family", "trust", "header", "witness", "stamp", "subject", "claim", "max-age", "at"];
  const { exit, code, all, one, payload } = rowsOf(name, raw, "xinlian vector 1", known);
  return {
    name,
    exit,
    code,
    question: {
      bundle: payload,
      trust: readFileSync(vectorDir + one("trust")),
      headers: all("header").map((h) => readFileSync(vectorDir + h)),
      witness: one("witness") === "" ? undefined : readFileSync(vectorDir + one("witness")),
      stamps: all("stamp").map((s) => readFileSync(vectorDir + s)),
      subject: one("subject"),
      claim: one("claim"),
      maxAge: duration(one("max-age")),
      at: one("at"),
    },
  };
}

export const packDir = "../testdata/packs/";

/** PackVector is a file of testdata/packs. With a base, the payload is a delta on the payload of that vector. */
export interface PackVector {
  name: string;
  exit: number;
  code: string;
  payload: Uint8Array;
  base: Uint8Array | undefined;
  trust: Uint8Array;
  claim: string;
  maxAge: bigint;
  at: string;
}

export function packVectors(): PackVector[] {
  return readdirSync(packDir)
    .filter((f) => f.endsWith(".xlv"))
    .map((f) => packVector(f));
}

export function packVector(name: string): PackVector {
  const known = ["expect", "base", "trust", "claim", "max-age", "at"];
  const { exit, code, one, payload } = rowsOf(name, readFileSync(packDir + name), "xinlian pack vector 1", known);
  const base = one("base") === "" ? undefined : packVector(one("base") + ".xlv").payload;
  const trust = readFileSync(packDir + one("trust"));
  return { name, exit, code, payload, base, trust, claim: one("claim"), maxAge: duration(one("max-age")), at: one("at") };
}

/** packOf opens the pack of a vector; a delta is applied first. */
export async function packOf(v: PackVector): Promise<Pack> {
  const trust = parseTrust(v.trust);
  const file = v.base === undefined ? v.payload : applyDelta(v.base, v.payload);
  return openPack(file, trust, { subject: "", claim: parseClaim(v.claim), maxAge: v.maxAge, now: parseTime(v.at)! });
}

export const anchorDir = "../testdata/anchors/";

/** AnchorVector is a file of testdata/anchors. With a receipt, it is to be covered; with an answer, it is to be of that. */
export interface AnchorVector {
  name: string;
  exit: number;
  code: string;
  payload: Uint8Array;
  trust: Uint8Array;
  at: string;
  receipt: Uint8Array | undefined;
  salt: Uint8Array;
  place: bigint;
  path: Uint8Array[];
  answer: { bundle: Uint8Array; opening: Uint8Array } | undefined;
}

export function anchorVectors(): AnchorVector[] {
  return readdirSync(anchorDir)
    .filter((f) => f.endsWith(".xlv"))
    .map((name) => {
      const known = ["expect", "trust", "at", "receipt", "salt", "place", "path", "bundle", "opening"];
      const { exit, code, all, one, payload } = rowsOf(name, readFileSync(anchorDir + name), "xinlian anchor vector 1", known);
      const bytes = (digits: string) => new Uint8Array(Buffer.from(digits, "hex"));
      const [bundle, opening] = [one("bundle"), one("opening")].map((f) => (f === "" ? undefined : readFileSync(anchorDir + f)));
      return {
        name,
        exit,
        code,
        payload,
        trust: readFileSync(anchorDir + one("trust")),
        at: one("at"),
        receipt: all("receipt").map(bytes)[0],
        salt: bytes(one("salt")),
        place: BigInt(one("place")),
        path: all("path").map(bytes),
        answer: bundle === undefined ? undefined : { bundle, opening: opening ?? new Uint8Array() },
      };
    });
}

/** anchorOf opens the proof of a vector, has its receipt covered, and compares it with its answer. */
export async function anchorOf(v: AnchorVector): Promise<AnchoredRoot> {
  const a = await openAnchorProof(v.payload, parseTrust(v.trust), { now: parseTime(v.at)! });
  const r = v.receipt === undefined ? undefined : a.covers(v.receipt, v.salt, v.place, v.path);
  if (r !== undefined && v.answer !== undefined) checkAnswer(r, v.answer.bundle, v.answer.opening);
  return a;
}

export const rotationDir = "../testdata/rotations/";

/** RotationVector is a file of testdata/rotations: a rotation from the trust file that it names. */
export interface RotationVector {
  name: string;
  exit: number;
  code: string;
  old: Uint8Array;
  payload: Uint8Array;
  at: string;
  gives: string; // SHA-256 of the new file; empty: none
}

export function rotationVectors(): RotationVector[] {
  return readdirSync(rotationDir)
    .filter((f) => f.endsWith(".xlv"))
    .map((name) => {
      const { exit, code, one, payload } = rowsOf(name, readFileSync(rotationDir + name), "xinlian rotation vector 1", ["expect", "trust", "at", "gives"]);
      return { name, exit, code, old: readFileSync(rotationDir + one("trust")), payload, at: one("at"), gives: one("gives") };
    });
}

/** refused gives the exit code and the code of a refusal, undefined where there is none. Anything thrown that is no Refusal goes on. */
export async function refused(f: () => unknown): Promise<{ exit: number; code: string } | undefined> {
  try {
    await f();
    return undefined;
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    return { exit: exitCode(e), code: e.code };
  }
}

/** uscc gives the n-th synthetic code, as the corpus is made of: the organization code within it has a check character of its own. */
export function uscc(n: number): string {
  const body = "Y" + String(n).padStart(7, "0");
  // Of an organization code (GB 11714): letters count from 10 without a gap.
  const inner = [3, 7, 9, 10, 5, 8, 4, 2].reduce((sum, w, i) => sum + parseInt(body[i]!, 36) * w, 0);
  const first = "91410100" + body + "0X987654321"[inner % 11];
  for (const last of "0123456789ABCDEFGHJKLMNPQRTUWXY") {
    if (isUSCC(first + last)) return first + last;
  }
  throw new Error("no check character fits");
}

/** duration reads what Go writes for a time.Duration: "1h0m0s". */
export function duration(s: string): bigint {
  const units: Record<string, bigint> = { h: 3600n * 10n ** 9n, m: 60n * 10n ** 9n, s: 10n ** 9n, ms: 10n ** 6n, µs: 1000n, ns: 1n };
  let rest = s;
  let sum = 0n;
  while (rest !== "") {
    const m = /^(\d+)(?:\.(\d+))?(h|ms|m|µs|s|ns)/.exec(rest);
    if (m === null) throw new Error(`no duration: ${s}`);
    const fraction = m[2] ?? "";
    sum += (BigInt(m[1]! + fraction) * units[m[3]!]!) / 10n ** BigInt(fraction.length);
    rest = rest.slice(m[0].length);
  }
  return sum;
}

export interface Question {
  bundle: Uint8Array;
  trust: Uint8Array;
  headers: Uint8Array[];
  witness: Uint8Array | undefined;
  stamps: Uint8Array[];
  subject: string; // empty: all of the bundle
  claim: string;
  maxAge: bigint;
  at: string;
}

export interface Outcome {
  exit: number;
  code: string;
  verdicts: Verdict[]; // none for a refusal
  refusal: Refusal<Verdict[]> | undefined;
  policy: Policy | undefined;
}

/** judge asks the verifier as a program would: trust file, then claim, then bundle. Anything thrown that is no Refusal goes on. */
export async function judge(q: Question): Promise<Outcome> {
  let policy: Policy | undefined;
  try {
    const trust = parseTrust(q.trust);
    const now = parseTime(q.at);
    if (now === undefined) throw new Error(`no time: ${q.at}`);
    policy = { subject: q.subject, claim: parseClaim(q.claim), maxAge: q.maxAge, now, headers: q.headers, stamps: q.stamps };
    if (q.witness !== undefined) policy = { ...policy, witness: q.witness };
    const verdicts = q.subject === "" ? await verifyMany(q.bundle, trust, policy) : [await verify(q.bundle, trust, policy)];
    const first = verdicts.find((v) => !v.holds) ?? verdicts[0]!;
    return { exit: exitCode(first), code: first.code, verdicts, refusal: undefined, policy };
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    return { exit: exitCode(e), code: e.code, verdicts: [], refusal: e as Refusal<Verdict[]>, policy };
  }
}
