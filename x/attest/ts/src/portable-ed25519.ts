// What is loaded of @noble/curves where the platform does not decide about a signature (ed25519.ts). A module of its own, so that a bundle holds nothing else of it.
export { ed25519 } from "@noble/curves/ed25519.js";
