// Package member knows the agencies of the consortium (成员): their keys with roles (角色) and windows, where and what they may
// decide (职权), who runs a validator, and who may act in whose name (委托).
//
// Everything about level and jurisdiction is a table entry. No digit of a code is ever read for it: 济源 (419001) looks like a
// county and is managed as a city, the airport zone (410173) is no place of GB/T 2260 at all (INV-05, INV-43).
//
// Who may act: Act answers it for every message of every module. The signer's key carries the role, stands in its window on
// the legal day, and belongs to the issuer or to a member that holds a live mandate of the kind from the issuer. What the
// issuer may decide is Competent's answer: always the issuer's competence, never the submitter's.
//
//	M1  none    → member    Put      passed proposal (governance), or genesis
//	M2  member  → member    Put      the row is replaced as a whole; keys that it no longer names are unknown from then on
//	M3  member  → removed   Remove   passed proposal; the row stays, its write rights and its mandates end at that height (INV-33)
//	M4  removed → member    Put      passed proposal: admitted again
//	M5  none    → mandate   GrantMandate    key of the issuer with role REVIEW
//	M6  mandate → mandate   GrantMandate    replaced as a whole
//	M7  mandate → none      RevokeMandate   key of the issuer with role REVIEW
//	M8  member, removed → same  PutSuccessor  passed proposal: who carries on its powers (承继) once it has left
//
// An agency that has left records nothing any more, and what it recorded stays (INV-33). Its open duties and the decisions on its records pass to
// its successor: ActOn lets that one act in its name on what stands. Without a successor nobody can, and its duties show to auditors alone.
//
// Invariants: INV-05 competence in force on the day of the decision; INV-15 every change by a key entitled to it; INV-33 as
// above; MEM-1 an address and a validator key stand with one member only; MEM-2 the key index follows from the members; MEM-3
// at least one governor key and one validator remain; MEM-4 the parties of a mandate are members that have not left; MEM-5 an
// auditor key (审计) reads everything and carries no role that writes; MEM-6 at most one member speaks for 信用中国; MEM-7 a successor is
// a member, and no member is its own; MEM-8 the index of holders follows from the members.
//
// Trust: a passed proposal can admit whom it likes and give any competence. Whoever holds a REVIEW key of an agency can lend out
// that agency's name, and nobody else's.
package member
