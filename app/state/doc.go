// Package state is the ledger's state (账本状态): a key-value store with a value for every retained height (多版本存储), and a
// sparse Merkle tree (稀疏默克尔树) in memory that authenticates the part of it that has leaves. It is the only package that
// knows Badger.
//
// # What it promises
//
//   - A block is there as a whole or not at all (原子性), whatever happens at whatever moment, as long as the disk keeps
//     what it has confirmed. After Open the state is exactly that after the marker's block.
//   - View(h) shows the rows as block h left them, for every h from Floor to the last block; below the floor it says so
//     (ErrPruned) and never answers from what happens to be left.
//   - The root depends on the set of leaves alone: not on order, pruning, cache or sizes of writes, window or restarts.
//   - After a failed write the store refuses everything until it is opened again.
//
// # How a block is written
//
// All of a block stands at Badger timestamp = height, split into as many writes as its size needs, each synced; the marker
// comes last, and readers follow the marker. Commit lists the steps and what a crash right after each leaves;
// Rollback does the same. What a crash leaves above the marker is in nobody's sight; when the block runs again it writes the same once more. Where
// another one comes in its place, as from another binary, what was left is taken back before (undo.go). FORMAT.md is the dictionary of the folder.
//
// The tree is an index: leaves are computed from rows, as the caller's Binding says, and none is stored among the rows. So that a
// start need not compute them all, the tree has files of its own (treefile.go), which are not believed: what Open takes from them
// has the marker's root, or it is computed from the rows, which takes about ten times as long.
//
// # History
//
// Retain says how many heights stay readable; the floor follows the newest block and never falls. Badger drops what lies below
// it when it rewrites a table for other reasons: where keys come anew everywhere, as here, the folder swings between one and a
// few times its live size by itself. What a quiet range keeps, and all of it at once, Compact gives back on a stopped node. An
// archive (Retain 0) has nothing to give back.
//
// Height 0 is not on disk: the genesis state is part of block 1's writes.
//
// # What it does not do
//
// It does not know what rows and leaves mean. A row that a disk has changed is not looked for at a start: CheckLeaves finds it.
// A damaged block of a table file is an error of Get; Badger's iterators end at it without a word. Such a node computes
// another app hash and stops; CheckFiles finds the damage.
//
// Trust: whoever can change this folder, or this package, can make this node answer anything and stop it; they cannot
// make a verifier believe it, because proofs are checked against a root in a header that the validators signed. Disk
// encryption, if wanted, is below.
package state
