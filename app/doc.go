// Package app is the ABCI application: it takes one transaction from the mempool's gate to the app hash.
//
// The eight stops of a transaction: wire (proto/xinlian/v1), submit (node/gateway), gate (ante.go; the same code for CheckTx and for
// proposals), propose (proposal.go), rule (finalize.go → dispatch.go → x/<module>), disk (commit.go → app/state), proof (prove.go),
// verdict (x/attest).
//
// What an ABCI application owes, and where it is held:
//
//   - FinalizeBlock is a function of the state of the height before and of the block: no clock, map order, goroutine order or
//     environment. Two exceptions compute and never order: the gate's signature pool, and the tree's own work. apptest runs several
//     applications side by side and compares every app hash.
//   - FinalizeBlock may be called twice for a height (replay after a crash): it changes nothing but the staged write set.
//   - A bad transaction in a block becomes a code, never an error. A failing disk never becomes a result: it ends the node.
//   - What PrepareProposal makes, ProcessProposal accepts: both use the same gate.
//
// Ownership: the consensus connection (InitChain, Prepare, Process, Finalize, Commit) is serial and owns next; everything that
// other connections read (mempool gate, gateway) goes through committed, an immutable value that Commit replaces.
//
// Trust: the application trusts CometBFT to deliver the blocks that more than two thirds of the power decided, in order.
package app
