// Package attest decides whether a proof bundle (证明包) shows what a lender (信贷机构) asks about a subject: bundle, trust file
// (信任文件) and policy in, verdict out. PROOF.md is the normative text; Verify follows its numbered steps in their order and
// names the step in every refusal.
//
// An offline pack (离线信用包) is a set of subjects that the app hash binds whole. OpenPack judges it once by the same steps; Pack.Contains then
// answers without asking anybody. OpenAnchorProof judges that the ledger holds the root of a gateway's receipts of an hour; AnchoredRoot.Covers then judges a
// receipt of it.
//
// A bundle comes self-contained, without the set that the trust file has (pinned-set), or naming a header only (header-known), and each of them as text
// (armor). Beside it may come what the trust file asks for: cosignatures of witnesses, time stamps. Rotate renews a trust file, Examine looks it over.
//
// It promises to read no clock, disk or network, to keep no state that decides anything, to bound its work by the size of its
// input, and to return an error on every input that it does not accept. A value of Verifier may be used by many goroutines.
// Header hash, vote sign bytes and validator set hash are computed here, byte for byte as CometBFT computes them.
//
// A policy is mandatory: there is no verdict without a subject, a claim, a largest age and a time. What gives one of them up is called Unsafe…
//
// It links the standard library, package pb, the tree package beside it and CometBFT's ed25519 (the batch verifier of ZIP-215),
// nothing that opens a socket or a file. Time stamps are read with encoding/asn1 and not with crypto/x509, which links the network.
//
// Trust: whoever writes the trust file decides what is believed; whoever holds keys of more than two thirds of the power that it
// names can prove anything. Whoever makes, serves or changes a bundle can at most have it refused.
package attest
