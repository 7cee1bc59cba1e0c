// Step 8 of PROOF.md: a header is precommitted by more than two thirds of a set, and by no signer more than that takes.

import { type Commit, type Header, keyAt, maxSeconds, second, signatureBytes, timeOf, totalPower, type ValidatorSet } from "./bundle.js";
import { verifySignature } from "./ed25519.js";
import { invalid } from "./errors.js";
import { voteBytes } from "./header.js";

/** checkCommit gives the power that signed and that of the set. */
export async function checkCommit(
  h: Header,
  hash: Uint8Array,
  c: Commit,
  set: ValidatorSet,
): Promise<{ signed: bigint; total: bigint; signers: number }> {
  const n = set.powers.length;
  const form = (what: string) => invalid(8, "E_COMMIT_FORM", `commit at height ${h.height}: ${what}`);
  if (c.signers.length !== (n + 7) >> 3) throw form(`a bitmap of ${c.signers.length} bytes for ${n} validators`);
  const signers: number[] = [];
  for (let i = 0; i < 8 * c.signers.length; i++) {
    if ((c.signers[i >> 3]! & (0x80 >> (i & 7))) === 0) continue;
    if (i >= n) throw form("the bitmap names validators beyond the set");
    signers.push(i);
  }
  if (signers.length !== c.times.length) throw form(`${signers.length} signers, ${c.times.length} signatures`);

  const total = totalPower(set);
  const signed = signers.reduce((sum, i) => sum + set.powers[i]!, 0n);
  const last = signers.length > 0 ? set.powers[signers[signers.length - 1]!]! : 0n;
  if (3n * signed <= 2n * total) {
    throw invalid(8, "E_SIG_QUORUM", `height ${h.height} is signed by ${signed} of ${total}, not more than two thirds`);
  }
  if (3n * (signed - last) > 2n * total) {
    throw invalid(8, "E_SIG_EXCESS", `height ${h.height} carries a signature that the two thirds do not need`);
  }
  const verified = await Promise.all(
    signers.map((i, k) => {
      const time = timeOf(h) + c.times[k]!;
      if (time < 0n || time / second > maxSeconds) return false;
      return verifySignature(
        keyAt(set, i),
        voteBytes(h, hash, c, time),
        c.signatures.subarray(k * signatureBytes, (k + 1) * signatureBytes),
      );
    }),
  );
  if (!verified.every((v) => v)) throw invalid(8, "E_SIG", `a signature at height ${h.height} does not verify`);
  return { signed, total, signers: signers.length };
}
