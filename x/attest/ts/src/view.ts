// Views: JSON for people and programs to read, the same as that of xinlian-verify. None of them proves anything.

import { hex, utf8Text } from "./bytes.js";
import { second } from "./bundle.js";
import { claimText } from "./claim.js";
import { Refusal } from "./errors.js";
import { classes, commitmentStates, incentiveStates, type Standing, statuses } from "./standing.js";
import { formatTime } from "./time.js";
import type { Policy, Verdict } from "./verify.js";

/** day writes a date of the ledger, null for none. */
function day(d: number): string | null {
  return d === 0 ? null : new Date(d * 86_400_000).toISOString().slice(0, 10);
}

/** root writes a root that stands for a list; a view leaves it out where the list itself stands. */
function root(name: string, b: Uint8Array): Record<string, string> {
  return b.length === 0 ? {} : { [name]: hex(b) };
}

/** standingView gives the view of a standing, null for none. */
export function standingView(s: Standing | undefined) {
  if (s === undefined) return null;
  return {
    subject: s.subject,
    region: s.region,
    category: s.category,
    status: statuses[s.status]!,
    may_promise: s.mayPromise,
    counts: { ...s.counts },
    commitments: s.commitments.map((c) => ({
      code: c.code,
      type: c.type,
      state: commitmentStates[c.state]!,
      made_on: day(c.madeOn),
      valid_until: day(c.validUntil),
      acceptor: c.acceptor,
      objection: c.objection,
    })),
    ...root("commitments_root", s.commitmentsRoot),
    penalties: s.penalties.map((p) => ({
      record: hex(p.record),
      doc_no: utf8Text(p.docNo),
      issuer: p.issuer,
      class: classes[p.class]!,
      kinds: [...p.kinds],
      decided_on: day(p.decidedOn),
      min_until: day(p.minUntil),
      max_until: day(p.maxUntil),
      final: p.final,
      objection: p.objection,
    })),
    ...root("penalties_root", s.penaltiesRoot),
    lists: s.lists.map((l) => ({
      record: hex(l.record),
      list: utf8Text(l.list),
      doc_no: utf8Text(l.docNo),
      issuer: l.issuer,
      decided_on: day(l.decidedOn),
      min_until: day(l.minUntil),
      max_until: day(l.maxUntil),
      final: l.final,
      objection: l.objection,
    })),
    ...root("lists_root", s.listsRoot),
    abnormal: s.abnormal.map((a) => ({
      record: hex(a.record),
      reason: utf8Text(a.reason),
      issuer: a.issuer,
      listed_on: day(a.listedOn),
      objection: a.objection,
    })),
    ...root("abnormal_root", s.abnormalRoot),
    others: s.others.map((o) => ({
      record: hex(o.record),
      source: utf8Text(o.source),
      doc_no: utf8Text(o.docNo),
      issuer: o.issuer,
      class: classes[o.class]!,
      decided_on: day(o.decidedOn),
      min_until: day(o.minUntil),
      max_until: day(o.maxUntil),
      final: o.final,
      objection: o.objection,
    })),
    ...root("others_root", s.othersRoot),
    incentives: s.incentives.map((v) => ({
      record: hex(v.record),
      list: utf8Text(v.list),
      issuer: v.issuer,
      state: incentiveStates[v.state]!,
      notice_until: day(v.noticeUntil),
      decided_on: day(v.decidedOn),
      valid_until: day(v.validUntil),
      objection: v.objection,
    })),
    ...root("incentives_root", s.incentivesRoot),
    restricted: hex(s.restricted),
  };
}

export type StandingView = NonNullable<ReturnType<typeof standingView>>;

/** verdictView gives the view of an outcome. What has not been verified is null. A stale bundle shows what it proves for its time. */
export function verdictView(outcome: Verdict | Refusal<Verdict[]>, p: Policy) {
  const refusal = outcome instanceof Refusal ? outcome : undefined;
  const seen = p.subject === "" ? undefined : refusal?.seen?.[0];
  const v = outcome instanceof Refusal ? seen : outcome;
  const holds = refusal === undefined && v!.holds;
  return {
    verdict: refusal !== undefined ? refusal.verdict : holds ? "holds" : "does-not-hold",
    code: refusal?.code ?? v!.code,
    reason: refusal?.text ?? v!.reason,
    subject: v?.subject ?? p.subject,
    claim: claimText(p.claim),
    holds,
    enrolled: v === undefined ? null : v.standing !== undefined,
    chain_id: v === undefined ? null : utf8Text(v.chainId),
    height: v === undefined ? null : Number(v.height),
    header_height: v === undefined ? null : Number(v.headerHeight),
    time: v === undefined ? null : formatTime(v.time),
    age_seconds: v === undefined ? null : Number(v.age / second),
    signed_power: v === undefined ? null : Number(v.signedPower),
    total_power: v === undefined ? null : Number(v.totalPower),
    ...(v === undefined || v.witnessed.length === 0 ? {} : { witnessed: [...v.witnessed] }),
    ...(v === undefined || v.stamped.length === 0 ? {} : { stamped: [...v.stamped] }),
    standing: standingView(v?.standing),
  };
}
