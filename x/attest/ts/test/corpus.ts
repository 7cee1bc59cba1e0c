// What the tests read: the vectors of testdata, and the cases that the Go implementation has judged.

import { readdirSync, readFileSync } from "node:fs";

import { exitCode, parseClaim, parseTime, parseTrust, type Policy, Refusal, type Verdict, verify, verifyMany } from "../src/index.js";

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

function vector(name: string, raw: Buffer): Vector {
  const cut = raw.indexOf("\n\n");
  const [mark, ...lines] = raw.subarray(0, cut).toString().split("\n");
  if (cut < 0 || mark !== "xinlian vector 1") throw new Error(`${name} is no vector`);
  const rows = lines.map((l) => [l.slice(0, l.indexOf(": ")), l.slice(l.indexOf(": ") + 2)] as const);
  const known = ["expect", "family", "trust", "header", "witness", "stamp", "subject", "claim", "max-age", "at"];
  for (const [key] of rows) if (!known.includes(key)) throw new Error(`${name}: unknown row ${key}`);
  const all = (key: string) => rows.filter((r) => r[0] === key).map((r) => r[1]);
  const one = (key: string) => all(key)[0] ?? "";
  const [exit, code] = one("expect").split(" ");
  return {
    name,
    exit: Number(exit),
    code: code!,
    question: {
      bundle: raw.subarray(cut + 2),
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
