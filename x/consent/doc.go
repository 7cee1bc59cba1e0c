// Package consent keeps what firms authorise (授权) lenders to be told, the evaluation grades (公共信用综合评价等级) that only an authorisation opens, and the
// anchors of the receipts (查询回执) of lenders' queries.
//
//	U1 none → live:        Grant      生效
//	U2 live → withdrawn:   Withdraw   撤回
//	U3 live → expired:     Expire, by timer, when its last day has passed  到期
//	U4 live → used up:     Anchor, by the gateway that served the last use  用尽
//	U5 live → deregistered: Deregister, when the registry says that the firm is  主体注销
//	G1 none, ended, standing → standing: RecordGrade, in place of an older one
//	G2 standing → ended:   WithdrawGrade, or ExpireGrade by timer
//	R1 none → anchored:    Anchor     存证
//
// Nothing that has ended comes back: an authorisation is known by the firm's own number of it, once.
//
// A firm signs with its own key, inside a message that a member brings: an agency, a gateway, or the lender itself. A firm need not reach a node, takes no
// share of a block, and floods nobody; the share is the bringer's. The signature covers chain and content, so the bringer can change nothing, and a
// withdrawal that one member does not bring another will. A key that has ended grants nothing any more; what it granted stays until it is withdrawn, which
// any key in force of the firm may do.
//
// A withdrawal of what nobody has brought is refused and leaves no row: an id says nothing of its content, and a key could name ids without end. What the firm has signed has no last day and is
// brought again once the grant stands. A firm that would not wait for that has the registry replace its key: the grant is then refused.
//
// Uses are not counted here. An authorisation names the one gateway that serves it (唯一出口, A6-4); that gateway counts in its own journal, which is on
// disk before an answer leaves, so no two queries overrun the count and no other gateway can. Blocks are read by all members, and a count in them would
// tell everybody when a firm asks for credit. So only the end of it is told: an anchor names what was used up in its hour.
//
// An anchor is a root over salted receipts, padded: it tells neither how many there are nor whether there are any. A gateway anchors every hour, empty ones
// too. A receipt itself is for the firm and the lender. An anchor covers everything since the one before it. Who holds a receipt follows its path to the root
// offline (xinlian-verify receipt), and an anchor proof (存证证明), which any node gives to anybody, shows under a trust file that the row stands. For this the key of its leaf,
// with the table's prefix, is frozen (x/attest/PROOF.md).
//
// A grade is a fact that a body recorded which evaluates elsewhere. The ledger makes no rating (INV-23), and no grade is shown but to a lender that the firm
// has authorised. It follows from no record here and is not moved by one, so that it tells of none (INV-03). For the same reason the body that graded is
// given no duty to look again when a record that stood at the grading leaves publicity: the duty, its day and its alarm would tell that there was one, and
// a grade that changes then would tell which. A grade has its last day, and the body looks again by its own calendar.
//
// Invariants: INV-22, with the gateway: what is opened rests on a live authorisation; AUT-1 what has ended has its day, and what is live has not; a
// withdrawal has the firm's signature; AUT-2 no authorisation is longer than the table allows, and each has a class; AUT-3 the index follows from the
// rows; AUT-4 a firm that is deregistered has no live authorisation; AUT-5 the hours of a gateway's anchors lie before the block that holds them.
//
// Trust: whoever can change this package can at most make its own node disagree with the others. A gateway is trusted to count and to keep receipts; what it
// has anchored it cannot change any more.
package consent
