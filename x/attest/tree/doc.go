// Package tree is the hashing under every claim the ledger makes about its
// state: the sparse Merkle tree (稀疏默克尔树) over all leaves, its proofs of
// presence (存在证明) and absence (不存在证明), the RFC 6962 log (仅追加日志)
// and the app hash (应用哈希) that binds them to a block. Writers and verifiers
// hash with these same lines. Standard library only; no state, no I/O.
//
// # Tree
//
// A leaf has a path = SHA-256(key) and a value hash = SHA-256(value); bits of
// a path are read most significant bit first. A subtree hashes to
//
//	no leaf         32 zero bytes
//	one leaf        SHA-256(0x00 ‖ path ‖ value hash), at whatever depth it stands
//	more leaves     SHA-256(0x01 ‖ hash of the 0 side ‖ hash of the 1 side)
//
// so the root depends on the set of leaves alone, never on the order in which
// they came. This is ICS-23's SmtSpec; proofs of presence convert to it.
//
// # Proof
//
// One format serves one claim or many (multiproof, 多键证明). The claims are
// sorted by path, strictly ascending. The proof is the depth-first walk, 0
// side before 1 side, of the subtrees that hold at least one claim:
//
//	visit(subtree, depth):
//	  1         branch: side(0), then side(1)
//	  0 00      terminal, empty: every claim here is absent
//	  0 10      terminal, the leaf of the one claim here that is present;
//	            every other claim here is absent
//	  0 11      terminal, a leaf that no claim names: path(32) ‖ value hash(32)
//	            follow in Hashes; every claim here is absent
//	  0 01      refused
//	side(s):
//	  has claims: visit(s, depth+1)
//	  1         no claims, not empty: its hash(32) follows in Hashes
//	  0         no claims, empty
//
// Everything of side 0, bits and hashes, comes before the first bit of side 1.
// Shape holds the bits, first bit in the most significant place, the last byte
// filled up with zero bits. Hashes holds the 32-byte strings in the order in
// which the walk meets them.
//
// RootOf refuses: no claims, more than MaxClaims, claims out of order or twice,
// an absent claim with a value hash; a branch at depth 256; a branch that holds
// fewer than two leaves; an explicit hash of 32 zero bytes; a foreign leaf that
// does not stand under its node or is one of the claims; a claim that is said
// to be present and is shown absent, or the reverse; missing, surplus or
// non-zero filling bits; missing or surplus hashes. One set of claims under one
// root therefore has exactly one proof.
//
// Trust: whoever can change this package can make any lender believe any
// record. Whoever supplies a proof is not trusted at all; whoever supplies the
// root is trusted completely, so the root must come from a signed header.
package tree
