// Package bench puts a load on a network of this machine and measures what was committed.
//
// Drive sends transactions that were made and signed before, to one node or to several, in a closed loop or at a rate, and reads back
// from the blocks what became of each. What counts is committed and not refused. Latency runs from before the submission (at a rate: from
// the moment at which the transaction was due, so that a sender that falls behind is not flattered) to the moment at which the node told
// that the block is committed. Load makes a localnet in a temporary folder for it, or runs the one node in this process, and takes all
// of it away again.
//
// Drive sends to the gateway, which takes the bytes of a transaction as they are, and follows the blocks at CometBFT's own interface on loopback. Where there
// is no gateway it sends there too, so that it measures any application.
//
// Trust: none is needed; everything here runs on one machine with keys that are thrown away, and all data are synthetic.
package bench
