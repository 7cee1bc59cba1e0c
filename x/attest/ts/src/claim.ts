// Claims (断言): questions about one subject. Step 14 of PROOF.md.

import { usage } from "./errors.js";
import { classes, commitmentStates, recognised, type Standing } from "./standing.js";
import { isDigits } from "./uscc.js";

/** claimForms lists the claims as they are written. */
export const claimForms =
  "enrolled, no-negative, no-serious, may-promise, commitment:CODE=STATE, incentive:LIST, standing";

const plain = ["enrolled", "no-negative", "no-serious", "may-promise", "standing"] as const;

/** Claim is what parseClaim returns. */
export type Claim =
  | { readonly kind: (typeof plain)[number] }
  | { readonly kind: "commitment"; readonly code: string; readonly state: number }
  | { readonly kind: "incentive"; readonly list: string };

/** parseClaim reads a claim in its one form. */
export function parseClaim(s: string): Claim {
  const kind = plain.find((p) => p === s);
  if (kind !== undefined) return { kind };
  const commitment = /^commitment:([^=]*)=([a-z]+)$/.exec(s);
  if (commitment !== null && isDigits(commitment[1]!, 20)) {
    const state = (commitmentStates as readonly string[]).indexOf(commitment[2]!);
    if (state > 0) return { kind: "commitment", code: commitment[1]!, state };
  }
  const incentive = /^incentive:([A-Za-z0-9_.-]{1,64})$/.exec(s);
  if (incentive !== null) return { kind: "incentive", list: incentive[1]! };
  throw usage("E_POLICY", `unknown claim ${JSON.stringify(s.slice(0, 80))}; the claims are: ${claimForms}`);
}

/** claimText is the form that parseClaim reads. */
export function claimText(c: Claim): string {
  switch (c.kind) {
    case "commitment":
      return `commitment:${c.code}=${commitmentStates[c.state]}`;
    case "incentive":
      return `incentive:${c.list}`;
    default:
      return c.kind;
  }
}

/** Answer to a claim. reason is one line, empty where the claim holds. */
export interface Answer {
  readonly code: "OK" | "E_CLAIM" | "E_NOT_ENROLLED" | "E_CLAIM_UNDECIDABLE";
  readonly reason: string;
}

const holds: Answer = { code: "OK", reason: "" };
const fails = (reason: string): Answer => ({ code: "E_CLAIM", reason });
const undecidable = (reason: string): Answer => ({ code: "E_CLAIM_UNDECIDABLE", reason });

/** judge is step 14. s is undefined for a subject that is not enrolled. */
export function judge(c: Claim, s: Standing | undefined): Answer {
  if (s === undefined) {
    return c.kind === "no-negative" || c.kind === "no-serious" || c.kind === "may-promise"
      ? holds
      : { code: "E_NOT_ENROLLED", reason: "the subject is not enrolled" };
  }
  const n = s.counts;
  switch (c.kind) {
    case "enrolled":
    case "standing":
      return holds;
    case "no-negative":
      if (n.penalties === 0 && n.lists === 0 && n.abnormal === 0 && n.others === 0) return holds;
      return fails(
        `published: ${n.penalties} penalties, ${n.lists} list entries, ${n.abnormal} abnormal entries, ${n.others} other records`,
      );
    case "no-serious":
      if (n.serious === 0 && n.lists === 0) return holds;
      return fails(`published: ${n.serious} records of class ${classes[3]}, ${n.lists} list entries`);
    case "may-promise":
      return s.mayPromise ? holds : fails("a published fact bars 告知承诺");
    case "commitment": {
      if (s.commitmentsRoot.length !== 0) return undecidable("the list of commitments is replaced by its root");
      const made = s.commitments.find((x) => x.code === c.code);
      if (made === undefined) return fails("no such commitment is public");
      return made.state === c.state ? holds : fails(`the commitment is ${commitmentStates[made.state]}`);
    }
    case "incentive":
      if (s.incentivesRoot.length !== 0) return undecidable("the list of incentives is replaced by its root");
      return s.incentives.some((v) => v.list === c.list && v.state === recognised)
        ? holds
        : fails("the subject is not recognised in this list");
  }
}
