// Package audit replays a chain and trusts nobody: it checks the signatures of every commit, every header against the blocks around it and
// every change of validators, executes every transaction into an empty state of its own, and compares every app hash.
//
// What it finds is a Difference: the height, the transaction where one can be named, and the first key of the state that differs where the
// source holds a state to compare with. It keeps the rules of every app version that this binary knows, so that a chain replays across
// upgrades (in this release there is one version).
//
// A replay uses the processors that are there: blocks are read and decoded ahead, executed in order, judged behind. What it keeps is the newest
// state, which no crash needs to find again: rows in memory up to a bound, beyond it in an unnamed temporary file (TMPDIR names the
// folder), the tree and the indexes in memory, blocks on their way up to a bound of bytes. The state that a home holds is compared when the last height
// is judged: table by table, by sums over all rows, and where two sums differ row by row. Its own sums are made while the last blocks are executed.
//
// Trust: only the genesis file, which the auditor compares out of band (its hash is in the report), and this binary. Whoever delivers the
// blocks can at most withhold them.
package audit
