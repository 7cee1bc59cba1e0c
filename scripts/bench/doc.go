// Command bench measures the product beside its peers and prints the table of figures.
//
// It is a module of its own so that the product depends on none of them: cosmos/iavl over Badger as the peer of the state engine,
// CometBFT's kvstore application as the peer of the write path. Everything that is compared runs on one machine, one after the other, with
// the same settings. `scripts/dev bench-table` runs it.
//
//	bench table     the whole table; each figure names the command that measured it
//	bench state     blocks of updates through the state engine
//	bench iavl      the same through cosmos/iavl over Badger
//	bench kvstore   CometBFT's kvstore application under the load that `xinlian bench load` makes
//	bench open      a state folder opened by a fresh process: time and memory
//	bench restart   the same after its process was killed, with as much in the tree's logs as they ever hold, and killed again
//	bench compact   a state folder without its history: bytes on disk
//
// Trust: none is needed; it runs on one machine and all data are synthetic.
package main
