// What is loaded of @noble/curves with the first time stamp that is signed by ECDSA (stamp.ts). A module of its own, so that a bundle holds nothing else of it.
export { p256, p384 } from "@noble/curves/nist.js";
