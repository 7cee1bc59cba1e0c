// Package join lets a node begin with a snapshot instead of the chain's first block (状态同步): it finds out, without believing whoever answers, which
// app hash the chain has at a height, and makes the engine's own stores ready to go on from there.
//
// The engine's own way asks its RPC servers, which have no authentication and are closed here. This one asks members' gateways, with a member's key, or
// reads a file that came with the snapshot. What both say is checked the same way: the header after the snapshot's height carries its app hash, and more
// than two thirds of the power of a validator set that the operator trusts must have signed it. That set comes from a trust file, or from the genesis file
// where the members have not changed much since. Of a trust file the anchor and the windows of time hold as well, as they do for a verifier
// (x/attest/PROOF.md, steps 5 and 12): the keys of a set that was replaced open no state. Witnesses and time stamps that it asks for do not: they are made for the headers that
// lenders' bundles are of, not for those of snapshots.
//
// What no header binds and is taken as said: whose turn it is to propose. A node that was told a falsehood refuses proposals until it has caught up with
// the turns of the others; it signs nothing false.
//
// Trust: the validators of the trusted set, by more than two thirds of their power, and that none of their old keys is in other hands as long as the file believes them.
package join
