// Verifier for proof bundles of Xinlian (信链), in browsers and in Node. It follows x/attest/PROOF.md.
//
//   const trust = parseTrust(trustFile);
//   const verdict = await verify(bundle, trust, { subject, claim: parseClaim("no-negative"), maxAge: 86_400n * second, now });
//
// It reads no clock, no disk and no network. It throws a Refusal and nothing else.
//
// Trust: whoever changes this package, or what it is built from, makes any lender believe any record. A page that serves it is in that
// place: what guards a lender is that its trust file, and the page itself, come from elsewhere than the bundle.

export { AnchoredRoot, anchorProofMagic, answerDigest, checkAnswer, openAnchorProof, openReceipt, type Receipt, type When } from "./anchor.js";
export { type Bundle, decodeBundle, type Form, magic, mediaType, second } from "./bundle.js";
export { type Answer, type Claim, claimForms, claimText, parseClaim } from "./claim.js";
export { type Class, type Code, Refusal } from "./errors.js";
export { headerHash, setHash } from "./header.js";
export { applyDelta, deltaMagic, openPack, type Pack, packMagic, type PackVerdict } from "./pack.js";
export { rotate } from "./rotation.js";
export { type Standing } from "./standing.js";
export { formatTime, parseTime } from "./time.js";
export { parseTrust, type Trust } from "./trust.js";
export { isUSCC } from "./uscc.js";
export { exitCode, type Policy, type Verdict, verify, verifyMany } from "./verify.js";
export { standingView, type StandingView, verdictView } from "./view.js";
