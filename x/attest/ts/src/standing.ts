// The standing (信用状况): what is public of one subject. Step 10 of PROOF.md.

import type { Entry } from "./bundle.js";
import { concat, textBytes } from "./bytes.js";
import { invalid } from "./errors.js";
import { sha256 } from "./tree.js";
import { isDigits, isUSCC } from "./uscc.js";
import { type Fields, Malformed, readMessage } from "./wire.js";

/** States of a commitment (承诺), by number. */
export const commitmentStates = [
  "",
  "pending",
  "supervised",
  "due",
  "fulfilled",
  "breached",
  "cured",
  "rejected",
  "withdrawn",
] as const;
export const breached = 5;

/** Classes of a record (失信程度), by number. */
export const classes = ["", "minor", "general", "serious"] as const;

/** Statuses of a subject, by number. */
export const statuses = ["", "active", "deregistered", "revoked"] as const;

/** States of an incentive (守信激励), by number. A standing shows the last three. */
export const incentiveStates = ["", "proposed", "noticed", "checked", "recognised"] as const;
export const noticed = 2;
export const recognised = 4;

/** Dates are days since 1970-01-01, 0 for none. */
type Day = number;

export interface Counts {
  readonly commitments: number;
  readonly breached: number;
  readonly penalties: number;
  readonly minor: number;
  readonly general: number;
  readonly serious: number;
  readonly lists: number;
  readonly abnormal: number;
  readonly others: number;
  readonly incentives: number;
  readonly noticed: number;
}

export interface Commitment {
  readonly code: string;
  readonly type: number;
  readonly state: number;
  readonly madeOn: Day;
  readonly validUntil: Day;
  readonly acceptor: string;
  readonly objection: boolean;
}

export interface Penalty {
  readonly record: Uint8Array;
  readonly docNo: string;
  readonly issuer: string;
  readonly class: number;
  readonly kinds: readonly number[];
  readonly decidedOn: Day;
  readonly minUntil: Day;
  readonly maxUntil: Day;
  readonly final: boolean;
  readonly objection: boolean;
}

export interface ListEntry {
  readonly record: Uint8Array;
  readonly list: string;
  readonly issuer: string;
  readonly decidedOn: Day;
  readonly maxUntil: Day;
  readonly objection: boolean;
  readonly docNo: string;
  readonly minUntil: Day;
  readonly final: boolean;
}

export interface Abnormal {
  readonly record: Uint8Array;
  readonly reason: string;
  readonly issuer: string;
  readonly listedOn: Day;
  readonly objection: boolean;
}

export interface Other {
  readonly record: Uint8Array;
  readonly source: string;
  readonly docNo: string;
  readonly issuer: string;
  readonly class: number;
  readonly decidedOn: Day;
  readonly minUntil: Day;
  readonly maxUntil: Day;
  readonly final: boolean;
  readonly objection: boolean;
}

export interface Incentive {
  readonly record: Uint8Array;
  readonly list: string;
  readonly issuer: string;
  readonly state: number;
  readonly noticeUntil: Day;
  readonly decidedOn: Day;
  readonly validUntil: Day;
  readonly objection: boolean;
}

/** Standing. A root, where it is not empty, stands for its list. Texts are byteText. */
export interface Standing {
  readonly subject: string;
  readonly region: string;
  readonly category: number;
  readonly status: number;
  readonly mayPromise: boolean;
  readonly counts: Counts;
  readonly commitments: readonly Commitment[];
  readonly penalties: readonly Penalty[];
  readonly commitmentsRoot: Uint8Array;
  readonly penaltiesRoot: Uint8Array;
  readonly restricted: Uint8Array; // digest of the section that is not public
  readonly lists: readonly ListEntry[]; // 严重失信主体名单
  readonly abnormal: readonly Abnormal[]; // 异常名录
  readonly others: readonly Other[]; // 其他失信信息
  readonly incentives: readonly Incentive[]; // 守信激励
  readonly listsRoot: Uint8Array;
  readonly abnormalRoot: Uint8Array;
  readonly othersRoot: Uint8Array;
  readonly incentivesRoot: Uint8Array;
}

const counts = (f: Fields): Counts => ({
  commitments: f.uint32(1),
  breached: f.uint32(2),
  penalties: f.uint32(3),
  minor: f.uint32(4),
  general: f.uint32(5),
  serious: f.uint32(6),
  lists: f.uint32(7),
  abnormal: f.uint32(8),
  others: f.uint32(9),
  incentives: f.uint32(10),
  noticed: f.uint32(11),
});

const commitment = (f: Fields): Commitment => ({
  code: f.text(1),
  type: f.uint32(2),
  state: f.int32(3),
  madeOn: f.int32(4),
  validUntil: f.int32(5),
  acceptor: f.text(6),
  objection: f.bool(7),
});

const penalty = (f: Fields): Penalty => ({
  record: f.bytes(1),
  docNo: f.text(2),
  issuer: f.text(3),
  class: f.int32(4),
  kinds: f.uint32s(5),
  decidedOn: f.int32(6),
  minUntil: f.int32(7),
  maxUntil: f.int32(8),
  final: f.bool(9),
  objection: f.bool(10),
});

const listEntry = (f: Fields): ListEntry => ({
  record: f.bytes(1),
  list: f.text(2),
  issuer: f.text(3),
  decidedOn: f.int32(4),
  maxUntil: f.int32(5),
  objection: f.bool(6),
  docNo: f.text(7),
  minUntil: f.int32(8),
  final: f.bool(9),
});

const abnormal = (f: Fields): Abnormal => ({
  record: f.bytes(1),
  reason: f.text(2),
  issuer: f.text(3),
  listedOn: f.int32(4),
  objection: f.bool(5),
});

const other = (f: Fields): Other => ({
  record: f.bytes(1),
  source: f.text(2),
  docNo: f.text(3),
  issuer: f.text(4),
  class: f.int32(5),
  decidedOn: f.int32(6),
  minUntil: f.int32(7),
  maxUntil: f.int32(8),
  final: f.bool(9),
  objection: f.bool(10),
});

const incentive = (f: Fields): Incentive => ({
  record: f.bytes(1),
  list: f.text(2),
  issuer: f.text(3),
  state: f.int32(4),
  noticeUntil: f.int32(5),
  decidedOn: f.int32(6),
  validUntil: f.int32(7),
  objection: f.bool(8),
});

const standing = (f: Fields): Standing => ({
  subject: f.text(1),
  region: f.text(2),
  category: f.uint32(3),
  status: f.int32(4),
  mayPromise: f.bool(5),
  counts: f.message(6, counts),
  commitments: f.messages(7, commitment),
  penalties: f.messages(8, penalty),
  commitmentsRoot: f.bytes(9),
  penaltiesRoot: f.bytes(10),
  restricted: f.bytes(11),
  lists: f.messages(12, listEntry),
  abnormal: f.messages(13, abnormal),
  others: f.messages(14, other),
  incentives: f.messages(15, incentive),
  listsRoot: f.bytes(16),
  abnormalRoot: f.bytes(17),
  othersRoot: f.bytes(18),
  incentivesRoot: f.bytes(19),
});

/** standingKey is the key of a subject's standing in the state tree. */
export const standingKey = (subject: string): Uint8Array => textBytes("S" + subject);

/** standingValue is the value of that leaf. The salt has a fixed length, so nothing of the standing can pass for salt. */
export const standingValue = (salt: Uint8Array, raw: Uint8Array): Uint8Array =>
  sha256(concat(textBytes("xinlian/standing/v1"), salt, raw));

/** readStanding is step 10 for one entry; undefined: not enrolled. */
export function readStanding(e: Entry): Standing | undefined {
  if (e.standing.length === 0) return undefined;
  const bad = (what: string) => invalid(10, "E_STANDING", `standing of ${e.subject}: ${what}`);
  let s: Standing;
  try {
    s = readMessage(e.standing, standing);
  } catch (err) {
    if (!(err instanceof Malformed)) throw err;
    throw bad(err.message);
  }
  if (s.subject !== e.subject) throw invalid(10, "E_SUBJECT", `the standing under ${e.subject} is that of another subject`);
  const why = standingFault(s);
  if (why !== "") throw bad(why);
  return s;
}

/** standingFault tells what no state could have written, empty for nothing. */
function standingFault(s: Standing): string {
  const n = s.counts;
  if (!isDigits(s.region, 6)) return "the region has not six digits";
  if (s.category < 1 || s.category > 99) return "unknown category";
  if (s.status < 1 || s.status >= statuses.length) return "unknown status";
  if (s.restricted.length !== 32) return "the digest of the restricted section has not 32 bytes";
  if (n.minor + n.general + n.serious !== n.penalties + n.others) {
    return "the classes do not add up to penalties and other records";
  }
  if (n.breached > n.commitments) return "more breaches than commitments";
  const incentives = n.incentives + n.noticed;
  if (incentives > 0xffff_ffff) return "there are too many incentives";

  return (
    listFault(s.commitmentsRoot, s.commitments, n.commitments, (c) => c.code, commitmentFault) ||
    listFault(s.penaltiesRoot, s.penalties, n.penalties, recordOf, penaltyFault) ||
    listFault(s.othersRoot, s.others, n.others, recordOf, otherFault) ||
    listFault(s.abnormalRoot, s.abnormal, n.abnormal, recordOf, abnormalFault) ||
    listFault(s.listsRoot, s.lists, n.lists, recordOf, listEntryFault) ||
    listFault(s.incentivesRoot, s.incentives, incentives, recordOf, incentiveFault) ||
    countsFault(s)
  );
}

/** recordOf gives a record id, which is fixed in length, in a form that sorts as its bytes do. */
const recordOf = (r: { readonly record: Uint8Array }): string => String.fromCharCode(...r.record);

/** listFault holds a list, or the root in its place, against its count, its order and the rule of its members. A root stands for a list, never for none. */
function listFault<T>(root: Uint8Array, list: readonly T[], count: number, key: (t: T) => string, wrong: (t: T) => boolean): string {
  if (root.length !== 0) {
    return root.length === 32 && list.length === 0 && count !== 0 ? "" : "a root does not stand for a list";
  }
  if (list.length !== count) return "the length of a list differs from its count";
  if (list.some(wrong)) return "a member of a list has an impossible field";
  if (list.some((t, i) => i > 0 && key(list[i - 1]!) >= key(t))) return "a list is not in order";
  return "";
}

function countsFault(s: Standing): string {
  const n = s.counts;
  if (s.commitmentsRoot.length === 0 && s.commitments.filter((c) => c.state === breached).length !== n.breached) {
    return "the number of breaches differs from their count";
  }
  if (s.incentivesRoot.length === 0 && s.incentives.filter((v) => v.state === recognised).length !== n.incentives) {
    return "the number of recognised incentives differs from their count";
  }
  // Exactly where both lists stand, as a lower bound where a root stands for one.
  const whole = s.penaltiesRoot.length === 0 && s.othersRoot.length === 0;
  const told = [n.minor, n.general, n.serious];
  for (let k = 0; k < told.length; k++) {
    const listed = [...s.penalties, ...s.others].filter((r) => r.class === k + 1).length;
    if (whole ? listed !== told[k] : listed > told[k]!) return "the records of a class differ from their count";
  }
  return "";
}

const isDay = (d: number): boolean => d >= 0 && d <= 2932896; // 9999-12-31
const isClass = (c: number): boolean => c >= 1 && c < classes.length;
const isToken = (s: string): boolean => s.length >= 1 && s.length <= 64;
const isDocNo = (s: string): boolean => s.length >= 1 && s.length <= 200;
const isRecord = (r: Uint8Array): boolean => r.length === 32;

const commitmentFault = (c: Commitment): boolean =>
  !isDigits(c.code, 20) ||
  c.type > 6 ||
  c.state < 1 ||
  c.state >= commitmentStates.length ||
  !isDay(c.madeOn) ||
  !isDay(c.validUntil) ||
  !isUSCC(c.acceptor);

const penaltyFault = (p: Penalty): boolean =>
  !isRecord(p.record) ||
  !isDocNo(p.docNo) ||
  !isUSCC(p.issuer) ||
  !isClass(p.class) ||
  p.kinds.length < 1 ||
  p.kinds.length > 14 ||
  p.kinds.some((k, i) => k < 1 || k > 99 || (i > 0 && p.kinds[i - 1]! >= k)) ||
  ![p.decidedOn, p.minUntil, p.maxUntil].every(isDay);

const otherFault = (o: Other): boolean =>
  !isRecord(o.record) ||
  !isToken(o.source) ||
  !isDocNo(o.docNo) ||
  !isUSCC(o.issuer) ||
  !isClass(o.class) ||
  ![o.decidedOn, o.minUntil, o.maxUntil].every(isDay);

const abnormalFault = (a: Abnormal): boolean =>
  !isRecord(a.record) || !isToken(a.reason) || !isUSCC(a.issuer) || !isDay(a.listedOn);

const listEntryFault = (l: ListEntry): boolean =>
  !isRecord(l.record) ||
  !isToken(l.list) ||
  !isDocNo(l.docNo) ||
  !isUSCC(l.issuer) ||
  ![l.decidedOn, l.minUntil, l.maxUntil].every(isDay);

const incentiveFault = (v: Incentive): boolean =>
  !isRecord(v.record) ||
  !isToken(v.list) ||
  !isUSCC(v.issuer) ||
  v.state < noticed ||
  v.state > recognised ||
  ![v.noticeUntil, v.decidedOn, v.validUntil].every(isDay);
