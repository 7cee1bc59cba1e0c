// Package x is what the rules are made of: the state that a rule may read and write, tables, refusals, timers. The modules in
// the folders below are the rules themselves, in this order of knowledge (a module calls only those before it):
//
//	member < governance < catalog < subject < commitment < fulfillment < measure < sanction < leniency < repair < objection
//	< incentive < inspection < consent < trace < receivable < standing
//
// It promises that a transition can depend on nothing but what Ctx hands it: the state after the block before, the changes made
// in this block so far, the block's height and time, and who signed. There is no disk, clock, goroutine, randomness or log here.
//
// Three kinds of trouble are kept apart. A Rejection says that the sender is wrong: it is part of the block's result and equal on
// every node. A Fault says that this machine is wrong (a disk that fails, own state that does not decode): it is a panic that
// exactly one place in package app recovers, to halt. A bug is any other panic.
//
// A refusal tells its signer no more than its gateway would (INV-03): a transition asks for the role of the signer before it looks anything up, and a record that
// the signer may not be told of is refused in the words of one that is not there, with nothing but what the message holds. An agent is taken for the
// firm whose paper it brings, which may be told of all that is its own.
//
// Trust: this package trusts its State to return what was written. Whoever can change what is under it can at most make this
// node compute another app hash than the others, which stops it.
package x
