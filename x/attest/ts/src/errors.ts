// Refusals. Classes, codes and steps are those of PROOF.md.

/** Class of a refusal, in the order in which PROOF.md gives precedence. */
export type Class = "usage" | "unsupported" | "invalid" | "untrusted" | "stale";

/** Code of a refusal. Codes are permanent. */
export type Code =
  | "E_POLICY"
  | "E_TRUST"
  | "E_VERSION"
  | "E_ARMOR"
  | "E_MAGIC"
  | "E_SIZE"
  | "E_ENCODING"
  | "E_FORM"
  | "E_CHAIN"
  | "E_ANCHOR"
  | "E_HEADER"
  | "E_SET_FORM"
  | "E_SET_HASH"
  | "E_STEP_ORDER"
  | "E_STEP_NEXT"
  | "E_COMMIT_FORM"
  | "E_SIG_QUORUM"
  | "E_SIG_EXCESS"
  | "E_SIG"
  | "E_APP_HASH"
  | "E_PATH"
  | "E_ENTRY_ORDER"
  | "E_STANDING"
  | "E_SUBJECT"
  | "E_PACK_MEMBERS"
  | "E_PACK_SET"
  | "E_DELTA_BASE"
  | "E_DELTA"
  | "E_ANCHOR_ROW"
  | "E_RECEIPT"
  | "E_HEADER_FUTURE"
  | "E_WITNESS_FORM"
  | "E_WITNESS_OTHER"
  | "E_WITNESS_SIG"
  | "E_WITNESS_TIME"
  | "E_STAMP_FORM"
  | "E_STAMP_OTHER"
  | "E_STAMP_TIME"
  | "E_TRUST_EXPIRED"
  | "E_TRUST_OLDER"
  | "E_TRUST_SET"
  | "E_TRUST_WINDOW"
  | "E_HEADER_UNKNOWN"
  | "E_WITNESS_QUORUM"
  | "E_STAMP_QUORUM"
  | "E_ROTATION_FORM"
  | "E_ROTATION_FROM"
  | "E_ROTATION_TRUST"
  | "E_ROTATION_SIG"
  | "E_ROTATION_QUORUM"
  | "E_STALE";

/** Refusal is the only error that this package throws on input of any kind. */
export class Refusal<Seen = unknown> extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly verdict: Class,
    /** The step of PROOF.md that refused. */
    readonly step: number,
    readonly code: Code,
    /** One line for people. */
    readonly text: string,
    /** For stale alone: all that was verified before the age was judged. */
    readonly seen?: Seen,
  ) {
    super(`${code} (step ${step}): ${text}`);
  }
}

export function usage(code: "E_POLICY" | "E_TRUST", text: string): Refusal {
  return new Refusal("usage", 1, code, text);
}

export function invalid(step: number, code: Code, text: string): Refusal {
  return new Refusal("invalid", step, code, text);
}
